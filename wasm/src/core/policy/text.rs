//! Text that lies: characters that turn around what is read, that hide in it, or that pile up unseen.
//!
//! - Embeddings, overrides and isolates of the bidirectional algorithm (U+202A to 202E, U+2066 to 2069) become U+FFFD.
//!   Ordinary right-to-left text takes its direction from its letters and needs none of them; the marks that it does
//!   use (U+200E, U+200F, U+061C) stay.
//! - Control characters other than tab and line ends become U+FFFD, as U+0000 does in HTML: some browsers show nothing for
//!   them, and a terminal obeys them.
//! - Tag characters (U+E0000 to E007F) become U+FFFD, but for the three flags that Unicode recommends: England,
//!   Scotland and Wales.
//! - Of a run of characters that take no room, the first [`MOST_UNSEEN`] stay. An emoji sequence never has more.
//!
//! A filter looks at one character after the other and is the same however the text is cut.

use std::borrow::Cow;

use crate::core::pattern::put;

/// How many characters without a width may follow each other.
pub const MOST_UNSEEN: u8 = 4;

const FLAG: char = '\u{1f3f4}';
const CANCEL: char = '\u{e007f}';
/// What stands between the black flag and the cancel tag, as ASCII.
const FLAGS: [&str; 3] = ["gbeng", "gbsct", "gbwls"];

/// Makes text honest that comes in pieces.
#[derive(Debug, Default, Clone)]
pub struct Filter {
    /// Characters without a width at the end of what was let through.
    unseen: u8,
    /// After a black flag: the tags behind it that may still become a flag. They are held back.
    flag: Option<String>,
}

impl Filter {
    #[cfg_attr(riacho_module, optimize(speed))]
    pub fn push(&mut self, piece: &str, out: &mut String) {
        if is_plain(piece) && self.flag.is_none() {
            if !piece.is_empty() {
                self.unseen = 0;
                out.push_str(piece);
            }
            return;
        }
        for c in piece.chars() {
            self.step(c, out);
        }
    }

    /// Nothing follows: what was held back is no flag.
    pub fn end(&mut self, out: &mut String) {
        for _ in self.flag.take().unwrap_or_default().chars() {
            put(out, char::REPLACEMENT_CHARACTER);
        }
    }

    /// One of several texts that stand side by side in one node. `None` if it is honest as it is.
    #[cfg_attr(riacho_module, optimize(speed))]
    pub fn part(&mut self, text: &str) -> Option<String> {
        if is_plain(text) || !text.chars().any(|c| lies(c) || is_unseen(c)) {
            if !text.is_empty() {
                self.unseen = 0;
            }
            return None;
        }
        let mut out = String::with_capacity(text.len());
        self.push(text, &mut out);
        self.end(&mut out);
        Some(out)
    }

    fn step(&mut self, c: char, out: &mut String) {
        if let Some(mut tags) = self.flag.take() {
            if c == CANCEL && FLAGS.contains(&tags.as_str()) {
                for tag in tags.chars().filter_map(|c| char::from_u32(0xe0000 + u32::from(c))) {
                    put(out, tag);
                }
                put(out, CANCEL);
                return;
            }
            let held = tags.len();
            if let Some(letter) = letter(c) {
                tags.push(letter);
                if FLAGS.iter().any(|flag| flag.starts_with(&tags)) {
                    self.flag = Some(tags);
                    return;
                }
            }
            (0..held).for_each(|_| put(out, char::REPLACEMENT_CHARACTER));
        }
        if lies(c) {
            self.unseen = 0;
            put(out, char::REPLACEMENT_CHARACTER);
        } else if is_unseen(c) {
            if self.unseen < MOST_UNSEEN {
                self.unseen += 1;
                put(out, c);
            }
        } else {
            self.unseen = 0;
            put(out, c);
            if c == FLAG {
                self.flag = Some(String::new());
            }
        }
    }
}

/// Makes a whole text honest.
pub fn honest(text: &str) -> Cow<'_, str> {
    Filter::default().part(text).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// The text without what takes no room.
#[cfg_attr(riacho_module, optimize(speed))]
pub fn seen(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.chars().any(is_unseen) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|&c| !is_unseen(c)) {
        put(&mut out, c);
    }
    Cow::Owned(out)
}

/// Reorders the text around it, is an invisible copy of ASCII, or no character that is shown.
#[cfg_attr(riacho_module, optimize(speed))]
fn lies(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        '\0'..='\u{9f}' => !matches!(c, ' '..='~'),
        _ => {
            c >= '\u{202a}'
                && matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}')
        }
    }
}

/// ASCII, and nothing in it lies.
#[cfg_attr(riacho_module, optimize(speed))]
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~'))
}

/// Seen where it stands.
pub fn is_honest(c: char) -> bool {
    !lies(c) && !is_unseen(c)
}

fn letter(tag: char) -> Option<char> {
    let letter = char::from_u32(u32::from(tag).checked_sub(0xe0000)?)?;
    letter.is_ascii_lowercase().then_some(letter)
}

/// Takes no room of its own. Combining marks do not count: they are seen.
#[cfg_attr(riacho_module, optimize(speed))]
fn is_unseen(c: char) -> bool {
    // Most letters are looked at once, by this alone.
    if c < '\u{34f}' {
        return c == '\u{ad}';
    }
    matches!(c,
        '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2065}'
        | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffc}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0080}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCOTLAND: &str = "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}";

    /// The same at every cut.
    fn check(text: &str, expected: &str) {
        assert_eq!(honest(text), expected, "{text:?}");
        assert_eq!(honest(expected), expected, "twice: {text:?}");
        for (at, _) in text.char_indices() {
            let (mut out, mut filter) = (String::new(), Filter::default());
            filter.push(&text[..at], &mut out);
            filter.push(&text[at..], &mut out);
            filter.end(&mut out);
            assert_eq!(out, expected, "{text:?} cut at {at}");
        }
    }

    #[test]
    fn what_turns_text_around_is_seen() {
        for c in ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}') {
            check(&format!("user{c}nimda"), "user\u{fffd}nimda");
        }
    }

    #[test]
    fn controls_are_seen() {
        for c in ('\0'..='\u{1f}').chain('\u{7f}'..='\u{9f}').filter(|c| !"\t\n\r".contains(*c)) {
            check(&format!("a{c}b"), "a\u{fffd}b");
            check(&format!("é{c}"), "é\u{fffd}");
        }
        check("\t\n\r ~", "\t\n\r ~");
    }

    #[test]
    fn ordinary_text_is_left_alone() {
        for text in [
            "",
            "plain",
            "שלום, world! 12:30\u{200f}",
            "مرحبا \u{061c}(1)\u{200e} می\u{200c}خواهم",
            "क्\u{200d}ष ക്\u{200d}",
            "👨\u{200d}👩\u{200d}👧\u{200d}👦 ❤\u{fe0f} 1\u{fe0f}\u{20e3} 👁\u{fe0f}\u{200d}🗨\u{fe0f} 🏴\u{200d}☠\u{fe0f}",
            "🇧🇷 👩🏽\u{200d}🚀",
            SCOTLAND,
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}🏴\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}",
            "Sil\u{ad}ben\u{ad}tren\u{ad}nung",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn tags_are_seen_unless_they_are_a_flag() {
        check("a\u{e0068}\u{e0069}\u{e007f}b", "a\u{fffd}\u{fffd}\u{fffd}b");
        check("🏴\u{e0067}\u{e0062}", "🏴\u{fffd}\u{fffd}");
        check("🏴\u{e0067}\u{e0062}x", "🏴\u{fffd}\u{fffd}x");
        // Texas is no flag that Unicode recommends, and any other word could be written like this.
        check(
            "🏴\u{e0075}\u{e0073}\u{e0074}\u{e0078}\u{e007f}",
            "🏴\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}",
        );
        check(&format!("{SCOTLAND}\u{e0061}"), &format!("{SCOTLAND}\u{fffd}"));
        check("🏴🏴\u{e0067}🏴", "🏴🏴\u{fffd}🏴");
        check("\u{e0001}\u{e0065}", "\u{fffd}\u{fffd}");
    }

    #[test]
    fn unseen_runs_are_capped() {
        for c in "\u{200b}\u{200d}\u{feff}\u{2063}\u{fe0e}\u{e0100}\u{3164}\u{200f}\u{2028}\u{2029}\u{fffc}"
            .chars()
        {
            let run = |n| c.to_string().repeat(n);
            check(&format!("a{}b", run(4)), &format!("a{}b", run(4)));
            check(&format!("a{}b{}", run(500), run(5)), &format!("a{}b{}", run(4), run(4)));
        }
        check("a\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{200b}b", "a\u{200b}\u{200c}\u{200d}\u{2060}b");
    }
}
