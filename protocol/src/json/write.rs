//! JSON text from values, piece by piece. What comes out has no blanks and no line breaks.

use super::{Fields, ToJson, cut};

/// How the names of fields are spelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Snake,
    Camel,
}

/// The text so far. A comma is written where one is needed.
#[derive(Debug)]
pub struct Writer {
    text: String,
    case: Case,
}

impl Writer {
    pub(super) fn snake() -> Self {
        Self { text: String::new(), case: Case::Snake }
    }

    pub(super) fn camel() -> Self {
        Self { text: String::new(), case: Case::Camel }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    /// Begins an object or a list.
    pub fn open(&mut self, bracket: char) {
        self.text.push(bracket);
    }

    /// Ends it.
    pub fn close(&mut self, bracket: char) {
        self.text.push(bracket);
    }

    /// A struct, as an object.
    pub fn record(&mut self, fields: &dyn Fields) {
        self.open('{');
        fields.write_fields(self);
        self.close('}');
    }

    /// Fields of the object that is open, but for those that are left out. Behind each name stands a blank.
    pub fn fields(&mut self, names: &str, values: &[&dyn ToJson]) {
        let mut names = names;
        for value in values {
            let Some((name, rest)) = cut(names, b' ') else { return };
            self.field(name, *value);
            names = rest;
        }
    }

    /// One field of the object that is open, unless it is left out.
    pub fn field(&mut self, name: &str, value: &dyn ToJson) {
        if !value.is_left_out() {
            self.nullable(name, value);
        }
    }

    /// One field of the object that is open; `null` where it would be left out.
    pub fn nullable(&mut self, name: &str, value: &dyn ToJson) {
        self.comma();
        self.text.push('"');
        match self.case {
            Case::Snake => self.text.push_str(name),
            Case::Camel => self.camel_name(name),
        }
        self.text.push_str("\":");
        value.write(self);
    }

    /// One field whose name is data: it is written as it is.
    pub fn entry(&mut self, name: &str, value: &dyn ToJson) {
        self.comma();
        self.string(name);
        self.text.push(':');
        value.write(self);
    }

    /// One item of the list that is open.
    pub fn item(&mut self, value: &dyn ToJson) {
        self.comma();
        value.write(self);
    }

    /// JSON as it is.
    pub(crate) fn raw(&mut self, json: &str) {
        self.text.push_str(json);
    }

    pub(super) fn number(&mut self, number: u64) {
        push_decimal(&mut self.text, number);
    }

    /// A string: quotes, backslashes and control characters are escaped, and nothing else.
    pub fn string(&mut self, string: &str) {
        self.text.push('"');
        let mut plain = 0;
        for (at, byte) in string.bytes().enumerate() {
            let escaped = match byte {
                b'"' => '"',
                b'\\' => '\\',
                b'\n' => 'n',
                b'\r' => 'r',
                b'\t' => 't',
                0x08 => 'b',
                0x0c => 'f',
                0..0x20 => 'u',
                _ => continue,
            };
            self.text.push_str(string.get(plain..at).unwrap_or_default());
            self.text.push('\\');
            self.text.push(escaped);
            if escaped == 'u' {
                self.text.push_str("00");
                for digit in [byte >> 4, byte & 15] {
                    self.text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
                }
            }
            plain = at + 1;
        }
        self.text.push_str(string.get(plain..).unwrap_or_default());
        self.text.push('"');
    }

    /// Behind a value comes a comma; behind what opens, nothing.
    fn comma(&mut self) {
        if !matches!(self.text.as_bytes().last(), Some(b'{' | b'[')) {
            self.text.push(',');
        }
    }

    fn camel_name(&mut self, name: &str) {
        let mut begins_word = false;
        for letter in name.chars() {
            if letter != '_' {
                self.text.push(if begins_word { letter.to_ascii_uppercase() } else { letter });
            }
            begins_word = letter == '_';
        }
    }
}

/// By hand: the standard library's way brings widths, fills and signs.
fn push_decimal(text: &mut String, number: u64) {
    if number >= 10 {
        push_decimal(text, number / 10);
    }
    text.push(char::from(b'0' + (number % 10) as u8));
}

/// A whole number in decimal digits.
#[must_use]
pub fn decimal(number: u64) -> String {
    let mut text = String::new();
    push_decimal(&mut text, number);
    text
}
