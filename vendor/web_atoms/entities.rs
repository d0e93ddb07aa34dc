//! The named entities: a sorted list of names, unpacked once.

use std::sync::OnceLock;

/// One entry after the other: how many bytes of the name before it begins with too (and one more, so that it is not 0),
/// the rest of the name, a blank, one or two characters, and a 0.
static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/entities.bin"));

/// A map of entity names to their codepoints. The second codepoint is 0 if the entity is a single one. Names have no
/// `&`; where a name only begins like an entity, both codepoints are 0.
pub static NAMED_ENTITIES: NamedEntities = NamedEntities { table: OnceLock::new() };

pub struct NamedEntities {
    table: OnceLock<Vec<(String, (u32, u32))>>,
}

static BEGINNING: (u32, u32) = (0, 0);

impl NamedEntities {
    /// The entity of that name, `(0, 0)` if there are only longer ones, `None` if nothing begins like that.
    pub fn get(&self, name: &str) -> Option<&(u32, u32)> {
        let table = self.table.get_or_init(unpack);
        let at = table.partition_point(|(known, _)| known.as_str() < name);
        let (known, characters) = table.get(at)?;
        if known == name {
            Some(characters)
        } else if known.starts_with(name) {
            Some(&BEGINNING)
        } else {
            None
        }
    }

    /// Every name with its codepoints, sorted.
    pub fn entries(&self) -> impl Iterator<Item = (&str, (u32, u32))> {
        self.table.get_or_init(unpack).iter().map(|(name, characters)| (name.as_str(), *characters))
    }
}

fn unpack() -> Vec<(String, (u32, u32))> {
    let mut table: Vec<(String, (u32, u32))> = Vec::new();
    let packed = std::str::from_utf8(PACKED).unwrap_or_default();
    for entry in packed.split_terminator('\0') {
        let mut rest = entry.chars();
        let shared = rest.next().map_or(0, |shared| shared as usize - 1);
        let (suffix, characters) = rest.as_str().split_once(' ').unwrap_or_default();
        let before = table.last().map_or("", |(name, _)| name.as_str());
        let name = [before.get(..shared).unwrap_or_default(), suffix].concat();
        let mut characters = characters.chars().map(u32::from);
        table.push((name, (characters.next().unwrap_or(0), characters.next().unwrap_or(0))));
    }
    table
}
