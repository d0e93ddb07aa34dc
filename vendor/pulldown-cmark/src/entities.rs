//! Expansions of HTML5 entities, packed for the download. This file is riacho's: ../README.md.

use std::sync::OnceLock;

/// A line a value: how far its first character is from the one of the line before, then its second character if it has
/// one and a space, then its names, between commas. A line without names only goes on.
const PACKED: &str = include_str!(concat!(env!("OUT_DIR"), "/entities.txt"));

/// More than the 2,125 names, so that a search soon finds an empty place; a power of two.
const PLACES: usize = 4096;

/// Unpacked when a text first has a name: a hash table, each place of which is a name and its value.
static TABLE: OnceLock<Vec<Option<(&'static str, String)>>> = OnceLock::new();

pub(crate) fn get_entity(bytes: &[u8]) -> Option<&'static str> {
    let table = TABLE.get_or_init(unpacked);
    let place = place(table, bytes);
    table.get(place)?.as_ref().map(|(_, value)| value.as_str())
}

/// Where a name is, or would be.
fn place(table: &[Option<(&'static str, String)>], name: &[u8]) -> usize {
    let hash = name
        .iter()
        .fold(0u32, |hash, &byte| (hash.rotate_left(5) ^ u32::from(byte)).wrapping_mul(0x9e37_79b1));
    let mut place = (hash >> 20) as usize;
    while table[place].as_ref().is_some_and(|(known, _)| known.as_bytes() != name) {
        place = (place + 1) % PLACES;
    }
    place
}

fn unpacked() -> Vec<Option<(&'static str, String)>> {
    let mut table = vec![None; PLACES];
    let (mut rest, mut first) = (PACKED.chars(), 0);
    while let Some(distance) = rest.next() {
        first += u32::from(distance);
        // Behind the distance, which may be the number of a letter or of a line's end.
        let (line, behind) = rest.as_str().split_once('\n').unwrap_or_default();
        rest = behind.chars();
        let (second, names) = line.split_once(' ').unwrap_or(("", line));
        let value: String = char::from_u32(first).into_iter().chain(second.chars()).collect();
        for name in names.split_terminator(',') {
            let place = place(&table, name.as_bytes());
            table[place] = Some((name, value.clone()));
        }
    }
    table
}
