//! From the parser's events to safe nodes, without HTML in between.
//!
//! The result is what an HTML parser would have made of pulldown-cmark's HTML; where that parser does something of its
//! own (a link in a link, line ends), so does this.

mod image;
mod loose;
mod stub;

use std::ops::Range;

use pulldown_cmark::{Alignment, CodeBlockKind, CowStr, Event, HeadingLevel, LinkType, Tag, TagEnd};
use riacho_flat::words::NOTE_ID;

use crate::core::pattern::{figures, head_of, part_of, put, tail_of, until};
use crate::core::policy::{Policy, Verdict};

use super::finish::finish;
use super::path::Open as Begun;
use super::tree::{Kind, Node, Role, lf, push, tidy};

use image::Image;
pub use loose::bare_task;

/// What the builder asks while it works.
pub trait Context {
    /// The number of a footnote that is mentioned here.
    fn number(&mut self, label: &str, at: usize) -> usize;
    /// Where a reference really points, if its label was defined earlier in the document.
    fn link(&self, label: &str) -> Option<(&str, &str)>;
}

/// What an event comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Stub,
    Markdown,
    /// A block of raw HTML that is text.
    TextBlock,
}

/// One top-level block.
#[derive(Debug)]
pub struct Top {
    pub node: Node,
    pub span: Range<usize>,
    /// It has raw HTML in it.
    pub html: bool,
    /// The events that made it.
    pub events: Range<usize>,
}

struct Open {
    node: Node,
    /// The first event in it.
    event: usize,
    /// Raw HTML has been seen in this leaf.
    html: bool,
}

impl Open {
    fn is_item(&self) -> bool {
        self.node.role == Role::Item
    }
}

pub struct Builder<'p, C> {
    policy: &'p Policy,
    id_prefix: &'p str,
    /// Those lines of the document that are whole; all of them at its end.
    lines: &'p str,
    /// Where in it the text begins.
    from: usize,
    /// The containers that the stub opens again; those before `begun` are open.
    path: &'p [Begun],
    begun: usize,
    /// Tags of the stub that are open and not in the path.
    ignored: usize,
    /// Show the lists of the path as they were, whatever the parser says.
    keep_tight: bool,
    loosened: Vec<u32>,
    context: C,
    stack: Vec<Open>,
    tops: Vec<Top>,
    html: bool,
    /// See [`Built`].
    tasks: Option<usize>,
    alignments: Vec<Alignment>,
    in_head: bool,
    cell: usize,
    /// The image whose text is being read.
    image: Option<Image>,
    /// The labels of references, resolved or not yet for good, and where.
    refs: Vec<(String, usize)>,
    built: usize,
    top_event: usize,
}

/// What was built.
pub struct Built<C> {
    pub tops: Vec<Top>,
    pub refs: Vec<(String, usize)>,
    pub context: C,
    /// Lists of the path that have turned loose.
    pub loosened: Vec<u32>,
    /// Where the first task is that has its text on the next line, in a list that is tight so far.
    pub tasks: Option<usize>,
    pub events: usize,
}

/// The href that pulldown-cmark writes, without the HTML around it.
pub fn href(dest: &str) -> String {
    let is_safe =
        |byte| matches!(byte, b'!' | b'#'..=b';' | b'=' | b'?'..=b'Z' | b'^' | b'_' | b'a'..=b'z' | b'~');
    let mut out = String::with_capacity(dest.len());
    let mut rest = dest;
    while let Some(at) = rest.bytes().position(|byte| !is_safe(byte)) {
        out.push_str(head_of(rest, at));
        // All bytes of a character that is not ASCII.
        let next = rest.ceil_char_boundary(at + 1);
        for byte in part_of(rest, at..next).bytes() {
            put(&mut out, '%');
            for half in [byte >> 4, byte & 15] {
                put(&mut out, char::from(if half < 10 { b'0' + half } else { b'A' + half - 10 }));
            }
        }
        rest = tail_of(rest, next);
    }
    out + rest
}

fn heading(level: HeadingLevel) -> &'static str {
    match level {
        HeadingLevel::H1 => "h1",
        HeadingLevel::H2 => "h2",
        HeadingLevel::H3 => "h3",
        HeadingLevel::H4 => "h4",
        HeadingLevel::H5 => "h5",
        HeadingLevel::H6 => "h6",
    }
}

impl<'p, C: Context> Builder<'p, C> {
    pub fn new(
        policy: &'p Policy,
        id_prefix: &'p str,
        (lines, from): (&'p str, usize),
        path: &'p [Begun],
        context: C,
    ) -> Builder<'p, C> {
        Builder {
            policy,
            id_prefix,
            lines,
            from,
            path,
            begun: 0,
            ignored: 0,
            keep_tight: false,
            loosened: Vec::new(),
            context,
            stack: Vec::new(),
            tops: Vec::new(),
            html: false,
            tasks: None,
            alignments: Vec::new(),
            in_head: false,
            cell: 0,
            image: None,
            refs: Vec::new(),
            built: 0,
            top_event: 0,
        }
    }

    /// Shows the lists of the path as they were, even if they look loose now.
    pub fn keep_tight(&mut self) {
        self.keep_tight = true;
    }

    pub fn finish(mut self) -> Built<C> {
        while !self.stack.is_empty() {
            let end = self.stack.last().map_or(0, |open| open.node.span.end);
            self.close(end);
        }
        Built {
            tops: self.tops,
            refs: self.refs,
            context: self.context,
            loosened: self.loosened,
            tasks: self.tasks,
            events: self.built,
        }
    }

    /// Takes the next event.
    #[cfg_attr(riacho_module, optimize(speed))]
    pub fn event(&mut self, event: Event<'_>, range: Range<usize>, source: Source) {
        self.built += 1;
        if self.stack.is_empty() {
            self.top_event = self.built - 1;
        }
        if source == Source::Stub && self.in_stub(&event) {
            return;
        }
        if self.image.is_some() {
            self.image_event(event, range);
            return;
        }
        match event {
            // The parser makes no difference between tight and loose lists there.
            Event::Start(Tag::Paragraph) if source == Source::TextBlock => {
                self.block("p", &[], Role::Paragraph, range);
            }
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag, range),
            Event::Text(text) => self.text(&text, range),
            Event::Code(text) => self.leaf("code", &[], &text, range),
            Event::InlineMath(text) => self.leaf("span", &[("class", "math math-inline")], &text, range),
            Event::DisplayMath(text) => self.leaf("span", &[("class", "math math-display")], &text, range),
            Event::Html(html) | Event::InlineHtml(html) => {
                self.html = true;
                self.text(&html, range);
                if let Some(leaf) = self.stack.iter_mut().rev().find(|open| open.node.role.is_block()) {
                    leaf.html = true;
                }
            }
            Event::FootnoteReference(label) => self.reference(&label, range),
            Event::SoftBreak => self.text("\n", range),
            Event::HardBreak => {
                self.inline("br", &[], range.clone());
                self.close(range.end);
                self.text("\n", range);
            }
            Event::Rule => {
                self.block("hr", &[], Role::Leaf, range.clone());
                self.close(range.end);
            }
            Event::TaskListMarker(checked) => {
                let attrs = [("disabled", ""), ("type", "checkbox"), ("checked", "")];
                let attrs =
                    if checked { attrs.as_slice() } else { attrs.split_last().map_or(&[][..], |(_, a)| a) };
                let bare = bare_task(self.lines, range.end);
                if bare {
                    self.block("input", attrs, Role::Task, range.clone());
                } else {
                    self.inline("input", attrs, range.clone());
                }
                self.close(range.end);
                if !bare {
                    self.text("\n", range);
                }
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        let mut start = String::new();
        let (name, role) = match &tag {
            Tag::Heading { level } => (heading(*level), Role::Leaf),
            Tag::BlockQuote(_) => ("blockquote", Role::Quote),
            // Raw blocks stand in a paragraph until they are sanitised.
            Tag::HtmlBlock => ("p", Role::Html),
            Tag::List(None) => ("ul", Role::List { loose: false }),
            Tag::List(Some(first)) => {
                if *first != 1 {
                    start = figures(*first as usize);
                }
                ("ol", Role::List { loose: false })
            }
            Tag::Item => ("li", Role::Item),
            Tag::Emphasis => ("em", Role::Inline),
            Tag::Strong => ("strong", Role::Inline),
            Tag::Strikethrough => ("del", Role::Inline),
            _ => return self.start_more(tag, range),
        };
        match role {
            Role::Inline => self.inline(name, &[], range),
            role if start.is_empty() => self.block(name, &[], role, range),
            role => self.block(name, &[("start", &start)], role, range),
        }
    }

    /// What is more than one element without attributes.
    fn start_more(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Paragraph => self.paragraph(range),
            Tag::CodeBlock(kind) => {
                let role = if matches!(kind, CodeBlockKind::Indented) { Role::Code } else { Role::Fence };
                self.block("pre", &[], role, range.clone());
                let class = match &kind {
                    CodeBlockKind::Fenced(info) => until(info, " "),
                    CodeBlockKind::Indented => "",
                };
                if class.is_empty() {
                    self.open("code", &[], Role::Inline, range);
                } else {
                    self.open("code", &[("class", &["language-", class].concat())], Role::Inline, range);
                }
            }
            Tag::FootnoteDefinition(label) => {
                let role = Role::Note((*label).to_owned());
                let id = [NOTE_ID, &label].concat();
                self.block("div", &[("class", "footnote-definition"), ("id", &id)], role, range.clone());
                self.open("sup", &[("class", "footnote-definition-label")], Role::Inline, range.clone());
                self.number(&label, range.start);
                self.close(range.end);
            }
            Tag::Table(alignments) => {
                self.alignments = alignments.clone();
                self.block("table", &[], Role::Table(alignments), range);
            }
            Tag::TableHead => {
                self.in_head = true;
                self.cell = 0;
                self.open("thead", &[], Role::Leaf, range.clone());
                self.open("tr", &[], Role::Inline, range);
            }
            Tag::TableRow => {
                self.cell = 0;
                self.open("tr", &[], Role::Leaf, range);
            }
            Tag::TableCell => {
                let name = if self.in_head { "th" } else { "td" };
                let style = match self.alignments.get(self.cell) {
                    Some(Alignment::Left) => "text-align: left",
                    Some(Alignment::Center) => "text-align: center",
                    Some(Alignment::Right) => "text-align: right",
                    _ => "",
                };
                let attrs = [("style", style)];
                self.open(name, if style.is_empty() { &[] } else { &attrs }, Role::Inline, range);
            }
            Tag::Link { link_type, dest_url, title, id } => {
                let (dest, title) = self.target(link_type, dest_url, title, &id, range.start);
                let mut url = href(&dest);
                if link_type == LinkType::Email {
                    url.insert_str(0, "mailto:");
                }
                if let Some(link) = self.open_link() {
                    self.split_link(link);
                }
                if title.is_empty() {
                    self.inline("a", &[("href", &url)], range);
                } else {
                    self.inline("a", &[("href", &url), ("title", &title)], range);
                }
            }
            Tag::Image { link_type, dest_url, title, id } => {
                let (dest, title) = self.target(link_type, dest_url, title, &id, range.start);
                self.tight(range.clone());
                self.image = Some(Image::new(href(&dest), title));
            }
            // Made by `start`.
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        match tag {
            TagEnd::TableHead => {
                self.close(range.end);
                self.close(range.end);
                self.in_head = false;
                return self.open("tbody", &[], Role::Body, range);
            }
            TagEnd::TableCell => self.cell += 1,
            // The code or the body in it ends first.
            TagEnd::CodeBlock | TagEnd::Table => {
                self.close(range.end);
                self.end_tight(range.end);
            }
            // A tight paragraph may have been made of it.
            TagEnd::Paragraph
            | TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Link
            | TagEnd::Image
            | TagEnd::TableRow => {}
            _ => self.end_tight(range.end),
        }
        self.close(range.end);
    }

    /// A link's target and title. The first definition of a label counts, wherever this one came from.
    fn target(
        &mut self,
        kind: LinkType,
        dest: CowStr<'_>,
        title: CowStr<'_>,
        label: &str,
        at: usize,
    ) -> (String, String) {
        let refers = !matches!(kind, LinkType::Inline | LinkType::Autolink | LinkType::Email);
        if refers {
            self.refs.push((label.to_owned(), at));
        }
        match self.context.link(label).filter(|_| refers) {
            Some((dest, title)) => (dest.to_owned(), title.to_owned()),
            None => (dest.into_string(), title.into_string()),
        }
    }

    fn text(&mut self, text: &str, range: Range<usize>) {
        self.tight(range);
        let Some(open) = self.stack.last_mut() else { return };
        // As `push`, but most texts are found to go on and need no string of their own.
        match open.node.kids.last_mut() {
            Some(Node { kind: Kind::Text { text: before, .. }, role: Role::Inline, .. }) => {
                before.push_str(text)
            }
            _ => push(&mut open.node.kids, Node::text(text.to_owned())),
        }
    }

    fn leaf(&mut self, name: &str, attrs: &[(&str, &str)], text: &str, range: Range<usize>) {
        let end = range.end;
        self.inline(name, attrs, range.clone());
        self.text(text, range);
        self.close(end);
    }

    fn inline(&mut self, name: &str, attrs: &[(&str, &str)], range: Range<usize>) {
        self.tight(range.clone());
        self.open(name, attrs, Role::Inline, range);
    }

    fn block(&mut self, name: &str, attrs: &[(&str, &str)], role: Role, range: Range<usize>) {
        self.end_tight(range.start);
        self.loosen_behind_blank(range.start);
        // The last container of the path may be a list whose next item begins the text.
        if self.begun + 1 == self.path.len()
            && let Some(Begun { role: Role::List { loose }, .. }) = self.path.last()
            && matches!(role, Role::List { .. })
        {
            self.begin(name, Role::List { loose: *loose }, range);
            return;
        }
        self.open(name, attrs, role, range);
    }

    fn open(&mut self, name: &str, attrs: &[(&str, &str)], role: Role, span: Range<usize>) {
        let clean: Vec<(&str, String)>;
        let refs: Vec<(&str, &str)>;
        // As an HTML parser reads them.
        let attrs = if attrs.iter().any(|(_, value)| value.contains('\r')) {
            clean = attrs.iter().map(|(n, v)| (*n, lf(v))).collect();
            refs = clean.iter().map(|(n, v)| (*n, v.as_str())).collect();
            refs.as_slice()
        } else {
            attrs
        };
        let mut node = match self.policy.element(name, attrs, self.id_prefix) {
            Verdict::Keep(element) => Node::new(Kind::Element(element)),
            Verdict::KeepWithText(element, text) => {
                let mut node = Node::new(Kind::Element(element));
                push(&mut node.kids, Node::text(text));
                node
            }
            Verdict::Text(text) => {
                let mut node = Node::new(Kind::Virtual);
                push(&mut node.kids, Node::text(text));
                node
            }
            Verdict::Unwrap | Verdict::Drop => Node::new(Kind::Virtual),
        };
        node.role = role;
        node.span = span;
        let event = self.built.saturating_sub(1);
        self.stack.push(Open { node, event, html: false });
    }

    fn close(&mut self, end: usize) {
        let Some(Open { mut node, event, html }) = self.stack.pop() else { return };
        if node.span.end < end && node.role != Role::Paragraph {
            node.span.end = end;
        }
        node.html = html.then_some(event..self.built);
        let tight = matches!(node.kind, Kind::Virtual) && node.role == Role::Paragraph;
        let tag = node.tag();
        if tag.is_some() || tight {
            tidy(tag, &mut node.kids);
        }
        finish(self.policy, self.id_prefix, &mut node);
        match self.stack.last_mut() {
            Some(parent) if matches!(node.kind, Kind::Virtual) && node.role == Role::Inline => {
                node.kids.into_iter().for_each(|kid| push(&mut parent.node.kids, kid));
            }
            Some(parent) => push(&mut parent.node.kids, node),
            None => {
                let span = node.span.clone();
                let events = self.top_event..self.built;
                self.tops.push(Top { node, span, html: std::mem::take(&mut self.html), events });
            }
        }
    }

    /// The number of a footnote, as text that may be changed later.
    fn number(&mut self, label: &str, at: usize) {
        let number = self.context.number(label, at);
        if let Some(open) = self.stack.last_mut() {
            let mut node = Node::text(figures(number));
            node.role = Role::Number(label.to_owned());
            push(&mut open.node.kids, node);
        }
    }

    fn reference(&mut self, label: &str, range: Range<usize>) {
        let at = range.start;
        // All of it belongs to a tight paragraph around it.
        self.inline("sup", &[("class", "footnote-reference")], range);
        let link = self.open_link();
        if let Some(link) = link {
            // The footnote's own <sup> ends with the link, for good.
            self.close(at);
            self.split_link(link);
        }
        self.inline("a", &[("href", &["#", NOTE_ID, label].concat())], at..at);
        self.number(label, at);
        self.close(at);
        if link.is_none() {
            self.close(at);
        }
    }

    fn open_link(&self) -> Option<usize> {
        self.stack.iter().rposition(|open| open.node.name() == Some("a"))
    }

    /// A link may not be in a link: an HTML parser ends the outer one where the inner one begins, and goes on with
    /// the formatting that was open in it. Ends that then have no start do nothing.
    fn split_link(&mut self, link: usize) {
        let names: Vec<Option<&'static str>> =
            self.stack.iter().skip(link).map(|open| open.node.name()).collect();
        for _ in &names {
            self.close(0);
        }
        for name in &names {
            match name {
                Some(name @ ("em" | "strong")) => self.open(name, &[], Role::Inline, 0..0),
                _ => {
                    let event = self.built.saturating_sub(1);
                    self.stack.push(Open { node: Node::new(Kind::Virtual), event, html: false });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_href_is_what_the_renderer_writes() {
        for c in ('\0'..='\u{200}').chain(['漢', '🐟']) {
            let dest = format!("a{c}b");
            let mut html = String::new();
            pulldown_cmark_escape::escape_href(&mut html, &dest).unwrap();
            assert_eq!(super::href(&dest), html.replace("&#x27;", "'").replace("&amp;", "&"), "{c:?}");
        }
    }
}
