//! Small letters, by the table of case folding that the labels need: one more table would be 6 KB of download.

use riacho_index::fold;

/// Each character's small letter; the same as `char::to_lowercase`, whatever stands beside it.
pub fn lower(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            _ if c.is_ascii() => out.push(c.to_ascii_lowercase()),
            // Many a small letter folds to another, as `ß` to `ss`.
            _ if c.is_lowercase() => out.push(c),
            // Cherokee folds to its capitals.
            '\u{13a0}'..='\u{13ef}' => out.push(shifted(c, 0xab70 - 0x13a0)),
            '\u{13f0}'..='\u{13f5}' => out.push(shifted(c, 8)),
            'ẞ' => out.push('ß'),
            // Capitals with an iota beside them fold to two letters, and have one small letter.
            '\u{1f88}'..='\u{1faf}' => out.push(shifted(c, -8)),
            '\u{1fbc}' | '\u{1fcc}' | '\u{1ffc}' => out.push(shifted(c, -9)),
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
