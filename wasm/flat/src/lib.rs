//! What crosses between the engine and the sanitiser: the [`question`], the flat tree that answers it, and the words both
//! sides know. Of each one writer and one reader.
//!
//! A tree is a byte string, so that it crosses from one wasm module to the other as one copy:
//!
//! ```text
//! "RF" version=1
//! state        0 = opaque, 1 = plain
//! count, names the elements still open at the end of the input, outermost first
//! nodes        0 text len bytes | 1 name count (name value)* nodes 2
//! ```
//!
//! Numbers are LEB128; strings are a length and UTF-8. The reader never panics: whatever the bytes are, it
//! gives back items or an [`Error`].

// Plain builds have no need of it: xtask sets the cfg.
#![cfg_attr(riacho_module, feature(optimize_attribute))]

mod bytes;
pub mod question;
pub mod words;

use thiserror::Error;

use bytes::{Bytes, put_number, put_string};

const MAGIC: &[u8; 2] = b"RF";
const VERSION: u8 = 1;
const TEXT: u8 = 0;
const START: u8 = 1;
const END: u8 = 2;

/// Why bytes are not a flat tree, or no question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Error {
    #[error("not a flat tree")]
    Magic,
    #[error("a flat tree of another version")]
    Version,
    #[error("the bytes end too early")]
    Truncated,
    #[error("a number is too large")]
    Number,
    #[error("text is not UTF-8")]
    Utf8,
    #[error("an unknown kind")]
    Kind,
    #[error("an element of the flat tree is closed that is not open, or left open")]
    Balance,
}

impl Error {
    /// The stable code, for JavaScript.
    pub fn code(self) -> &'static str {
        match self {
            Error::Magic => "flat_magic",
            Error::Version => "flat_version",
            Error::Truncated => "flat_truncated",
            Error::Number => "flat_number",
            Error::Utf8 => "flat_utf8",
            Error::Kind => "flat_kind",
            Error::Balance => "flat_balance",
        }
    }
}

/// Where the HTML parser stood when the input ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tail {
    /// The stack of open elements is all there is to the parser's state: opening `open` again brings it back.
    /// False if formatting elements wait, or a table, a comment or a script is open.
    pub plain: bool,
    /// The elements that are still open, outermost first; those of the given context end in `*`. Only meaningful if
    /// `plain`.
    pub open: Vec<String>,
}

/// Writes one tree, in document order.
#[derive(Debug)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub fn new(tail: &Tail) -> Writer {
        let mut writer = Writer { bytes: Vec::with_capacity(256) };
        writer.bytes.extend_from_slice(MAGIC);
        writer.bytes.push(VERSION);
        writer.bytes.push(u8::from(tail.plain));
        put_number(&mut writer.bytes, tail.open.len());
        for name in &tail.open {
            put_string(&mut writer.bytes, name);
        }
        writer
    }

    pub fn text(&mut self, text: &str) {
        self.bytes.push(TEXT);
        put_string(&mut self.bytes, text);
    }

    pub fn start<'a>(&mut self, name: &str, attrs: impl ExactSizeIterator<Item = (&'a str, &'a str)>) {
        self.bytes.push(START);
        put_string(&mut self.bytes, name);
        put_number(&mut self.bytes, attrs.len());
        for (name, value) in attrs {
            put_string(&mut self.bytes, name);
            put_string(&mut self.bytes, value);
        }
    }

    pub fn end(&mut self) {
        self.bytes.push(END);
    }

    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// One step through a tree, in document order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item<'a> {
    Text(&'a str),
    Start { name: &'a str, attrs: Vec<(&'a str, &'a str)> },
    End,
}

/// Reads what [`Writer`] wrote, or anything else, without trust.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: Bytes<'a>,
    depth: usize,
    tail: Tail,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Result<Reader<'a>, Error> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(Error::Magic)?;
        let mut reader = Reader { rest: Bytes(rest), depth: 0, tail: Tail::default() };
        if reader.rest.byte()? != VERSION {
            return Err(Error::Version);
        }
        reader.tail.plain = match reader.rest.byte()? {
            0 => false,
            1 => true,
            _ => return Err(Error::Kind),
        };
        for _ in 0..reader.rest.number()? {
            let name = reader.rest.string()?.to_owned();
            reader.tail.open.push(name);
        }
        Ok(reader)
    }

    /// Where the HTML parser stood at the end.
    pub fn tail(&self) -> &Tail {
        &self.tail
    }

    /// The next item; `None` at the end of a whole tree.
    pub fn step(&mut self) -> Result<Option<Item<'a>>, Error> {
        if self.rest.0.is_empty() {
            return if self.depth == 0 { Ok(None) } else { Err(Error::Balance) };
        }
        match self.rest.byte()? {
            TEXT => Ok(Some(Item::Text(self.rest.string()?))),
            START => {
                let name = self.rest.string()?;
                let count = self.rest.number()?;
                let mut attrs = Vec::new();
                for _ in 0..count {
                    attrs.push((self.rest.string()?, self.rest.string()?));
                }
                self.depth += 1;
                Ok(Some(Item::Start { name, attrs }))
            }
            END => {
                self.depth = self.depth.checked_sub(1).ok_or(Error::Balance)?;
                Ok(Some(Item::End))
            }
            _ => Err(Error::Kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let mut w = Writer::new(&Tail { plain: true, open: vec!["details".into()] });
        w.start("p", [("title", "Olá"), ("id", "x")].into_iter());
        w.text(&"long ".repeat(100));
        w.start("br", [].into_iter());
        w.end();
        w.end();
        w.finish()
    }

    fn read(bytes: &[u8]) -> Result<Vec<Item<'_>>, Error> {
        let mut reader = Reader::new(bytes)?;
        let mut items = Vec::new();
        while let Some(item) = reader.step()? {
            items.push(item);
        }
        Ok(items)
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = sample();
        let reader = Reader::new(&bytes).unwrap();
        assert_eq!(reader.tail(), &Tail { plain: true, open: vec!["details".into()] });
        let long = "long ".repeat(100);
        assert_eq!(
            read(&bytes).unwrap(),
            vec![
                Item::Start { name: "p", attrs: vec![("title", "Olá"), ("id", "x")] },
                Item::Text(&long),
                Item::Start { name: "br", attrs: vec![] },
                Item::End,
                Item::End,
            ]
        );
    }

    #[test]
    fn every_truncation_is_an_error() {
        let bytes = sample();
        for len in 0..bytes.len() {
            // The header with no node at all is a whole, empty tree.
            if read(&bytes[..len]).is_ok() {
                assert_eq!(read(&bytes[..len]).unwrap(), vec![]);
            }
        }
    }

    #[test]
    fn every_single_byte_change_is_read_or_refused() {
        let bytes = sample();
        for at in 0..bytes.len() {
            for value in 0..=255 {
                let mut changed = bytes.clone();
                changed[at] = value;
                // Reaching the end without a panic is the point; a good tree must still be balanced.
                if let Ok(items) = read(&changed) {
                    let opened = items.iter().filter(|i| matches!(i, Item::Start { .. })).count();
                    let closed = items.iter().filter(|i| matches!(i, Item::End)).count();
                    assert_eq!(opened, closed);
                }
            }
        }
    }

    #[test]
    fn codes_are_stable() {
        let codes: Vec<_> = [
            Error::Magic,
            Error::Version,
            Error::Truncated,
            Error::Number,
            Error::Utf8,
            Error::Kind,
            Error::Balance,
        ]
        .map(Error::code)
        .into();
        assert_eq!(
            codes,
            [
                "flat_magic",
                "flat_version",
                "flat_truncated",
                "flat_number",
                "flat_utf8",
                "flat_kind",
                "flat_balance"
            ]
        );
    }
}
