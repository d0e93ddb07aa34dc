//! Links and footnotes in the leaf that is being written.

use super::{Inline, Mark, Side, Sink, Span, Step};
use crate::core::pattern::{any_of, any_of_or, first_char, head_of, last_char, part_of, tail_of};

/// A label that is longer than this is none.
const LABEL: usize = 300;
/// A URL that is longer than this is none.
const URL: usize = 2400;

impl Inline {
    pub(super) fn begin_link(
        &mut self,
        text: &str,
        from: &mut usize,
        at: usize,
        again: bool,
        sink: &mut dyn Sink,
    ) -> Step {
        let Some(after) = first_char(tail_of(text, at + 1)) else {
            let image = text.get(..at).is_some_and(|head| head.ends_with('!'));
            return if image { Step::Unknown } else { Step::Hold(at) };
        };
        if after == '^' && at > self.start {
            return self.footnote(text, from, at, again, sink);
        }
        let begins = matches!(Side::of(after), Side::Word | Side::Other) || matches!(after, '`' | '*' | '"');
        let before = last_char(head_of(text, at));
        let inside = self.open.iter().any(|mark| mark.span == Span::Link);
        if !begins || inside || at == self.start || before == Some('!') {
            return Step::Unknown;
        }
        self.begin(text, from, at, Mark { byte: b'[', count: 1, span: Span::Link, at: at + 1 }, sink)
    }

    /// A footnote's number, or not: that is the parser's business. What comes behind it is text either way.
    fn footnote(
        &mut self,
        text: &str,
        from: &mut usize,
        at: usize,
        again: bool,
        sink: &mut dyn Sink,
    ) -> Step {
        let rest = tail_of(text, at + 2);
        let Some(len) = rest.find(any_of_or("][\\|`", char::is_whitespace)) else {
            return if rest.len() > LABEL { Step::Unknown } else { Step::Hold(at) };
        };
        let behind = at + 2 + len + 1;
        let ended = len > 0 && rest.as_bytes().get(len) == Some(&b']');
        match text.as_bytes().get(behind) {
            Some(b'(' | b'[' | b':') | None => Step::Unknown,
            Some(_) if !again || !ended || !self.open.is_empty() => Step::Unknown,
            Some(_) => {
                self.put(part_of(text, *from..at), sink);
                (self.at, *from) = (behind, behind);
                Step::To(behind)
            }
        }
    }

    /// Where a reference ends whose text ends at `at`, if that is all there.
    fn reference(&self, text: &str, at: usize) -> Result<usize, Step> {
        let Some(label) = text.get(at + 1..).and_then(|rest| rest.strip_prefix('[')) else {
            return Ok(at + 1);
        };
        match label.find(any_of("][\\\n|`")) {
            Some(len) if label.as_bytes().get(len) == Some(&b']') => Ok(at + 2 + len + 1),
            None if label.len() <= LABEL => Err(Step::Hold(at)),
            _ => Err(Step::Unknown),
        }
    }

    pub(super) fn end_link(
        &mut self,
        text: &str,
        from: &mut usize,
        at: usize,
        again: bool,
        sink: &mut dyn Sink,
    ) -> Step {
        let Some(mark) = self.open.iter().rfind(|mark| mark.span == Span::Link) else {
            return Step::To(at + 1);
        };
        if self.open.last() != Some(mark) || at - mark.at < 2 {
            return Step::Unknown;
        }
        let begun = at + 2;
        match text.as_bytes().get(at + 1) {
            None => return Step::Hold(at),
            Some(b'(') => {}
            Some(b':') => return Step::Unknown,
            Some(_) => {
                let behind = match self.reference(text, at) {
                    Ok(behind) => behind,
                    Err(step) => return step,
                };
                // A link or text: it is all there, and what comes behind it is text either way.
                let ended =
                    text.as_bytes().get(behind).is_some_and(|byte| !matches!(byte, b'(' | b'[' | b':'));
                if !again || !ended {
                    return Step::Unknown;
                }
                let ends = self.finish(text, from, at, behind, sink);
                return if ends { Step::To(behind) } else { Step::Unknown };
            }
        }
        let looked = self.url.max(begun);
        let rest = text.as_bytes().get(looked..).unwrap_or_default();
        let Some(len) = rest.iter().position(|&byte| !is_url(byte)) else {
            self.url = looked + rest.len();
            return if self.url - begun > URL { Step::Unknown } else { Step::Hold(at) };
        };
        let end = looked + len;
        let dest = part_of(text, begun..end);
        // A reference to a character is not what it says.
        let refers = dest.contains('&') && dest.contains(';');
        if dest.is_empty() || refers || rest.get(len) != Some(&b')') {
            return Step::Unknown;
        }
        let ends = self.finish(text, from, at, end + 1, sink) && sink.link(dest);
        if ends { Step::To(end + 1) } else { Step::Unknown }
    }
}

/// Part of a URL that needs no second thought.
fn is_url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b':'
                | b'/'
                | b'?'
                | b'#'
                | b'@'
                | b'!'
                | b'+'
                | b','
                | b';'
                | b'='
                | b'%'
                | b'&'
                | b'*'
        )
}
