//! What the engine asks the sanitiser about: HTML, and the parser's events that are to be written as HTML. So what writes
//! it is in the sanitiser's module, and a page without raw HTML does not load it.
//!
//! ```text
//! question    (0 html | 1 event* | 2 event*)*
//! event       code, and what there is to it: strings and numbers
//! ```
//!
//! Behind 1 the events are written as pulldown-cmark writes them, from a line's start; behind 2 without the tags of
//! paragraphs. The reader never panics: whatever the bytes are, it gives back pieces or an [`Error`].

use pulldown_cmark::{Alignment, CodeBlockKind, CowStr, Event, HeadingLevel, LinkType, Tag, TagEnd};

use crate::Error;
use crate::bytes::{Bytes, put_number, put_string};

const HTML: u8 = 0;
const WHOLE: u8 = 1;
const INSIDE: u8 = 2;

const TEXT: u8 = 3;
const CODE: u8 = 4;
const INLINE_MATH: u8 = 5;
const DISPLAY_MATH: u8 = 6;
const HTML_LINE: u8 = 7;
const INLINE_HTML: u8 = 8;
const MENTION: u8 = 9;
const SOFT_BREAK: u8 = 10;
const HARD_BREAK: u8 = 11;
const RULE: u8 = 12;
const TASK: u8 = 13;
const DONE_TASK: u8 = 14;
/// From here on the starts of tags, from there on their ends.
const START: u8 = 32;
const END: u8 = 64;

mod tag {
    pub const PARAGRAPH: u8 = 0;
    // 1 to 6 are headings.
    pub const QUOTE: u8 = 7;
    pub const CODE: u8 = 8;
    pub const BULLETS: u8 = 9;
    pub const NUMBERED: u8 = 10;
    pub const ITEM: u8 = 11;
    pub const NOTE: u8 = 12;
    pub const TABLE: u8 = 13;
    pub const TABLE_HEAD: u8 = 14;
    pub const ROW: u8 = 15;
    pub const CELL: u8 = 16;
    pub const EMPHASIS: u8 = 17;
    pub const STRONG: u8 = 18;
    pub const STRIKETHROUGH: u8 = 19;
    pub const LINK: u8 = 20;
    pub const IMAGE: u8 = 21;
    /// Raw HTML, and what is in nobody's options: neither has a tag of its own.
    pub const NONE: u8 = 22;
}

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Whole,
    /// Without the tags of paragraphs.
    Inside,
}

/// HTML as it is.
pub fn put_html(out: &mut Vec<u8>, html: &str) {
    out.push(HTML);
    put_string(out, html);
}

/// Events follow, until something else does.
pub fn put_part(out: &mut Vec<u8>, part: Part) {
    out.push(match part {
        Part::Whole => WHOLE,
        Part::Inside => INSIDE,
    });
}

/// An event. `number` is that of the footnote, where it mentions one or begins one; a definition without one (0) was
/// begun before.
pub fn put_event(out: &mut Vec<u8>, event: &Event<'_>, number: usize) {
    let (code, text) = match event {
        Event::Start(tag) => return put_start(out, tag, number),
        Event::End(end) => return out.push(END + kind(end)),
        Event::Text(text) => (TEXT, text),
        Event::Code(text) => (CODE, text),
        Event::InlineMath(text) => (INLINE_MATH, text),
        Event::DisplayMath(text) => (DISPLAY_MATH, text),
        Event::Html(text) => (HTML_LINE, text),
        Event::InlineHtml(text) => (INLINE_HTML, text),
        Event::FootnoteReference(label) => {
            out.push(MENTION);
            put_number(out, number);
            return put_string(out, label);
        }
        Event::SoftBreak => return out.push(SOFT_BREAK),
        Event::HardBreak => return out.push(HARD_BREAK),
        Event::Rule => return out.push(RULE),
        Event::TaskListMarker(done) => return out.push(if *done { DONE_TASK } else { TASK }),
    };
    out.push(code);
    put_string(out, text);
}

fn put_start(out: &mut Vec<u8>, tag: &Tag<'_>, number: usize) {
    out.push(START + kind(&tag.to_end()));
    match tag {
        Tag::CodeBlock(CodeBlockKind::Fenced(info)) => put_string(out, info),
        Tag::CodeBlock(CodeBlockKind::Indented) => put_string(out, ""),
        Tag::List(Some(start)) => put_number(out, *start as usize),
        Tag::FootnoteDefinition(label) => {
            put_number(out, number);
            put_string(out, label);
        }
        Tag::Table(alignments) => {
            put_number(out, alignments.len());
            out.extend(alignments.iter().map(|alignment| *alignment as u8));
        }
        Tag::Link { link_type, dest_url, title, .. } => {
            out.push(u8::from(*link_type == LinkType::Email));
            put_string(out, dest_url);
            put_string(out, title);
        }
        Tag::Image { dest_url, title, .. } => {
            put_string(out, dest_url);
            put_string(out, title);
        }
        _ => {}
    }
}

fn kind(end: &TagEnd) -> u8 {
    match end {
        TagEnd::Paragraph => tag::PARAGRAPH,
        TagEnd::Heading(level) => *level as u8,
        TagEnd::BlockQuote(_) => tag::QUOTE,
        TagEnd::CodeBlock => tag::CODE,
        TagEnd::List(false) => tag::BULLETS,
        TagEnd::List(true) => tag::NUMBERED,
        TagEnd::Item => tag::ITEM,
        TagEnd::FootnoteDefinition => tag::NOTE,
        TagEnd::Table => tag::TABLE,
        TagEnd::TableHead => tag::TABLE_HEAD,
        TagEnd::TableRow => tag::ROW,
        TagEnd::TableCell => tag::CELL,
        TagEnd::Emphasis => tag::EMPHASIS,
        TagEnd::Strong => tag::STRONG,
        TagEnd::Strikethrough => tag::STRIKETHROUGH,
        TagEnd::Link => tag::LINK,
        TagEnd::Image => tag::IMAGE,
        _ => tag::NONE,
    }
}

/// One step through a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked<'a> {
    Html(&'a str),
    Part(Part),
    /// With the number of its footnote, see [`put_event`].
    Event(Event<'a>, usize),
}

/// Reads what was put, or anything else, without trust.
#[derive(Debug, Clone)]
pub struct Question<'a>(Bytes<'a>);

impl<'a> Question<'a> {
    pub fn new(bytes: &'a [u8]) -> Question<'a> {
        Question(Bytes(bytes))
    }

    /// The next step; `None` at the end.
    pub fn step(&mut self) -> Result<Option<Asked<'a>>, Error> {
        if self.0.0.is_empty() {
            return Ok(None);
        }
        let mut number = 0;
        let event = match self.0.byte()? {
            HTML => return Ok(Some(Asked::Html(self.0.string()?))),
            WHOLE => return Ok(Some(Asked::Part(Part::Whole))),
            INSIDE => return Ok(Some(Asked::Part(Part::Inside))),
            TEXT => Event::Text(self.text()?),
            CODE => Event::Code(self.text()?),
            INLINE_MATH => Event::InlineMath(self.text()?),
            DISPLAY_MATH => Event::DisplayMath(self.text()?),
            HTML_LINE => Event::Html(self.text()?),
            INLINE_HTML => Event::InlineHtml(self.text()?),
            MENTION => {
                number = self.0.number()?;
                Event::FootnoteReference(self.text()?)
            }
            SOFT_BREAK => Event::SoftBreak,
            HARD_BREAK => Event::HardBreak,
            RULE => Event::Rule,
            TASK => Event::TaskListMarker(false),
            DONE_TASK => Event::TaskListMarker(true),
            code @ END.. => Event::End(end(code - END)?),
            code @ START.. => {
                if code == START + tag::NOTE {
                    number = self.0.number()?;
                }
                Event::Start(self.start(code - START)?)
            }
            _ => return Err(Error::Kind),
        };
        Ok(Some(Asked::Event(event, number)))
    }

    fn text(&mut self) -> Result<CowStr<'a>, Error> {
        Ok(self.0.string()?.into())
    }

    fn start(&mut self, kind: u8) -> Result<Tag<'a>, Error> {
        Ok(match kind {
            tag::PARAGRAPH => Tag::Paragraph,
            level @ 1..=6 => Tag::Heading { level: heading(level)? },
            tag::QUOTE => Tag::BlockQuote(None),
            tag::CODE => Tag::CodeBlock(CodeBlockKind::Fenced(self.text()?)),
            tag::BULLETS => Tag::List(None),
            tag::NUMBERED => Tag::List(Some(self.0.number()? as u64)),
            tag::ITEM => Tag::Item,
            tag::NOTE => Tag::FootnoteDefinition(self.text()?),
            tag::TABLE => {
                let mut alignments = Vec::new();
                for _ in 0..self.0.number()? {
                    alignments.push(alignment(self.0.byte()?)?);
                }
                Tag::Table(alignments)
            }
            tag::TABLE_HEAD => Tag::TableHead,
            tag::ROW => Tag::TableRow,
            tag::CELL => Tag::TableCell,
            tag::EMPHASIS => Tag::Emphasis,
            tag::STRONG => Tag::Strong,
            tag::STRIKETHROUGH => Tag::Strikethrough,
            tag::LINK => {
                let link_type = match self.0.byte()? {
                    0 => LinkType::Inline,
                    1 => LinkType::Email,
                    _ => return Err(Error::Kind),
                };
                Tag::Link { link_type, dest_url: self.text()?, title: self.text()?, id: "".into() }
            }
            tag::IMAGE => {
                let link_type = LinkType::Inline;
                Tag::Image { link_type, dest_url: self.text()?, title: self.text()?, id: "".into() }
            }
            tag::NONE => Tag::HtmlBlock,
            _ => return Err(Error::Kind),
        })
    }
}

fn end(kind: u8) -> Result<TagEnd, Error> {
    Ok(match kind {
        tag::PARAGRAPH => TagEnd::Paragraph,
        level @ 1..=6 => TagEnd::Heading(heading(level)?),
        tag::QUOTE => TagEnd::BlockQuote(None),
        tag::CODE => TagEnd::CodeBlock,
        tag::BULLETS => TagEnd::List(false),
        tag::NUMBERED => TagEnd::List(true),
        tag::ITEM => TagEnd::Item,
        tag::NOTE => TagEnd::FootnoteDefinition,
        tag::TABLE => TagEnd::Table,
        tag::TABLE_HEAD => TagEnd::TableHead,
        tag::ROW => TagEnd::TableRow,
        tag::CELL => TagEnd::TableCell,
        tag::EMPHASIS => TagEnd::Emphasis,
        tag::STRONG => TagEnd::Strong,
        tag::STRIKETHROUGH => TagEnd::Strikethrough,
        tag::LINK => TagEnd::Link,
        tag::IMAGE => TagEnd::Image,
        tag::NONE => TagEnd::HtmlBlock,
        _ => return Err(Error::Kind),
    })
}

fn heading(level: u8) -> Result<HeadingLevel, Error> {
    HeadingLevel::try_from(usize::from(level)).map_err(|_| Error::Kind)
}

fn alignment(code: u8) -> Result<Alignment, Error> {
    let known = [Alignment::None, Alignment::Left, Alignment::Center, Alignment::Right];
    known.into_iter().find(|known| *known as u8 == code).ok_or(Error::Kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulldown_cmark::{Options, Parser};

    /// Every kind of event there is.
    const TEXT: &str = "# a\n\n> b *c* **d** ~~e~~ `f` $g$ $$h$$ <b>i</b>\n\n```rs x\nj\n```\n\n    k\n\n\
        <div>\nl\n</div>\n\n- m\n\n7. [n](o \"p\") ![q](r 's') <t@u.v> <w://x>\n\n- [ ] y  \n  z\n- [x] 1\n2\n\n---\n\n\
        |a|b|c|d|\n|-|:-|:-:|-:|\n|1|2|3|4|\n\n[^5]\n\n[^5]: 6\n";

    fn put(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        put_html(&mut out, "<div>");
        put_part(&mut out, Part::Whole);
        Parser::new_ext(text, Options::all()).for_each(|event| put_event(&mut out, &event, 300));
        put_part(&mut out, Part::Inside);
        out
    }

    fn read(bytes: &[u8]) -> Result<Vec<Asked<'_>>, Error> {
        let mut question = Question::new(bytes);
        let mut steps = Vec::new();
        while let Some(step) = question.step()? {
            steps.push(step);
        }
        Ok(steps)
    }

    #[test]
    fn what_is_put_is_read() {
        let bytes = put(TEXT);
        let mut steps = read(&bytes).unwrap().into_iter();
        assert_eq!(steps.next(), Some(Asked::Html("<div>")));
        assert_eq!(steps.next(), Some(Asked::Part(Part::Whole)));
        for event in Parser::new_ext(TEXT, Options::all()) {
            let Some(Asked::Event(read, number)) = steps.next() else { panic!("{event:?} is missing") };
            let note =
                matches!(event, Event::FootnoteReference(_) | Event::Start(Tag::FootnoteDefinition(_)));
            assert_eq!(number, if note { 300 } else { 0 });
            match (&event, read) {
                // Its way of being written is enough.
                (
                    Event::Start(Tag::Link { link_type, dest_url, title, .. }),
                    Event::Start(Tag::Link {
                        link_type: read_type, dest_url: dest, title: read_title, ..
                    }),
                ) => {
                    assert_eq!((dest_url, title), (&dest, &read_title));
                    assert_eq!(*link_type == LinkType::Email, read_type == LinkType::Email);
                }
                (Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)), read) => {
                    assert_eq!(read, Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced("".into()))));
                }
                (event, read) => assert_eq!(event, &read),
            }
        }
        assert_eq!(steps.next(), Some(Asked::Part(Part::Inside)));
        assert_eq!(steps.next(), None);
    }

    #[test]
    fn a_list_begins_anywhere() {
        let mut out = Vec::new();
        put_event(&mut out, &Event::Start(Tag::List(Some(999_999_999))), 0);
        assert_eq!(read(&out), Ok(vec![Asked::Event(Event::Start(Tag::List(Some(999_999_999))), 0)]));
    }

    #[test]
    fn whatever_it_is_it_is_read_or_refused() {
        let bytes = put(TEXT);
        for at in 0..bytes.len() {
            let _ = read(&bytes[..at]);
            let mut changed = bytes.clone();
            for value in 0..=255 {
                changed[at] = value;
                let _ = read(&changed);
            }
        }
        assert_eq!(read(&[200]), Err(Error::Kind));
    }
}
