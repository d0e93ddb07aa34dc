//! What labels mean: links and footnotes that were defined, and the numbers of footnotes.

use std::collections::{HashMap, HashSet};

use riacho_index::folded;

/// A label as the parser compares it: folded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    Link(String),
    Note(String),
}

impl Key {
    pub fn link(label: &str) -> Key {
        Key::Link(folded(label))
    }

    pub fn note(label: &str) -> Key {
        Key::Note(folded(label))
    }
}

/// The definitions and footnotes of the finished part of a document.
#[derive(Debug, Default)]
pub struct Labels {
    links: HashMap<String, (String, String)>,
    notes: HashSet<String>,
    numbers: Numbers,
}

impl Labels {
    pub fn link(&self, label: &str) -> Option<(&str, &str)> {
        if self.links.is_empty() {
            return None;
        }
        self.links.get(&folded(label)).map(|(dest, title)| (dest.as_str(), title.as_str()))
    }

    /// The first definition of a label counts. Says whether this is it.
    pub fn define_link(&mut self, label: &str, dest: &str, title: &str) -> bool {
        let key = folded(label);
        if self.links.contains_key(&key) {
            return false;
        }
        self.links.insert(key, (dest.to_owned(), title.to_owned()));
        true
    }

    pub fn has_note(&self, label: &str) -> bool {
        !self.notes.is_empty() && self.notes.contains(&folded(label))
    }

    pub fn define_note(&mut self, label: &str) -> bool {
        self.notes.insert(folded(label))
    }

    pub fn has_notes(&self) -> bool {
        !self.notes.is_empty()
    }

    pub fn knows(&self, key: &Key) -> bool {
        match key {
            Key::Link(label) => self.links.contains_key(label),
            Key::Note(label) => self.notes.contains(label),
        }
    }

    pub fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    pub fn numbers_mut(&mut self) -> &mut Numbers {
        &mut self.numbers
    }
}

/// Footnotes are numbered by where they are mentioned first, as reference or as definition.
#[derive(Debug, Default)]
pub struct Numbers {
    /// Each label by where it is mentioned first, sorted: nearly always the last one is the new one.
    order: Vec<(usize, String)>,
    entries: HashMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    first: usize,
    number: usize,
    /// The texts on the page that show it.
    shown: Vec<u32>,
}

impl Numbers {
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn get(&self, label: &str) -> Option<usize> {
        self.entries.get(label).map(|entry| entry.number)
    }

    /// A label is mentioned at `at`.
    pub fn mention(&mut self, label: &str, at: usize) -> Moved {
        let number = self.len() + 1;
        if let Some(entry) = self.entries.get_mut(label) {
            if entry.first <= at {
                return Moved::default();
            }
            entry.first = at;
            self.order.retain(|(_, known)| known != label);
        } else {
            let entry = Entry { first: at, number, shown: Vec::new() };
            self.entries.insert(label.to_owned(), entry);
        }
        let place = self.order.partition_point(|(first, _)| *first < at);
        self.order.insert(place, (at, label.to_owned()));
        self.renumber(place)
    }

    /// Counts again from this place of the order on.
    fn renumber(&mut self, place: usize) -> Moved {
        let mut moved = Moved::default();
        for (at, (_, label)) in self.order.iter().enumerate().skip(place) {
            if let Some(entry) = self.entries.get_mut(label)
                && entry.number != at + 1
            {
                entry.number = at + 1;
                moved.texts.extend(entry.shown.iter().map(|&id| (id, at + 1)));
            }
        }
        moved
    }

    pub fn show(&mut self, label: &str, id: u32) {
        if let Some(entry) = self.entries.get_mut(label) {
            entry.shown.push(id);
        }
    }

    pub fn hide(&mut self, label: &str, id: u32) {
        if let Some(entry) = self.entries.get_mut(label) {
            entry.shown.retain(|shown| *shown != id);
        }
    }
}

/// Texts on the page that show another number now.
#[derive(Debug, Default)]
pub struct Moved {
    pub texts: Vec<(u32, usize)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_first_mention() {
        let mut numbers = Numbers::default();
        assert!(numbers.mention("b", 20).texts.is_empty());
        assert!(numbers.mention("c", 30).texts.is_empty());
        numbers.show("b", 7);
        numbers.show("c", 8);
        assert_eq!(numbers.mention("a", 10).texts, [(7, 2), (8, 3)]);
        assert_eq!(numbers.get("a"), Some(1));
        numbers.mention("c", 5);
        assert_eq!((numbers.get("c"), numbers.get("a"), numbers.get("b")), (Some(1), Some(2), Some(3)));
    }

    #[test]
    fn the_first_definition_counts() {
        let mut labels = Labels::default();
        assert!(labels.define_link("Foo", "/a", ""));
        assert!(!labels.define_link("FOO", "/b", ""));
        assert_eq!(labels.link("foo"), Some(("/a", "")));
    }
}
