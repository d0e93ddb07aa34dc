//! JSON text into values (RFC 8259). Strings without escapes are borrowed; numbers stay text until somebody wants one.

use std::borrow::Cow;
use std::fmt;

use super::{Fault, FromJson, Pairs, cut, decimal};

/// Deeper than anything the wire nests, and shallow enough for any stack.
const MOST_DEEP: u32 = 127;

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    Null,
    Bool(bool),
    /// As it is written.
    Number(&'a str),
    String(Cow<'a, str>),
    Array(Vec<Value<'a>>),
    /// In the order in which they stand; a name may stand twice.
    Object(Pairs<'a>),
}

/// Why a text is no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    Syntax(usize),
    TooDeep(usize),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words())
    }
}

impl Malformed {
    /// What `Display` says, without the machinery that formats.
    #[must_use]
    pub fn words(&self) -> String {
        match *self {
            Malformed::Syntax(at) => ["no JSON from byte ", &decimal(at as u64), " on"].concat(),
            Malformed::TooDeep(at) => ["nested too deep at byte ", &decimal(at as u64)].concat(),
        }
    }
}

impl<'a> Value<'a> {
    /// Reads a whole text.
    ///
    /// # Errors
    /// [`Malformed`] says where it stops being JSON.
    pub fn parse(text: &'a str) -> Result<Self, Malformed> {
        let mut parser = Parser { text, at: 0, depth: 0 };
        let value = parser.value()?;
        parser.blanks();
        if parser.at == text.len() { Ok(value) } else { Err(parser.syntax()) }
    }

    /// The text of a string.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// A number without sign, fraction or exponent.
    #[must_use]
    pub fn whole(&self) -> Option<u64> {
        match self {
            Value::Number(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
            _ => None,
        }
    }

    /// The members of an object.
    ///
    /// # Errors
    /// [`Fault`] when it is none.
    pub fn members(&self) -> Result<Members<'_>, Fault> {
        match self {
            Value::Object(pairs) => Ok(Members(pairs)),
            _ => Err(Fault::expected("an object")),
        }
    }
}

/// The members of an object, for whoever reads them by name.
#[derive(Debug, Clone, Copy)]
pub struct Members<'v>(pub(super) &'v [(Cow<'v, str>, Value<'v>)]);

impl<'v> Members<'v> {
    /// All of them, in the order in which they stand.
    pub fn iter(self) -> impl Iterator<Item = (&'v str, &'v Value<'v>)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// The one of that name.
    ///
    /// # Errors
    /// [`Fault::Twice`]: which of two would be meant is a guess.
    pub fn get(self, name: &'static str) -> Result<Option<&'v Value<'v>>, Fault> {
        let mut found = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value);
        match (found.next(), found.next()) {
            (one, None) => Ok(one),
            (_, Some(_)) => Err(Fault::Twice(name)),
        }
    }

    /// # Errors
    /// [`Fault`] when it is missing, though it must not, or is something else.
    pub fn field<T: FromJson>(self, name: &'static str) -> Result<T, Fault> {
        let mut place = T::blank();
        self.put(name, &mut place)?;
        Ok(place)
    }

    /// Reads fields into their places, in this order. Behind each name stands a blank; and before that a question mark where
    /// the field may be missing, whatever it holds.
    ///
    /// # Errors
    /// [`Fault`] when one is missing, though it must not, or is something else.
    pub fn fill(self, names: &'static str, places: &mut [&mut dyn FromJson]) -> Result<(), Fault> {
        let mut names = names;
        for place in places {
            let Some((name, rest)) = cut(names, b' ') else { break };
            names = rest;
            match name.strip_suffix('?') {
                Some(name) if self.get(name)?.is_none() => {}
                marked => self.put(marked.unwrap_or(name), *place)?,
            }
        }
        Ok(())
    }

    /// Reads one field into its place.
    ///
    /// # Errors
    /// As [`field`](Self::field).
    pub fn put(self, name: &'static str, place: &mut dyn FromJson) -> Result<(), Fault> {
        match self.get(name)? {
            Some(value) => place.fill(value).map_err(|fault| fault.within(name)),
            None if place.may_be_missing() => Ok(()),
            None => Err(Fault::Missing(name)),
        }
    }
}

/// Invariant: `at` is at a character's start whenever a slice begins or ends there.
struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn syntax(&self) -> Malformed {
        Malformed::Syntax(self.at)
    }

    fn from(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Whether that byte is next; then it is taken.
    fn takes(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.takes(byte) { Ok(()) } else { Err(self.syntax()) }
    }

    fn value(&mut self) -> Result<Value<'a>, Malformed> {
        self.blanks();
        match self.peek() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(self.syntax()),
        }
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, Malformed> {
        if !self.text.as_bytes().get(self.at..).unwrap_or_default().starts_with(word.as_bytes()) {
            return Err(self.syntax());
        }
        self.at += word.len();
        Ok(value)
    }

    fn nested(
        &mut self,
        inside: fn(&mut Self) -> Result<Value<'a>, Malformed>,
    ) -> Result<Value<'a>, Malformed> {
        if self.depth >= MOST_DEEP {
            return Err(Malformed::TooDeep(self.at));
        }
        self.depth += 1;
        self.at += 1;
        let value = inside(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value<'a>, Malformed> {
        let mut pairs = Vec::new();
        self.blanks();
        if self.takes(b'}') {
            return Ok(Value::Object(pairs));
        }
        loop {
            self.blanks();
            let name = self.string()?;
            self.blanks();
            self.expect(b':')?;
            let value = self.value()?;
            pairs.push((name, value));
            self.blanks();
            if !self.takes(b',') {
                break;
            }
        }
        self.expect(b'}')?;
        Ok(Value::Object(pairs))
    }

    fn array(&mut self) -> Result<Value<'a>, Malformed> {
        let mut items = Vec::new();
        self.blanks();
        if self.takes(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value()?);
            self.blanks();
            if !self.takes(b',') {
                break;
            }
        }
        self.expect(b']')?;
        Ok(Value::Array(items))
    }

    fn number(&mut self) -> Result<Value<'a>, Malformed> {
        let start = self.at;
        self.takes(b'-');
        // A zero in front stands alone.
        if !self.takes(b'0') {
            self.digits()?;
        }
        if self.takes(b'.') {
            self.digits()?;
        }
        if self.takes(b'e') || self.takes(b'E') {
            let _ = self.takes(b'+') || self.takes(b'-');
            self.digits()?;
        }
        Ok(Value::Number(self.from(start)))
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(self.syntax()) }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Malformed> {
        self.expect(b'"')?;
        let mut unescaped = String::new();
        loop {
            let start = self.at;
            while self.peek().is_some_and(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
                self.at += 1;
            }
            let plain = self.from(start);
            if self.takes(b'"') {
                if unescaped.is_empty() {
                    return Ok(Cow::Borrowed(plain));
                }
                unescaped.push_str(plain);
                return Ok(Cow::Owned(unescaped));
            }
            self.expect(b'\\')?;
            unescaped.push_str(plain);
            unescaped.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Result<char, Malformed> {
        let escape = self.peek().ok_or(self.syntax())?;
        let unescaped = match escape {
            b'"' | b'\\' | b'/' => char::from(escape),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.at += 1;
                return self.unicode();
            }
            _ => return Err(self.syntax()),
        };
        self.at += 1;
        Ok(unescaped)
    }

    /// Behind `\u`: one unit of UTF-16, or the two halves of a pair. A half by itself is no character.
    fn unicode(&mut self) -> Result<char, Malformed> {
        let start = self.at;
        let first = self.unit()?;
        let code = if (0xd800..0xdc00).contains(&first) {
            self.expect(b'\\')?;
            self.expect(b'u')?;
            let second = self.unit()?;
            if !(0xdc00..0xe000).contains(&second) {
                return Err(Malformed::Syntax(start));
            }
            0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
        } else {
            first
        };
        char::from_u32(code).ok_or(Malformed::Syntax(start))
    }

    fn unit(&mut self) -> Result<u32, Malformed> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16)).ok_or(self.syntax())?;
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }
}
