//! Small letters, by the table of case folding that the labels need: one more table would be 6 KB of download.

use riacho_index::fold;

use crate::core::pattern::put;

/// Each character's small letter; the same as `char::to_lowercase`, whatever stands beside it.
pub fn lower(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            _ if c.is_ascii() => put(&mut out, c.to_ascii_lowercase()),
            // Small letters that fold to others, as `ß` to `ss`.
            'µ'
            | 'ß'
            | 'ŉ'
            | 'ſ'
            | 'ǰ'
            | '\u{345}'
            | 'ΐ'
            | 'ΰ'
            | 'ς'
            | 'ϐ'..='ϖ'
            | 'ϰ'
            | 'ϱ'
            | 'ϵ'
            | 'և'
            | '\u{13f8}'..='\u{13fd}'
            | '\u{1c80}'..='\u{1c88}'
            | '\u{1e96}'..='\u{1e9b}'
            | '\u{1f50}'..='\u{1f57}'
            | '\u{1f80}'..='\u{1f87}'
            | '\u{1f90}'..='\u{1f97}'
            | '\u{1fa0}'..='\u{1fa7}'
            | '\u{1fb2}'..='\u{1fb7}'
            | '\u{1fbe}'
            | '\u{1fc2}'..='\u{1fc7}'
            | '\u{1fd2}'..='\u{1fd7}'
            | '\u{1fe2}'..='\u{1fe7}'
            | '\u{1ff2}'..='\u{1ff7}'
            | '\u{ab70}'..='\u{abbf}'
            | '\u{fb00}'..='\u{fb17}' => put(&mut out, c),
            // Cherokee folds to its capitals.
            '\u{13a0}'..='\u{13ef}' => put(&mut out, shifted(c, 0xab70 - 0x13a0)),
            '\u{13f0}'..='\u{13f5}' => put(&mut out, shifted(c, 8)),
            'ẞ' => put(&mut out, 'ß'),
            // Capitals with an iota beside them fold to two letters, and have one small letter.
            '\u{1f88}'..='\u{1faf}' => put(&mut out, shifted(c, -8)),
            '\u{1fbc}' | '\u{1fcc}' | '\u{1ffc}' => put(&mut out, shifted(c, -9)),
            _ => fold(c.encode_utf8(&mut [0; 4]), &mut out),
        }
    }
    out
}

fn shifted(c: char, by: i32) -> char {
    u32::from(c).checked_add_signed(by).and_then(char::from_u32).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::lower;

    #[test]
    fn every_character_becomes_what_the_standard_library_says() {
        for c in '\0'..=char::MAX {
            let expected: String = c.to_lowercase().collect();
            // The table is of a newer Unicode than the library's, which knows no letter there.
            if c.is_alphabetic()
                || !matches!(c, '\u{ab6c}' | '\u{ab6d}' | '\u{a7dd}' | '\u{a7e2}' | '\u{1df40}'..='\u{1df95}')
            {
                assert_eq!(lower(&c.to_string()), expected, "{:x}", u32::from(c));
            }
        }
        assert_eq!(lower("ÀÉ Straße ΟΔΟΣ"), "àé straße οδοσ");
    }
}
