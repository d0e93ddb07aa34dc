//! Whether a text that grows ends in a fenced block of code, and of which language: for events, not for what is shown.
//!
//! It reads each byte once and knows lines, fences and the marks of quotes and lists before them ([CommonMark, section
//! 4.5](https://spec.commonmark.org/0.31.2/#fenced-code-blocks)). It does not know raw HTML, or that an item of a list ends
//! where the indentation does: there the engine may see it otherwise.

/// Characters of a kind: of one type, and so one copy of the standard library's searches to download.
type Kind = fn(char) -> bool;

const BLANK: Kind = |c| matches!(c, ' ' | '\t');
const BLANK_OR_QUOTE: Kind = |c| matches!(c, ' ' | '\t' | '>');
const BEHIND_LANGUAGE: Kind = |c| matches!(c, ',' | ':' | '{');

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
        let mut lines = text.split('\n');
        self.grow(lines.next().unwrap_or_default());
        for next in lines {
            self.end_line();
            self.grow(next);
        }
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
        let end = (0..=room.min(text.len())).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
        self.line.push_str(text.get(..end).unwrap_or_default());
    }

    fn end_line(&mut self) {
        self.open = match self.open.take() {
            Some(open) if closes(&open, &self.line) => None,
            // The end of a quote ends what is in it; this line is its own.
            Some(open) if open.is_quoted && !self.line.trim_start().starts_with('>') => opens(&self.line),
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
    let info = line.trim_start_matches(mark);
    let count = line.len() - info.len();
    if count < 3 || (mark == '`' && info.contains('`')) {
        return None;
    }
    let word = info.split_whitespace().next().unwrap_or_default();
    let language = word.split(BEHIND_LANGUAGE).next().unwrap_or_default().to_owned();
    Some(Open { mark, count, language, is_quoted })
}

fn closes(open: &Open, line: &str) -> bool {
    let line = line.trim_start_matches(BLANK_OR_QUOTE).trim_end();
    line.len() >= open.count && line.chars().all(|c| c == open.mark)
}

/// A line without the marks of quotes and lists before its text, and whether there was one of a quote.
fn without_containers(line: &str) -> (&str, bool) {
    let mut rest = line.trim_start();
    let mut is_quoted = false;
    loop {
        if let Some(inner) = rest.strip_prefix('>') {
            (rest, is_quoted) = (inner.trim_start(), true);
            continue;
        }
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let marks: &[char] = if digits == 0 { &['-', '+', '*'] } else { &['.', ')'] };
        let inner = rest.get(digits..).and_then(|rest| rest.strip_prefix(marks));
        match inner.filter(|inner| digits <= 9 && inner.starts_with(BLANK)) {
            Some(inner) => rest = inner.trim_start(),
            None => return (rest, is_quoted),
        }
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
