//! Numbers and strings as bytes: LEB128, and a length before UTF-8. What is read may be anything.

use crate::Error;

pub(crate) fn put_number(out: &mut Vec<u8>, mut n: usize) {
    while n >= 0x80 {
        out.push((n as u8) | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

pub(crate) fn put_string(out: &mut Vec<u8>, s: &str) {
    put_number(out, s.len());
    out.extend_from_slice(s.as_bytes());
}

/// What is left to read.
#[derive(Debug, Clone)]
pub(crate) struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    pub fn byte(&mut self) -> Result<u8, Error> {
        let (first, rest) = self.0.split_first().ok_or(Error::Truncated)?;
        self.0 = rest;
        Ok(*first)
    }

    pub fn number(&mut self) -> Result<usize, Error> {
        let mut n: u64 = 0;
        // Five groups of seven bits: a list's first number has nine digits.
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            n |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return usize::try_from(n).map_err(|_| Error::Number);
            }
        }
        Err(Error::Number)
    }

    pub fn string(&mut self) -> Result<&'a str, Error> {
        let len = self.number()?;
        let (head, rest) = self.0.split_at_checked(len).ok_or(Error::Truncated)?;
        self.0 = rest;
        std::str::from_utf8(head).map_err(|_| Error::Utf8)
    }
}
