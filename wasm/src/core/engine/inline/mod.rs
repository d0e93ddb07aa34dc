//! The inline syntax of the leaf that is being written, followed character by character.
//!
//! It knows only what is certain, or what `guess` shows anyway: emphasis, code and links that begin and end plainly. At
//! anything else it gives up, and the leaf is read by the parser. So it never decides what a finished leaf is: the
//! parser reads each one as a whole when its line ends and when it is finished.
//!
//! Nothing here knows the tree or the page.

mod link;

use super::marks::{is_arguments, is_marker};
use crate::core::pattern::{any_of, first_char, head_of, is_word, last_char, part_of, tail_of, trim};

/// A link's text that is longer than this is none, as in `guess`.
const LINK_TEXT: usize = 300;
/// More marks in each other are the parser's business.
const DEPTH: usize = 8;

/// What a mark opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    Emphasis,
    Strong,
    Strike,
    Code,
    Link,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    byte: u8,
    count: usize,
    span: Span,
    /// Behind it in the text.
    at: usize,
}

/// What becomes of the text, in order.
pub trait Sink {
    fn text(&mut self, text: &str);
    fn open(&mut self, span: Span);
    /// The innermost span ends.
    fn close(&mut self);
    /// The innermost span is a link that leads there; it ends. False if it has to be read by the parser.
    fn link(&mut self, dest: &str) -> bool;
    /// The next cell of a row begins.
    fn cell(&mut self);
}

/// Only wants to know how it ends.
struct Nobody;

impl Sink for Nobody {
    fn text(&mut self, _: &str) {}
    fn open(&mut self, _: Span) {}
    fn close(&mut self) {}
    fn link(&mut self, _: &str) -> bool {
        true
    }
    fn cell(&mut self) {}
}

/// Where a leaf stands that is written in one line of a table, or in lines of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    Prose,
    Heading,
    /// A row of so many cells.
    Row {
        cells: usize,
    },
}

#[derive(Debug, Clone)]
pub struct Inline {
    lines: Lines,
    /// Where the leaf begins.
    start: usize,
    /// What is before it is on the page; what is behind it is held back.
    at: usize,
    /// In a URL: how far it has been looked at.
    url: usize,
    cell: usize,
    /// Nothing has been written into this cell.
    empty: bool,
    open: Vec<Mark>,
    /// So many of them, the innermost, have nothing in them yet and are not shown.
    hollow: usize,
    /// The spaces before them, which are shown with what follows.
    gap: usize,
}

/// What stands beside a run of delimiters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Space,
    Punctuation,
    Word,
    Other,
}

impl Side {
    fn of(c: char) -> Side {
        match c {
            _ if c.is_whitespace() => Side::Space,
            _ if c.is_ascii_punctuation() => Side::Punctuation,
            _ if is_word(c) => Side::Word,
            _ => Side::Other,
        }
    }
}

/// What a run of delimiters is, if that is certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    Text,
    Opens,
    /// It closes what it can.
    Closes,
    /// It closes what is open, or who knows.
    ClosesOnly,
}

/// What a step along the text came to.
enum Step {
    /// Go on from there.
    To(usize),
    /// What is from there on waits for more.
    Hold(usize),
    Unknown,
}

impl Inline {
    /// Follows a leaf that begins at `start` to the end of the text. `None` if it can't be followed.
    pub fn read(text: &str, start: usize, lines: Lines) -> Option<Inline> {
        let mut inline = Inline {
            lines,
            start,
            at: start,
            url: 0,
            cell: 0,
            empty: true,
            open: Vec::new(),
            hollow: 0,
            gap: 0,
        };
        inline.follow(text, &mut Nobody, true).then_some(inline)
    }

    /// Up to where the text is on the page.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The spans that are open and shown, outermost first.
    pub fn open(&self) -> impl ExactSizeIterator<Item = Span> {
        self.open.iter().take(self.open.len() - self.hollow).map(|mark| mark.span)
    }

    pub fn cell(&self) -> usize {
        self.cell
    }

    /// Takes what is new in the text. False if it can't be told what that is.
    #[cfg_attr(riacho_module, optimize(speed))]
    pub fn advance(&mut self, text: &str, sink: &mut dyn Sink) -> bool {
        self.follow(text, sink, false)
    }

    /// `again` says that the parser has read this text before.
    #[cfg_attr(riacho_module, optimize(speed))]
    fn follow(&mut self, text: &str, sink: &mut dyn Sink, again: bool) -> bool {
        let bytes = text.as_bytes();
        // Text from here on has not been given out yet.
        let mut from = self.at;
        let mut at = from;
        loop {
            if self.empty && bytes.get(from) == Some(&b' ') {
                (from, at) = (from + 1, at.max(from + 1));
                continue;
            }
            let in_code = self.open.last().is_some_and(|mark| mark.span == Span::Code);
            let Some(&byte) = bytes.get(at) else { return self.hold(text, from, at, sink) };
            let step = match byte {
                b'`' if in_code => self.end_code(text, &mut from, at, sink),
                b'\n' => self.line(text, at, again),
                b'|' if matches!(self.lines, Lines::Row { .. }) => {
                    if in_code || !self.open.is_empty() {
                        return false;
                    }
                    self.put(part_of(text, from..at).trim_end_matches(' '), sink);
                    // A row begins with a bar.
                    if at > self.start {
                        self.cell += 1;
                        sink.cell();
                    }
                    (from, self.empty) = (at + 1, true);
                    Step::To(at + 1)
                }
                _ if in_code || is_calm(byte) => Step::To(at + 1),
                b'*' | b'_' | b'~' => self.delimiters(text, &mut from, at, byte, sink),
                b'`' => self.begin_code(text, &mut from, at, sink),
                b'[' => self.begin_link(text, &mut from, at, again, sink),
                b']' => self.end_link(text, &mut from, at, again, sink),
                b'<' => match bytes.get(at + 1) {
                    None if self.side_before(text, at) != Side::Word => Step::Hold(at),
                    None | Some(b'a'..=b'z' | b'A'..=b'Z' | b'/' | b'!' | b'?') => Step::Unknown,
                    Some(_) => Step::To(at + 1),
                },
                b'&' => match bytes
                    .get(at + 1..)
                    .and_then(|rest| rest.iter().find(|byte| !byte.is_ascii_alphanumeric() && **byte != b'#'))
                {
                    None | Some(b';') => Step::Unknown,
                    Some(_) => Step::To(at + 1),
                },
                b'#' if self.lines != Lines::Heading => Step::To(at + 1),
                _ => Step::Unknown,
            };
            match step {
                Step::To(next) => at = next,
                Step::Hold(at) => return self.hold(text, from, at, sink),
                Step::Unknown => return false,
            }
        }
    }

    /// Gives out what is before `at`, but for spaces at its end.
    #[cfg_attr(riacho_module, optimize(speed))]
    fn hold(&mut self, text: &str, from: usize, at: usize, sink: &mut dyn Sink) -> bool {
        let shown = part_of(text, from..at).trim_end_matches(' ');
        self.put(shown, sink);
        self.at = from + shown.len();
        let too_long = |mark: &Mark| mark.span == Span::Link && at.saturating_sub(mark.at) > LINK_TEXT;
        let surplus = matches!(self.lines, Lines::Row { cells } if self.cell >= cells && !self.empty);
        !surplus && !self.open.iter().any(too_long)
    }

    #[cfg_attr(riacho_module, optimize(speed))]
    fn put(&mut self, text: &str, sink: &mut dyn Sink) {
        if text.is_empty() {
            return;
        }
        for _ in 0..std::mem::take(&mut self.gap) {
            sink.text(" ");
        }
        for mark in self.open.iter().skip(self.open.len() - self.hollow) {
            sink.open(mark.span);
        }
        (self.hollow, self.empty) = (0, false);
        sink.text(text);
    }

    /// A line ends. What comes behind it is the parser's business; until something does that can be told apart, nothing
    /// changes.
    fn line(&self, text: &str, at: usize, again: bool) -> Step {
        let rest = tail_of(text, at);
        let begun = rest.trim_start_matches('\n');
        if begun.is_empty()
            || is_marker(trim(begun)) && !begun.contains('\n') && !begun.starts_with(any_of("`~ "))
        {
            let shaky = self.open.iter().any(|mark| mark.span == Span::Link || rest.len() > 1);
            return if shaky { Step::Unknown } else { Step::Hold(at) };
        }
        let crosses = again
            && self.lines == Lines::Prose
            && !self.open.iter().any(|mark| matches!(mark.span, Span::Link | Span::Code));
        if !crosses {
            return Step::Unknown;
        }
        let prefix = rest.bytes().skip(1).take_while(|byte| matches!(byte, b' ' | b'>')).count();
        Step::To(at + 1 + prefix)
    }

    fn side_before(&self, text: &str, at: usize) -> Side {
        if at == self.start {
            return Side::Space;
        }
        Side::of(last_char(head_of(text, at)).unwrap_or(' '))
    }

    fn delimiters(&mut self, text: &str, from: &mut usize, at: usize, byte: u8, sink: &mut dyn Sink) -> Step {
        let count = run(text, at, byte);
        let behind = at + count;
        let Some(rest) = text.get(behind..) else { return Step::Unknown };
        let Some(after) = first_char(rest) else { return Step::Hold(at) };
        let span = match (byte, count) {
            (b'~', 2) => Span::Strike,
            (b'*' | b'_', 1) => Span::Emphasis,
            (b'*' | b'_', 2) => Span::Strong,
            _ => return Step::Unknown,
        };
        let run = match (self.side_before(text, at), Side::of(after)) {
            (Side::Space, Side::Space) if at == self.start => return Step::Unknown,
            (Side::Space, Side::Space) => Run::Text,
            (Side::Space, _) | (Side::Punctuation, Side::Word) => Run::Opens,
            (_, Side::Space) | (Side::Word, Side::Punctuation) => Run::Closes,
            (Side::Word, Side::Word) if byte == b'_' => Run::Text,
            (Side::Word, Side::Word) | (Side::Punctuation, Side::Punctuation) => Run::ClosesOnly,
            _ => return Step::Unknown,
        };
        let same = |mark: &Mark| mark.byte == byte;
        match run {
            Run::Text => Step::To(behind),
            Run::Opens => {
                let name = rest.split(|c: char| !is_word(c)).next().unwrap_or_default();
                if byte != b'~' && is_arguments(name, name.len() == rest.len()) {
                    return if name.len() == rest.len() { Step::Hold(at) } else { Step::Unknown };
                }
                if self.open.iter().any(|mark| same(mark) && mark.count == count) {
                    return Step::Unknown;
                }
                self.begin(text, from, at, Mark { byte, count, span, at: behind }, sink)
            }
            Run::Closes | Run::ClosesOnly => {
                if self.open.last().is_some_and(|mark| same(mark) && mark.count == count) {
                    if !self.finish(text, from, at, behind, sink) {
                        return Step::Unknown;
                    }
                    sink.close();
                    return Step::To(behind);
                }
                let text = run == Run::Closes && !self.open.iter().any(same);
                if text { Step::To(behind) } else { Step::Unknown }
            }
        }
    }

    fn begin(&mut self, text: &str, from: &mut usize, at: usize, mark: Mark, sink: &mut dyn Sink) -> Step {
        if self.open.len() >= DEPTH {
            return Step::Unknown;
        }
        let before = part_of(text, *from..at);
        let shown = before.trim_end_matches(' ');
        self.put(shown, sink);
        self.gap += before.len() - shown.len();
        self.open.push(mark);
        self.hollow += 1;
        (self.at, *from) = (mark.at, mark.at);
        Step::To(mark.at)
    }

    /// The innermost span ends with what is before `at`; what comes next is at `behind`. False if there is nothing in it.
    fn finish(
        &mut self,
        text: &str,
        from: &mut usize,
        at: usize,
        behind: usize,
        sink: &mut dyn Sink,
    ) -> bool {
        self.put(part_of(text, *from..at), sink);
        if self.hollow > 0 {
            return false;
        }
        self.open.pop();
        (self.at, *from) = (behind, behind);
        true
    }

    fn begin_code(&mut self, text: &str, from: &mut usize, at: usize, sink: &mut dyn Sink) -> Step {
        let count = run(text, at, b'`');
        let behind = at + count;
        match text.as_bytes().get(behind) {
            None => Step::Hold(at),
            // Spaces on both sides would go, and a run at the start of a line may be a fence.
            Some(b' ' | b'\n') => Step::Unknown,
            Some(_) if count > 2 && self.side_before(text, at) == Side::Space => Step::Unknown,
            Some(_) => {
                self.begin(text, from, at, Mark { byte: b'`', count, span: Span::Code, at: behind }, sink)
            }
        }
    }

    fn end_code(&mut self, text: &str, from: &mut usize, at: usize, sink: &mut dyn Sink) -> Step {
        let behind = at + run(text, at, b'`');
        let rest = tail_of(text, behind).trim_start_matches(' ');
        if rest.is_empty() {
            return Step::Hold(at);
        }
        if self.open.last().is_none_or(|mark| mark.count != behind - at) {
            return if rest.starts_with('\n') { Step::Unknown } else { Step::To(behind) };
        }
        if !self.finish(text, from, at, behind, sink) {
            return Step::Unknown;
        }
        sink.close();
        Step::To(behind)
    }
}

/// How often the byte comes in a row.
fn run(text: &str, at: usize, byte: u8) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    rest.iter().take_while(|&&b| b == byte).count()
}

/// Never more than text in the middle of a line.
fn is_calm(byte: u8) -> bool {
    byte >= 0x80
        || byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b' ' | b','
                | b'.'
                | b'\''
                | b'"'
                | b'?'
                | b'!'
                | b'%'
                | b'/'
                | b'-'
                | b'+'
                | b'='
                | b':'
                | b';'
                | b'('
                | b')'
                | b'{'
                | b'}'
                | b'@'
                | b'^'
                | b'>'
                | b'|'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Notes(String);

    impl Sink for Notes {
        fn text(&mut self, text: &str) {
            self.0.push_str(text);
        }
        fn open(&mut self, span: Span) {
            self.0.push_str(&format!("<{span:?}>"));
        }
        fn close(&mut self) {
            self.0.push_str("</>");
        }
        fn link(&mut self, dest: &str) -> bool {
            self.0.push_str(&format!("</{dest}>"));
            true
        }
        fn cell(&mut self) {
            self.0.push('¦');
        }
    }

    /// What is shown of a text that comes by character; `None` once it can't be followed.
    fn followed(text: &str, lines: Lines) -> Option<String> {
        let mut notes = Notes::default();
        let mut inline = Inline::read("", 0, lines)?;
        for (at, c) in text.char_indices() {
            inline.advance(&text[..at + c.len_utf8()], &mut notes).then_some(())?;
        }
        Some(notes.0)
    }

    #[test]
    fn what_is_certain_is_followed() {
        for (text, shown) in [
            ("a **b c** d", "a <Strong>b c</> d"),
            ("a *b*, __c__", "a <Emphasis>b</>, <Strong>c"),
            ("a ~~b~~. c", "a <Strike>b</>. c"),
            ("a `b *c` d", "a <Code>b *c</> d"),
            ("a **", "a"),
            ("a **b", "a <Strong>b"),
            ("see [te](http://a/b?c=d&e) x", "see <Link>te</http://a/b?c=d&e> x"),
            ("see [te](http://a", "see <Link>te"),
            ("a * b and 2 < 3", "a * b and 2 < 3"),
            ("snake_case_name", "snake_case_name"),
            ("**a**b c", "<Strong>a</>b c"),
            ("wow! x\n\n", "wow! x"),
            ("use *ar", "use"),
        ] {
            assert_eq!(followed(text, Lines::Prose).as_deref(), Some(shown), "{text:?}");
        }
        let row = Lines::Row { cells: 2 };
        assert_eq!(followed("| a | `b` |\n", row).as_deref(), Some("a¦<Code>b</>¦"));
        assert_eq!(followed("| a | b | c", row), None);
    }

    #[test]
    fn what_is_not_certain_is_given_up() {
        for text in [
            "use **kwargs and",
            "a ***b",
            "a \\*",
            "&amp;",
            "![a",
            "[x](",
            "a [b](c d)",
            "a [b]: c",
            "*a **b* c",
            "a <b",
            "$5 and",
            "a\nb",
            "``` x",
            "*a *b",
            "“*a*”",
        ] {
            assert_eq!(followed(text, Lines::Prose), None, "{text:?}");
        }
    }
}
