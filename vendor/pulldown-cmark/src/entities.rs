//! Expansions of HTML5 entities, packed for the download. This file is riacho's: ../README.md.

use std::sync::OnceLock;

/// For each value: how far its first character is from that of the one before, its second character if it has one, and its
/// names, between commas.
const PACKED: &str = include_str!(concat!(env!("OUT_DIR"), "/entities.txt"));

/// Added to each number, so that none is a letter's: as in `build.rs`.
const OFFSET: u32 = 0x6c0;

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
    let (mut first, mut value) = (0, String::new());
    // Where the name starts that is read; and whether the value has one, so that the next number is another's.
    let (mut name, mut named) = (None, true);
    for (at, c) in PACKED.char_indices() {
        if c.is_ascii_alphanumeric() {
            name.get_or_insert(at);
            continue;
        }
        if let Some(start) = name.take() {
            let name = &PACKED[start..at];
            let place = place(&table, name.as_bytes());
            table[place] = Some((name, value.clone()));
            named = true;
        }
        if c != ',' {
            let mut number = u32::from(c) - OFFSET;
            if std::mem::take(&mut named) {
                value.clear();
                first += number;
                number = first;
            }
            value.extend(char::from_u32(number));
        }
    }
    table
}
