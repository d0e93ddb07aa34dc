//! Text: what is cut out of it, and what it is searched for.
//!
//! A cut is a call: the checks of a range are longer than that. Searches are of one type whatever the characters are: each
//! array of another length, and each closure, would be a copy of the standard library's searches to download.

use std::ops::Range;

/// One of these ASCII characters, or one that the function says is.
pub fn any_of_or(set: &'static str, or: fn(char) -> bool) -> impl Fn(char) -> bool + Copy {
    move |c| set.bytes().any(|known| char::from(known) == c) || or(c)
}

/// One of these ASCII characters.
pub fn any_of(set: &'static str) -> impl Fn(char) -> bool + Copy {
    any_of_or(set, |_| false)
}

pub fn such(is: fn(char) -> bool) -> impl Fn(char) -> bool + Copy {
    any_of_or("", is)
}

/// The text up to the first of these characters, or all of it.
pub fn until<'t>(text: &'t str, set: &'static str) -> &'t str {
    text.split(any_of(set)).next().unwrap_or_default()
}

/// Where a text first stands in another.
pub fn find(text: &str, needle: &str) -> Option<usize> {
    text.as_bytes().windows(needle.len().max(1)).position(|window| window == needle.as_bytes())
}

/// A letter, a figure, or a mark on one: what the grammar takes neither for space nor for punctuation. (The standard
/// library's tables of letters are 3 KB of download.)
pub fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    !c.is_whitespace() && !c.is_control() && !pulldown_cmark::is_punctuation(c)
}

/// As [`is_word`], but no ASCII figure.
pub fn is_letter(c: char) -> bool {
    is_word(c) && !c.is_ascii_digit()
}

/// The text from a place on. Nothing, where there is no such place, or a character is around it; so are these all.
#[inline(never)]
pub fn tail_of(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default()
}

/// The text up to a place.
#[inline(never)]
pub fn head_of(text: &str, at: usize) -> &str {
    text.get(..at).unwrap_or_default()
}

#[inline(never)]
pub fn part_of(text: &str, range: Range<usize>) -> &str {
    text.get(range).unwrap_or_default()
}

#[inline(never)]
pub fn first_char(text: &str) -> Option<char> {
    text.chars().next()
}

#[inline(never)]
pub fn last_char(text: &str) -> Option<char> {
    text.chars().next_back()
}

/// Where its last line begins.
#[inline(never)]
pub fn last_line(text: &str) -> usize {
    text.rfind('\n').map_or(0, |at| at + 1)
}

/// `String::push`, which each of its callers would have a copy of.
#[inline(never)]
pub fn put(out: &mut String, c: char) {
    out.push(c);
}

/// A number in figures, without the machinery of formats.
pub fn figures(number: usize) -> String {
    let mut out = String::new();
    let (mut unit, mut rest) = (1, number);
    while number / unit >= 10 {
        unit *= 10;
    }
    while unit > 0 {
        put(&mut out, char::from(b'0' + (rest / unit) as u8));
        (rest, unit) = (rest % unit, unit / 10);
    }
    out
}

/// Without white space at both ends.
pub fn trim(text: &str) -> &str {
    text.trim_matches(such(char::is_whitespace))
}

pub fn trim_end(text: &str) -> &str {
    text.trim_end_matches(such(char::is_whitespace))
}

/// What is behind the figures at the start.
pub fn behind_digits(text: &str) -> &str {
    text.trim_start_matches(any_of("0123456789"))
}

#[cfg(test)]
mod tests {
    use super::{figures, is_word};

    #[test]
    fn numbers_are_written_as_the_standard_library_writes_them() {
        for number in [0, 7, 10, 99, 100, 101, 999_999_999, usize::MAX] {
            assert_eq!(figures(number), number.to_string());
        }
    }

    #[test]
    fn letters_and_figures_are_words_and_marks_are_not() {
        for c in '\0'..=char::MAX {
            // Figures in circles are symbols for the grammar, and some letters too.
            if c.is_alphanumeric() && !pulldown_cmark::is_punctuation(c) {
                assert!(is_word(c), "{c:?}");
            }
        }
        for c in " \n.,-_*`<>[](){}\u{a0}\u{3000}\u{85}。、“”—…«»©→🎉".chars() {
            assert!(!is_word(c), "{c:?}");
        }
        assert!("añção日本語한국어ไทยहिन्दीעבריתعربي٣²".chars().all(is_word));
    }
}
