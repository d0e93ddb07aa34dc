//! What markdown is here: pulldown-cmark with these options, and four rules on top that the engine and its oracle share.
//!
//! 1. A raw tag whose name is no HTML element is text: `Vec<String>` is not eaten.
//! 2. Containers nest [`MAX_NESTING`] deep; what is deeper keeps its text and loses its container.
//! 3. Text is normalised: CR and CRLF are LF, and what lies in it is made [honest](text), also where it was written as
//!    references (`&#x202E;`). NUL and other controls are U+FFFD.
//! 4. A `$` with a digit behind it ends no formula: `$5-$10` is a price.

use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{BrokenLink, CowStr, Event, Options, Parser, Tag, TagEnd};
use riacho_flat::words;

use crate::core::pattern::any_of;
use crate::core::policy::text;

pub const OPTIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS)
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_MATH);

/// What a reference that no definition resolves points to.
pub type Resolve<'r, 'input> =
    &'r mut dyn FnMut(BrokenLink<'input>) -> Option<(CowStr<'input>, CowStr<'input>)>;

/// The one parser. Every kind of callback would be another copy of it to download.
pub fn parser<'r, 'input>(
    input: &'input str,
    resolve: Option<Resolve<'r, 'input>>,
) -> Parser<'input, Resolve<'r, 'input>> {
    Parser::new_with_broken_link_callback(input, OPTIONS, resolve)
}

/// How deep lists, quotes and inline spans nest.
pub const MAX_NESTING: usize = 90;

/// Normalises text that comes in pieces.
#[derive(Debug, Default)]
pub struct Normaliser {
    /// A CR at the end of a piece waits: an LF may follow it.
    cr: bool,
    honest: text::Filter,
}

impl Normaliser {
    #[cfg_attr(riacho_module, optimize(speed))]
    pub fn push(&mut self, piece: &str, out: &mut String) {
        let mut rest = piece;
        if self.cr && !rest.is_empty() {
            self.cr = false;
            self.honest.push("\n", out);
            rest = rest.strip_prefix('\n').unwrap_or(rest);
        }
        while let Some((head, tail)) = rest.split_once('\r') {
            self.honest.push(head, out);
            if tail.is_empty() {
                self.cr = true;
                return;
            }
            self.honest.push("\n", out);
            rest = tail.strip_prefix('\n').unwrap_or(tail);
        }
        self.honest.push(rest, out);
    }

    pub fn end(&mut self, out: &mut String) {
        if std::mem::take(&mut self.cr) {
            self.honest.push("\n", out);
        }
        self.honest.end(out);
    }
}

/// Normalises a whole text.
pub fn normalise(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut normaliser = Normaliser::default();
    normaliser.push(text, &mut out);
    normaliser.end(&mut out);
    out
}

/// Applies rules 1, 2 and 4, and what of rule 3 is left, to what pulldown-cmark says about `input`.
pub fn adapt<'a, I: Iterator<Item = (Event<'a>, Range<usize>)>>(input: &'a str, events: I) -> Adapted<'a, I> {
    Adapted {
        input,
        events: events.peekable(),
        open: Vec::new(),
        depth: 0,
        text_block: false,
        honest: text::Filter::default(),
    }
}

/// See [`adapt`].
pub struct Adapted<'a, I: Iterator> {
    input: &'a str,
    events: std::iter::Peekable<I>,
    /// For each open tag, whether it was let through.
    open: Vec<bool>,
    depth: usize,
    /// In an HTML block that is text.
    text_block: bool,
    honest: text::Filter,
}

impl<I: Iterator> Adapted<'_, I> {
    /// Whether the last event was in a block of raw HTML that is text.
    pub fn in_text_block(&self) -> bool {
        self.text_block
    }
}

impl<'a, I: Iterator<Item = (Event<'a>, Range<usize>)>> Iterator for Adapted<'a, I> {
    type Item = (Event<'a>, Range<usize>);

    #[cfg_attr(riacho_module, optimize(speed))]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (event, range) = self.events.next()?;
            let event = match event {
                Event::Start(Tag::HtmlBlock) => {
                    let first = self.events.peek();
                    self.text_block = matches!(first, Some((Event::Html(html), _)) if first_tag(html).is_some_and(|n| !is_tag(n)));
                    self.open.push(true);
                    Event::Start(if self.text_block { Tag::Paragraph } else { Tag::HtmlBlock })
                }
                Event::End(TagEnd::HtmlBlock) => {
                    self.open.pop();
                    let text = std::mem::take(&mut self.text_block);
                    Event::End(if text { TagEnd::Paragraph } else { TagEnd::HtmlBlock })
                }
                Event::Html(html) if self.text_block => inline(html),
                Event::Html(html) => match escape(&html) {
                    Cow::Owned(escaped) => Event::Html(escaped.into()),
                    Cow::Borrowed(_) => Event::Html(html),
                },
                Event::InlineHtml(html) => inline(html),
                Event::InlineMath(formula) => {
                    let behind = self.input.as_bytes().get(range.end);
                    match self.input.get(range.clone()).filter(|_| behind.is_some_and(u8::is_ascii_digit)) {
                        Some(source) => Event::Text(source.into()),
                        None => Event::InlineMath(formula),
                    }
                }
                Event::Start(tag) => {
                    let cost = match tag {
                        Tag::List(_) => 2,
                        _ => 1,
                    };
                    let nests = matches!(
                        tag,
                        Tag::List(_)
                            | Tag::Item
                            | Tag::BlockQuote(_)
                            | Tag::FootnoteDefinition(_)
                            | Tag::Emphasis
                            | Tag::Strong
                            | Tag::Strikethrough
                            | Tag::Link { .. }
                    );
                    let kept =
                        !nests || self.depth + cost <= MAX_NESTING + usize::from(matches!(tag, Tag::Item));
                    self.open.push(kept);
                    if !kept {
                        continue;
                    }
                    self.depth += 1;
                    Event::Start(tag)
                }
                Event::End(end) => {
                    if !self.open.pop().unwrap_or(true) {
                        continue;
                    }
                    self.depth = self.depth.saturating_sub(1);
                    Event::End(end)
                }
                event => event,
            };
            let event = match event {
                Event::Text(text) => Event::Text(self.honest.part(&text).map_or(text, CowStr::from)),
                event => {
                    self.honest = text::Filter::default();
                    event
                }
            };
            return Some((event, range));
        }
    }
}

fn inline(html: CowStr<'_>) -> Event<'_> {
    match escape(&html) {
        Cow::Borrowed(_) if html.contains('<') => Event::InlineHtml(html),
        // Nothing in it is markup any more.
        _ if !has_markup(&html) => Event::Text(html),
        Cow::Owned(escaped) => Event::InlineHtml(escaped.into()),
        Cow::Borrowed(_) => Event::Text(html),
    }
}

/// The name of a tag that starts here.
fn first_tag(html: &str) -> Option<&str> {
    let html = html.trim_start_matches(' ').strip_prefix('<')?;
    name(html.strip_prefix('/').unwrap_or(html))
}

fn name(rest: &str) -> Option<&str> {
    if !rest.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    rest.split(any_of(" \t\n\x0c\r/>")).next()
}

fn is_tag(name: &str) -> bool {
    name.len() <= 16 && words::is_html(&name.to_ascii_lowercase())
}

fn has_markup(html: &str) -> bool {
    html.split('<').skip(1).any(|rest| {
        rest.starts_with(any_of("!?")) || name(rest.strip_prefix('/').unwrap_or(rest)).is_some_and(is_tag)
    })
}

/// Escapes each `<` of a tag whose name is no HTML element.
fn escape(html: &str) -> Cow<'_, str> {
    let unknown = |rest: &str| name(rest.strip_prefix('/').unwrap_or(rest)).is_some_and(|name| !is_tag(name));
    if !html.split('<').skip(1).any(unknown) {
        return Cow::Borrowed(html);
    }
    let mut out = String::with_capacity(html.len() + 8);
    for (at, rest) in html.split('<').enumerate() {
        if at > 0 {
            out.push_str(if unknown(rest) { "&lt;" } else { "<" });
        }
        out.push_str(rest);
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str) -> String {
        let mut out = String::new();
        let events = Parser::new_ext(text, OPTIONS).into_offset_iter();
        pulldown_cmark::html::push_html(&mut out, adapt(text, events).map(|(event, _)| event));
        out
    }

    #[test]
    fn generics_are_text() {
        assert_eq!(html("a Vec<String> b"), "<p>a Vec&lt;String&gt; b</p>\n");
        assert_eq!(html("<String>\nfoo"), "<p>&lt;String&gt;\nfoo</p>\n");
        assert_eq!(html("a <b>c</b> d"), "<p>a <b>c</b> d</p>\n");
        assert_eq!(html("<div>\n<T>\n</div>"), "<div>\n&lt;T>\n</div>");
    }

    #[test]
    fn prices_are_text() {
        assert_eq!(html("$5 and $6, $5-$10"), "<p>$5 and $6, $5-$10</p>\n");
        assert!(html("$x+1$").contains("math-inline"));
    }

    #[test]
    fn normalises_however_it_is_cut() {
        let text = "a\r\nb\rc\0d\r";
        assert_eq!(normalise(text), "a\nb\nc\u{fffd}d\n");
        for at in 0..=text.len() {
            let (mut out, mut normaliser) = (String::new(), Normaliser::default());
            normaliser.push(&text[..at], &mut out);
            normaliser.push("", &mut out);
            normaliser.push(&text[at..], &mut out);
            normaliser.end(&mut out);
            assert_eq!(out, normalise(text), "{at}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let depth = html(&">".repeat(500)).matches("<blockquote>").count();
        assert_eq!(depth, MAX_NESTING);
        let deep = html(&("- ".repeat(500) + "x"));
        assert!(deep.matches("<li>").count() <= MAX_NESTING && deep.contains('x'));
        assert_eq!(deep.matches("<ul>").count(), deep.matches("</ul>").count());
    }
}
