//! Whether a text that grows ends in a fenced block of code, and of which language: for events, not for what is shown.
//!
//! It reads each byte once and knows lines, fences and the marks of quotes and lists before them ([CommonMark, section
//! 4.5](https://spec.commonmark.org/0.31.2/#fenced-code-blocks)). It does not know raw HTML, or that an item of a list ends
//! where the indentation does: there the engine may see it otherwise.

use riacho_protocol::json::cut;

/// Characters of a kind.
type Kind = fn(char) -> bool;

const BLANK_OR_QUOTE: Kind = |c| matches!(c, ' ' | '\t' | '>');
const DIGIT: Kind = |c| c.is_ascii_digit();
const IN_LANGUAGE: Kind = |c| !(c.is_whitespace() || matches!(c, ',' | ':' | '{'));

/// What stands behind the characters of a kind. The only search here: those of the standard library are a copy each to
/// download.
fn behind(text: &str, kind: Kind) -> &str {
    let mut rest = text.chars();
    loop {
        let text = rest.as_str();
        if !rest.next().is_some_and(kind) {
            return text;
        }
    }
}

/// A first line that is longer is no fence that anybody meant.
const LONGEST: usize = 1024;

/// The fence that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Open {
    mark: char,
    /// How many marks began it: that many end it.
    count: usize,
    language: String,
    is_quoted: bool,
}

/// Takes the text piece by piece.
#[derive(Debug, Clone, Default)]
pub struct FenceScanner {
    open: Option<Open>,
    /// The line that is not whole, as far as it can matter.
    line: String,
}

impl FenceScanner {
    pub fn push(&mut self, text: &str) {
        let mut rest = text;
        while let Some((line, next)) = cut(rest, b'\n') {
            self.grow(line);
            self.end_line();
            rest = next;
        }
        self.grow(rest);
    }

    /// The text so far, if it ended here, would end in code.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match &self.open {
            Some(open) => !closes(open, &self.line),
            None => opens(&self.line).is_some(),
        }
    }

    /// What stands after the fence, once that line is whole: `rust` of `rust,ignore`.
    #[must_use]
    pub fn language(&self) -> Option<&str> {
        let open = self.open.as_ref().filter(|open| !closes(open, &self.line))?;
        Some(open.language.as_str()).filter(|language| !language.is_empty())
    }

    fn grow(&mut self, text: &str) {
        let room = LONGEST.saturating_sub(self.line.len());
        self.line.push_str(text.get(..text.floor_char_boundary(room)).unwrap_or_default());
    }

    fn end_line(&mut self) {
        self.open = match self.open.take() {
            Some(open) if closes(&open, &self.line) => None,
            // The end of a quote ends what is in it; this line is its own.
            Some(open) if open.is_quoted && !behind(&self.line, char::is_whitespace).starts_with('>') => {
                opens(&self.line)
            }
            Some(open) => Some(open),
            None => opens(&self.line),
        };
        self.line.clear();
    }
}

/// The fence that this line begins.
fn opens(line: &str) -> Option<Open> {
    let (line, is_quoted) = without_containers(line);
    let mark = line.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let count = line.chars().take_while(|c| *c == mark).count();
    let info = line.get(count..)?;
    if count < 3 || (mark == '`' && info.chars().any(|c| c == '`')) {
        return None;
    }
    let word = behind(info, char::is_whitespace);
    let language = word.get(..word.len() - behind(word, IN_LANGUAGE).len())?.to_owned();
    Some(Open { mark, count, language, is_quoted })
}

fn closes(open: &Open, line: &str) -> bool {
    let line = behind(line, BLANK_OR_QUOTE);
    let count = line.chars().take_while(|c| *c == open.mark).count();
    // A mark is one byte.
    count >= open.count && line.get(count..).is_some_and(|rest| rest.chars().all(char::is_whitespace))
}

/// A line without the marks of quotes and lists before its text, and whether there was one of a quote.
fn without_containers(line: &str) -> (&str, bool) {
    let mut rest = behind(line, char::is_whitespace);
    let mut is_quoted = false;
    loop {
        if let Some(inner) = rest.strip_prefix('>') {
            (rest, is_quoted) = (behind(inner, char::is_whitespace), true);
            continue;
        }
        let mut inner = behind(rest, DIGIT).chars();
        let digits = rest.len() - inner.as_str().len();
        let is_mark = match inner.next() {
            Some('-' | '+' | '*') => digits == 0,
            Some('.' | ')') => (1..=9).contains(&digits),
            _ => false,
        };
        if !(is_mark && matches!(inner.as_str().as_bytes().first(), Some(b' ' | b'\t'))) {
            return (rest, is_quoted);
        }
        rest = behind(inner.as_str(), char::is_whitespace);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanned(text: &str) -> FenceScanner {
        let mut scanner = FenceScanner::default();
        scanner.push(text);
        scanner
    }

    #[test]
    fn the_end_of_a_text_is_in_code_or_not() {
        let cases = [
            ("", None),
            ("text", None),
            ("```", Some("")),
            ("```rus", Some("")),
            ("```rust\n", Some("rust")),
            ("```rust,ignore\nfn", Some("rust")),
            ("``` js {1,3}\n", Some("js")),
            ("```\nx\n``", Some("")),
            ("```\nx\n```", None),
            ("```\nx\n```x", Some("")),
            ("````md\n```\n", Some("md")),
            ("````md\n```\n````\n", None),
            ("~~~py\n```\n", Some("py")),
            ("``` a`b\n", None),
            ("``\n", None),
            ("1. one\n   ```py\n   x\n", Some("py")),
            ("- ```py\n  x\n  ```\n", None),
            ("> ```py\n> x\n", Some("py")),
            ("> ```py\n> x\n> ```\n", None),
            ("> ```py\n> x\nout\n", None),
            ("-not a list ```\n", None),
            ("1234567890. ```\n", None),
        ];
        for (text, language) in cases {
            let scanner = scanned(text);
            assert_eq!(scanner.is_open(), language.is_some(), "{text:?}");
            assert_eq!(scanner.language(), language.filter(|language| !language.is_empty()), "{text:?}");
        }
    }

    #[test]
    fn the_cuts_make_no_difference() {
        let text = "a\n```água🐟\nx `` y\n```\n> ~~~\n> z\nb";
        for (at, _) in text.char_indices() {
            let mut pieces = FenceScanner::default();
            text[..at].chars().for_each(|c| pieces.push(c.encode_utf8(&mut [0; 4])));
            let whole = scanned(&text[..at]);
            assert_eq!((pieces.is_open(), pieces.language()), (whole.is_open(), whole.language()), "{at}");
        }
    }

    #[test]
    fn a_line_without_end_is_not_kept() {
        let scanner = scanned(&"água".repeat(10_000));
        assert!(scanner.line.len() <= LONGEST && !scanner.is_open());
    }
}
