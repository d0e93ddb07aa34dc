//! What labels mean: links and footnotes that were defined, and the numbers of footnotes.

use riacho_index::{Map, folded};

/// A link's label, or a footnote's, as the parser compares it: folded, behind a mark of its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    pub fn link(label: &str) -> Key {
        Key(["[", &folded(label)].concat())
    }

    pub fn note(label: &str) -> Key {
        Key(["^", &folded(label)].concat())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The definitions and footnotes of the finished part of a document.
#[derive(Debug, Default)]
pub struct Labels {
    /// By [`Key`]; where a link leads, and its title.
    known: Map<(String, String)>,
    has_links: bool,
    has_notes: bool,
    numbers: Numbers,
}

impl Labels {
    pub fn link(&self, label: &str) -> Option<(&str, &str)> {
        let found = self.has_links.then(|| self.known.get(Key::link(label).as_str()))??;
        Some((&found.0, &found.1))
    }

    /// The first definition of a label counts. Says whether this is it.
    pub fn define_link(&mut self, label: &str, dest: &str, title: &str) -> bool {
        self.has_links = true;
        self.define(&Key::link(label), dest, title)
    }

    pub fn has_note(&self, label: &str) -> bool {
        self.has_notes && self.knows(&Key::note(label))
    }

    pub fn define_note(&mut self, label: &str) -> bool {
        self.has_notes = true;
        self.define(&Key::note(label), "", "")
    }

    pub fn has_notes(&self) -> bool {
        self.has_notes
    }

    pub fn knows(&self, key: &Key) -> bool {
        self.known.contains_key(key.as_str())
    }

    fn define(&mut self, key: &Key, dest: &str, title: &str) -> bool {
        let is_new = !self.knows(key);
        if is_new {
            self.known.insert(key.as_str(), (dest.to_owned(), title.to_owned()));
        }
        is_new
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
    entries: Map<Entry>,
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
            self.entries.insert(label, entry);
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
