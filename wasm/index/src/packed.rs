//! Tables of numbers: packed when they are compiled, since small distances are little to download, and unpacked when
//! they are first asked for.

use std::sync::OnceLock;

/// Numbers as LEB128.
#[derive(Debug)]
pub struct Packed {
    bytes: &'static [u8],
    /// Of so many numbers, the first is a distance from the one before.
    every: usize,
    numbers: OnceLock<Vec<u32>>,
}

impl Packed {
    /// From what [`pack`] made. The first of every so many numbers is how far it is from the one before.
    pub const fn new(bytes: &'static [u8], every: usize) -> Packed {
        Packed { bytes, every, numbers: OnceLock::new() }
    }

    pub fn numbers(&self) -> &[u32] {
        self.numbers.get_or_init(|| self.unpacked())
    }

    #[inline(never)]
    fn unpacked(&self) -> Vec<u32> {
        let mut numbers = Vec::new();
        let (mut number, mut shift, mut before) = (0, 0, 0);
        for byte in self.bytes {
            number |= u32::from(byte & 0x7f) << shift;
            shift += 7;
            if *byte < 0x80 {
                if numbers.len() % self.every == 0 {
                    number += before;
                    before = number;
                }
                numbers.push(number);
                (number, shift) = (0, 0);
            }
        }
        numbers
    }
}

/// As many bytes as [`pack`] makes.
pub const fn packed_length(numbers: &[u32]) -> usize {
    let (mut length, mut at) = (0, 0);
    while at < numbers.len() {
        length += 1;
        let mut rest = numbers[at] >> 7;
        while rest > 0 {
            length += 1;
            rest >>= 7;
        }
        at += 1;
    }
    length
}

/// What a [`Packed`] is made of.
pub const fn pack<const LENGTH: usize>(numbers: &[u32]) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    let (mut length, mut at) = (0, 0);
    while at < numbers.len() {
        let mut rest = numbers[at];
        while rest >= 0x80 {
            bytes[length] = rest as u8 | 0x80;
            length += 1;
            rest >>= 7;
        }
        bytes[length] = rest as u8;
        length += 1;
        at += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::{Packed, pack, packed_length};

    const NUMBERS: [u32; 9] = [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 0x10_ffff, 3, u32::MAX];

    #[test]
    fn numbers_come_back() {
        static BYTES: [u8; packed_length(&NUMBERS)] = pack(&NUMBERS);
        let same = Packed::new(&BYTES, 100);
        assert_eq!(same.numbers(), NUMBERS);
        let thirds = Packed::new(&BYTES, 3);
        assert_eq!(thirds.numbers(), [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 0x10_ffff + 0x80, 3, u32::MAX]);
    }
}
