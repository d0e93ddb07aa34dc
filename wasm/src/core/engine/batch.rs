//! The operations that go to the page: numbers in one vector, all their text in one string.
//!
//! A batch crosses the border once: the numbers as they are, the string decoded once and cut by lengths in UTF-16
//! units. `wasm/src/edge/render.js` is the interpreter; the two files change together.
//!
//! Nodes have ids that the engine gives and takes back. Parent 0 is the container. A node is placed after `prev`, or
//! first in its parent if that is 0.

/// The kinds of operation, each with its operands. A `len` takes that many UTF-16 units from the string.
pub mod op {
    /// `code len`: names an element or attribute for the rest of the engine's life.
    pub const NAME: u32 = 1;
    /// `id name parent prev`
    pub const ELEMENT: u32 = 2;
    /// `id parent prev len`
    pub const TEXT: u32 = 3;
    /// `id len`: text at the end of a text.
    pub const APPEND: u32 = 4;
    /// `id keep len`: the first `keep` units stay, then this.
    pub const SPLICE: u32 = 5;
    /// `id name len`
    pub const ATTRIBUTE: u32 = 6;
    /// `id name`
    pub const NO_ATTRIBUTE: u32 = 7;
    /// `id`: out of the page, with what is in it. The ids in it are forgotten one by one.
    pub const REMOVE: u32 = 8;
    /// `id`: it stays in the page, nobody will name it again.
    pub const FORGET: u32 = 9;
    /// `id name first last`: a new element in the place of `first`, around `first` to `last`.
    pub const WRAP: u32 = 10;
}

/// Operations that wait for the page.
#[derive(Debug, Default, Clone)]
pub struct Batch {
    pub ops: Vec<u32>,
    /// The text of all of them. The lengths in `ops` are UTF-16 units.
    pub strings: String,
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Empties it; the buffers stay.
    pub fn clear(&mut self) {
        self.ops.clear();
        self.strings.clear();
    }
}

/// The engine's own effort, the same on every machine.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// Bytes given to the parsers, and to the sanitiser.
    pub scanned: u64,
    /// Nodes built or compared.
    pub compared: u64,
    /// Operations, and the bytes of text they carry.
    pub operations: u64,
    /// What of all this was re-reading one long leaf as a whole: rare, and paid for by the text in between.
    pub amortised: u64,
}

impl Work {
    pub fn total(self) -> u64 {
        self.scanned + self.compared + self.operations
    }
}

/// Writes operations and gives out ids.
#[derive(Debug, Default)]
pub struct Pen {
    pub batch: Batch,
    pub work: Work,
    names: Vec<&'static str>,
    free: Vec<u32>,
    last: u32,
}

/// The length of text as JavaScript counts it.
#[cfg_attr(riacho_module, optimize(speed))]
pub fn units(text: &str) -> u32 {
    // One for each character, two for those beyond the first plane: a byte that goes on one counts for nothing.
    let units = if text.is_ascii() {
        text.len()
    } else {
        text.bytes().map(|b| usize::from(b & 0xc0 != 0x80) + usize::from(b >= 0xf0)).sum()
    };
    u32::try_from(units).unwrap_or(u32::MAX)
}

impl Pen {
    #[cfg_attr(riacho_module, optimize(speed))]
    fn write(&mut self, ops: &[u32]) {
        self.work.operations += 1;
        self.batch.ops.extend_from_slice(ops);
    }

    #[cfg_attr(riacho_module, optimize(speed))]
    fn string(&mut self, text: &str) -> u32 {
        self.work.operations += text.len() as u64;
        self.batch.strings.push_str(text);
        units(text)
    }

    #[cfg_attr(riacho_module, optimize(speed))]
    fn name(&mut self, name: &'static str) -> u32 {
        let found = self.names.iter().position(|n| *n == name);
        let at = found.unwrap_or_else(|| {
            let len = self.string(name);
            self.names.push(name);
            let at = self.names.len() - 1;
            self.write(&[op::NAME, u32::try_from(at).unwrap_or(0), len]);
            at
        });
        u32::try_from(at).unwrap_or(0)
    }

    #[cfg_attr(riacho_module, optimize(speed))]
    fn id(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.last += 1;
            self.last
        })
    }

    #[cfg_attr(riacho_module, optimize(speed))]
    pub fn element(&mut self, name: &'static str, parent: u32, prev: u32) -> u32 {
        let (name, id) = (self.name(name), self.id());
        self.write(&[op::ELEMENT, id, name, parent, prev]);
        id
    }

    #[cfg_attr(riacho_module, optimize(speed))]
    pub fn text(&mut self, text: &str, parent: u32, prev: u32) -> u32 {
        let (len, id) = (self.string(text), self.id());
        self.write(&[op::TEXT, id, parent, prev, len]);
        id
    }

    #[cfg_attr(riacho_module, optimize(speed))]
    pub fn append(&mut self, id: u32, text: &str) {
        let len = self.string(text);
        self.write(&[op::APPEND, id, len]);
    }

    pub fn splice(&mut self, id: u32, keep: u32, text: &str) {
        let len = self.string(text);
        self.write(&[op::SPLICE, id, keep, len]);
    }

    #[cfg_attr(riacho_module, optimize(speed))]
    pub fn attribute(&mut self, id: u32, name: &'static str, value: &str) {
        let name = self.name(name);
        let len = self.string(value);
        self.write(&[op::ATTRIBUTE, id, name, len]);
    }

    pub fn no_attribute(&mut self, id: u32, name: &'static str) {
        let name = self.name(name);
        self.write(&[op::NO_ATTRIBUTE, id, name]);
    }

    pub fn remove(&mut self, id: u32) {
        self.write(&[op::REMOVE, id]);
    }

    pub fn forget(&mut self, id: u32) {
        self.write(&[op::FORGET, id]);
        self.free.push(id);
    }

    pub fn wrap(&mut self, name: &'static str, first: u32, last: u32) -> u32 {
        let (name, id) = (self.name(name), self.id());
        self.write(&[op::WRAP, id, name, first, last]);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_utf_16() {
        for text in ["", "a", "é", "漢字", "a🐟b", "🐟"] {
            assert_eq!(units(text) as usize, text.encode_utf16().count(), "{text}");
        }
    }
}
