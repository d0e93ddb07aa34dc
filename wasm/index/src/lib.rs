//! What labels are looked up by: a [`Map`] by text, and the [folding](fold) of case that makes two labels one. And how
//! tables of characters are [`Packed`].
//!
//! Both the parser and the engine use it, so that neither the standard library's hash map, of which each kind of value is
//! a copy to download, nor a second table of letters is in the module.

// Plain builds have no need of it: xtask sets the cfg.
#![cfg_attr(riacho_module, feature(optimize_attribute))]

mod fold;
mod packed;
mod tree;

pub use fold::{fold, folded};
pub use packed::{Packed, pack, packed_length};
use tree::Tree;

/// A map by text. What was put in first comes first; nothing is taken out again.
///
/// A look-up takes as long as its key has bits at most, whatever else is in the map: there is no hash, so there are no keys
/// that a hostile text could have chosen to be slow ([`Tree`]). An empty map has no memory.
#[derive(Debug, Clone)]
pub struct Map<V> {
    keys: Tree,
    values: Vec<V>,
}

impl<V> Default for Map<V> {
    fn default() -> Self {
        Map { keys: Tree::default(), values: Vec::new() }
    }
}

impl<V> Map<V> {
    pub fn new() -> Self {
        Map::default()
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub fn contains_key(&self, key: &str) -> bool {
        self.keys.find(key).is_some()
    }

    pub fn get(&self, key: &str) -> Option<&V> {
        self.values.get(self.keys.find(key)?)
    }

    pub fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        self.values.get_mut(self.keys.find(key)?)
    }

    /// Gives back the value that was there.
    pub fn insert(&mut self, key: &str, value: V) -> Option<V> {
        let place = self.keys.insert(key);
        if let Some(known) = self.values.get_mut(place) {
            return Some(std::mem::replace(known, value));
        }
        self.values.push(value);
        None
    }

    /// The value of a key, made if there is none.
    pub fn get_or_insert_with(&mut self, key: &str, make: impl FnOnce() -> V) -> &mut V {
        let place = self.keys.insert(key);
        if place == self.values.len() {
            self.values.push(make());
        }
        &mut self.values[place]
    }

    /// Keys and values, in the order in which the keys came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.values.iter().enumerate().map(|(place, value)| (self.keys.key(place), value))
    }

    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.values.iter()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::Map;

    /// The same numbers every time.
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self, sides: usize) -> usize {
            self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (self.0 >> 33) as usize % sides
        }
    }

    fn holds_what_a_hash_map_holds(mut key: impl FnMut(&mut Dice) -> String) {
        let mut dice = Dice(7);
        for _ in 0..60 {
            let (mut map, mut known, mut order) = (Map::new(), HashMap::new(), Vec::new());
            for step in 0..dice.roll(400) {
                let key = key(&mut dice);
                assert_eq!(map.get(&key), known.get(&key));
                assert_eq!(map.contains_key(&key), known.contains_key(&key));
                if !known.contains_key(&key) {
                    order.push(key.clone());
                }
                match dice.roll(3) {
                    0 => assert_eq!(map.insert(&key, step), known.insert(key, step)),
                    1 => assert_eq!(map.get_or_insert_with(&key, || step), known.entry(key).or_insert(step)),
                    _ => {
                        map.get_or_insert_with(&key, || step);
                        *map.get_mut(&key).unwrap() += 1;
                        *known.entry(key).or_insert(step) += 1;
                    }
                }
            }
            assert_eq!((map.len(), map.is_empty()), (known.len(), known.is_empty()));
            assert!(map.iter().map(|(key, _)| key).eq(order.iter().map(String::as_str)));
            assert!(map.iter().all(|(key, value)| known[key] == *value));
            assert!(map.values().eq(order.iter().map(|key| &known[key])));
        }
    }

    #[test]
    fn short_keys() {
        holds_what_a_hash_map_holds(|dice| {
            (0..dice.roll(5)).map(|_| ["a", "b", "\0", "é", "\u{10ffff}"][dice.roll(5)]).collect()
        });
    }

    #[test]
    fn keys_that_begin_each_other() {
        holds_what_a_hash_map_holds(|dice| "ab".repeat(dice.roll(40)) + ["", "a", "\0"][dice.roll(3)]);
    }

    #[test]
    fn numbered_keys() {
        holds_what_a_hash_map_holds(|dice| format!("note {}", dice.roll(300)));
    }

    #[test]
    fn any_two_characters() {
        holds_what_a_hash_map_holds(|dice| {
            (0..2).filter_map(|_| char::from_u32(dice.roll(0x11_0000) as u32)).collect()
        });
    }
}
