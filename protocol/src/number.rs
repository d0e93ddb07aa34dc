//! A decimal number that only passes through: as its text it is never rounded, and nobody needs the code that reads and
//! writes floats.

use crate::json::{Fault, FromJson, ToJson, Value, Writer};

/// A number as JSON writes it, such as `0.7` or `1e-7`. Two are equal when they are written alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number(Box<str>);

/// More than any float needs to be written in full.
const MOST_BYTES: usize = 32;

impl Number {
    /// `None` when it is no JSON number, or too long to be meant.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        match Value::parse(text) {
            Ok(Value::Number(number)) if number.len() <= MOST_BYTES => Some(Self(number.into())),
            _ => None,
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The nearest float; `None` when it is beyond the largest.
    #[must_use]
    pub fn to_f64(&self) -> Option<f64> {
        self.0.parse().ok().filter(|number: &f64| number.is_finite())
    }
}

impl ToJson for Number {
    fn write(&self, out: &mut Writer) {
        out.raw(&self.0);
    }
}

impl FromJson for Number {
    fn blank() -> Self {
        Self(Box::default())
    }

    fn fill(&mut self, value: &Value<'_>) -> Result<(), Fault> {
        match value {
            Value::Number(number) if number.len() <= MOST_BYTES => self.0 = (*number).into(),
            _ => return Err(Fault::expected("a number of at most 32 characters")),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_what_json_calls_one() {
        for text in ["0", "-0.5", "1e-7", "1e+21", "0.30000000000000004"] {
            assert_eq!(Number::new(text).map(|n| n.as_str().to_owned()), Some(text.to_owned()));
        }
        for text in ["", "NaN", "Infinity", ".5", "1.", "01", "+1", "0x1", "\"1\"", "1 2", &"1".repeat(33)] {
            assert_eq!(Number::new(text), None, "{text:?}");
        }
        assert_eq!(Number::new("0.25").and_then(|n| n.to_f64()), Some(0.25));
        assert_eq!(Number::new("1e999").and_then(|n| n.to_f64()), None);
    }
}
