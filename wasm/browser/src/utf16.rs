//! JavaScript may cut a surrogate pair between two strings: the first half waits here for the second.

use js_sys::JsString;

/// Invariant: nothing that leaves here ends in half a pair, but for [`Utf16Joiner::rest`].
#[derive(Default)]
pub struct Utf16Joiner {
    high: Option<u16>,
}

impl Utf16Joiner {
    /// The text to go on with: what waited, and all of `text` but a trailing high surrogate.
    pub fn join(&mut self, text: &JsString) -> String {
        let length = text.length();
        let mut out = String::new();
        let mut from = 0;
        if length == 0 {
            return out;
        }
        if let Some(high) = self.high.take() {
            let first = unit(text, 0);
            let pair = char::decode_utf16([high, first]).next();
            match pair {
                Some(Ok(character)) => {
                    out.push(character);
                    from = 1;
                }
                _ => out.push(char::REPLACEMENT_CHARACTER),
            }
        }
        let last = unit(text, length - 1);
        let to = if from < length && (0xD800..0xDC00).contains(&last) {
            self.high = Some(last);
            length - 1
        } else {
            length
        };
        if from == 0 && to == length && out.is_empty() {
            return String::from(text);
        }
        out.push_str(&String::from(text.slice(from, to)));
        out
    }

    pub fn is_waiting(&self) -> bool {
        self.high.is_some()
    }

    /// The end: a half that waited in vain.
    pub fn rest(&mut self) -> Option<char> {
        self.high.take().map(|_| char::REPLACEMENT_CHARACTER)
    }
}

fn unit(text: &JsString, index: u32) -> u16 {
    // In bounds by the callers' checks; NaN, for an index that is not, becomes 0.
    text.char_code_at(index) as u16
}
