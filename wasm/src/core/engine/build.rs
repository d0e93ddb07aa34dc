//! From the parser's events to safe nodes, without HTML in between.
//!
//! The result is what an HTML parser would have made of pulldown-cmark's HTML; where that parser does something of its
//! own (a link in a link, line ends), so does this.

use std::ops::Range;

use pulldown_cmark::{Alignment, CodeBlockKind, CowStr, Event, LinkType, Tag, TagEnd};

use crate::core::policy::{Policy, Verdict};

use super::finish::finish;
use super::tree::{Kind, Node, Role, push, tidy};

/// What the builder asks while it works.
pub trait Context {
    /// The number of a footnote that is mentioned here.
    fn number(&mut self, label: &str, at: usize) -> usize;
    /// Where a reference really points, if its label was defined earlier in the document.
    fn link(&self, label: &str) -> Option<(&str, &str)>;
}

/// One top-level block.
#[derive(Debug)]
pub struct Top {
    pub node: Node,
    pub span: Range<usize>,
    /// It has raw HTML in it.
    pub html: bool,
}

struct Open {
    node: Node,
    /// What is open here in markdown; text that comes here directly is a tight paragraph.
    item: bool,
}

pub struct Builder<'p, C> {
    policy: &'p Policy,
    id_prefix: &'p str,
    context: C,
    stack: Vec<Open>,
    tops: Vec<Top>,
    html: bool,
    alignments: Vec<Alignment>,
    in_head: bool,
    cell: usize,
    /// An image: how many tags are open in it, and its text so far.
    image: Option<Image>,
    /// The labels of references, resolved or not yet for good, and where.
    refs: Vec<(String, usize)>,
    built: u64,
}

/// What was built.
pub struct Built<C> {
    pub tops: Vec<Top>,
    pub refs: Vec<(String, usize)>,
    pub context: C,
    pub nodes: u64,
}

struct Image {
    depth: usize,
    src: String,
    title: String,
    alt: String,
}

/// The href that pulldown-cmark writes, without the HTML around it.
pub fn href(dest: &str) -> String {
    let mut out = String::with_capacity(dest.len());
    // Writing to a string does not fail.
    let _ = pulldown_cmark_escape::escape_href(&mut out, dest);
    if out.contains('&') { out.replace("&#x27;", "'").replace("&amp;", "&") } else { out }
}

impl<'p, C: Context> Builder<'p, C> {
    pub fn new(policy: &'p Policy, id_prefix: &'p str, context: C) -> Builder<'p, C> {
        Builder {
            policy,
            id_prefix,
            context,
            stack: Vec::new(),
            tops: Vec::new(),
            html: false,
            alignments: Vec::new(),
            in_head: false,
            cell: 0,
            image: None,
            refs: Vec::new(),
            built: 0,
        }
    }

    pub fn finish(mut self) -> Built<C> {
        while !self.stack.is_empty() {
            let end = self.stack.last().map_or(0, |open| open.node.span.end);
            self.close(end);
        }
        Built { tops: self.tops, refs: self.refs, context: self.context, nodes: self.built }
    }

    pub fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        self.built += 1;
        if self.image.is_some() {
            self.image_event(event, range);
            return;
        }
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag, range),
            Event::Text(text) => self.text(&text),
            Event::Code(text) => self.leaf("code", &[], &text),
            Event::InlineMath(text) => self.leaf("span", &[("class", "math math-inline")], &text),
            Event::DisplayMath(text) => self.leaf("span", &[("class", "math math-display")], &text),
            Event::Html(html) | Event::InlineHtml(html) => {
                self.html = true;
                self.text(&html);
            }
            Event::FootnoteReference(label) => self.reference(&label, range.start),
            Event::SoftBreak => self.text("\n"),
            Event::HardBreak => {
                self.open("br", &[], Role::Inline, range.clone());
                self.close(range.end);
                self.text("\n");
            }
            Event::Rule => {
                self.block("hr", &[], range.clone());
                self.close(range.end);
            }
            Event::TaskListMarker(checked) => {
                let attrs = [("disabled", ""), ("type", "checkbox"), ("checked", "")];
                let attrs =
                    if checked { attrs.as_slice() } else { attrs.split_last().map_or(&[][..], |(_, a)| a) };
                self.tight(range.start);
                self.open("input", attrs, Role::Inline, range.clone());
                self.close(range.end);
                self.text("\n");
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Paragraph => self.open("p", &[], Role::Paragraph, range),
            Tag::Heading { level, .. } => {
                let name = match level as usize {
                    1 => "h1",
                    2 => "h2",
                    3 => "h3",
                    4 => "h4",
                    5 => "h5",
                    _ => "h6",
                };
                self.block(name, &[], range);
            }
            Tag::BlockQuote(_) => self.block("blockquote", &[], range),
            Tag::CodeBlock(kind) => {
                self.block("pre", &[], range.clone());
                let class = match &kind {
                    CodeBlockKind::Fenced(info) => info.split(' ').next().unwrap_or_default(),
                    CodeBlockKind::Indented => "",
                };
                if class.is_empty() {
                    self.open("code", &[], Role::Inline, range);
                } else {
                    self.open("code", &[("class", &format!("language-{class}"))], Role::Inline, range);
                }
            }
            // Raw blocks stand in a paragraph until they are sanitised.
            Tag::HtmlBlock => self.open("p", &[], Role::Block, range),
            Tag::List(None) => self.block("ul", &[], range),
            Tag::List(Some(1)) => self.block("ol", &[], range),
            Tag::List(Some(start)) => self.block("ol", &[("start", &start.to_string())], range),
            Tag::Item => {
                self.block("li", &[], range);
                if let Some(open) = self.stack.last_mut() {
                    open.item = true;
                }
            }
            Tag::FootnoteDefinition(label) => {
                self.block("div", &[("class", "footnote-definition"), ("id", &label)], range.clone());
                self.open("sup", &[("class", "footnote-definition-label")], Role::Inline, range.clone());
                self.number(&label, range.start);
                self.close(range.end);
            }
            Tag::Table(alignments) => {
                self.alignments = alignments;
                self.block("table", &[], range);
            }
            Tag::TableHead => {
                self.in_head = true;
                self.cell = 0;
                self.open("thead", &[], Role::Block, range.clone());
                self.open("tr", &[], Role::Block, range);
            }
            Tag::TableRow => {
                self.cell = 0;
                self.open("tr", &[], Role::Block, range);
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
                self.open(name, if style.is_empty() { &[] } else { &attrs }, Role::Block, range);
            }
            Tag::Emphasis => self.inline("em", &[], range),
            Tag::Strong => self.inline("strong", &[], range),
            Tag::Strikethrough => self.inline("del", &[], range),
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
                self.tight(range.start);
                self.image = Some(Image { depth: 0, src: href(&dest), title, alt: String::new() });
            }
            // Not in our options; their text is kept.
            Tag::Superscript | Tag::Subscript => self.inline("span", &[], range),
            Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::MetadataBlock(_) => {
                self.block("div", &[], range);
            }
        }
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        match tag {
            TagEnd::CodeBlock => {
                self.close(range.end);
                self.end_block(range.end);
            }
            TagEnd::TableHead => {
                self.close(range.end);
                self.close(range.end);
                self.in_head = false;
                self.open("tbody", &[], Role::Block, range);
            }
            TagEnd::Table => {
                self.close(range.end);
                self.end_block(range.end);
            }
            TagEnd::TableCell => {
                self.cell += 1;
                self.close(range.end);
            }
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Paragraph => {
                self.close(range.end);
            }
            TagEnd::TableRow | TagEnd::Image | TagEnd::Superscript | TagEnd::Subscript => {
                self.close(range.end)
            }
            _ => self.end_block(range.end),
        }
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

    fn text(&mut self, text: &str) {
        self.tight(usize::MAX);
        if let Some(open) = self.stack.last_mut() {
            push(&mut open.node.kids, Node::text(text.to_owned()));
        }
    }

    fn leaf(&mut self, name: &str, attrs: &[(&str, &str)], text: &str) {
        self.inline(name, attrs, 0..0);
        self.text(text);
        self.close(0);
    }

    fn inline(&mut self, name: &str, attrs: &[(&str, &str)], range: Range<usize>) {
        self.tight(range.start);
        self.open(name, attrs, Role::Inline, range);
    }

    fn block(&mut self, name: &str, attrs: &[(&str, &str)], range: Range<usize>) {
        self.end_tight(range.start);
        self.open(name, attrs, Role::Block, range);
    }

    /// Text in an item that is in no paragraph is a tight one.
    fn tight(&mut self, at: usize) {
        if self.stack.last().is_some_and(|open| open.item) {
            let mut node = Node::new(Kind::Virtual);
            node.role = Role::Paragraph;
            node.span = at..at;
            self.stack.push(Open { node, item: false });
        }
    }

    fn end_tight(&mut self, end: usize) {
        let tight = self
            .stack
            .last()
            .is_some_and(|open| matches!(open.node.kind, Kind::Virtual) && open.node.role == Role::Paragraph);
        if tight && self.stack.iter().rev().nth(1).is_some_and(|open| open.item) {
            self.close(end);
        }
    }

    fn end_block(&mut self, end: usize) {
        self.end_tight(end);
        self.close(end);
    }

    fn open(&mut self, name: &str, attrs: &[(&str, &str)], role: Role, span: Range<usize>) {
        if role == Role::Paragraph {
            self.end_tight(span.start);
        }
        let clean: Vec<(&str, String)>;
        let refs: Vec<(&str, &str)>;
        // As an HTML parser reads them.
        let attrs = if attrs.iter().any(|(_, value)| value.contains('\r')) {
            clean = attrs.iter().map(|(n, v)| (*n, v.replace("\r\n", "\n").replace('\r', "\n"))).collect();
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
        self.stack.push(Open { node, item: false });
    }

    fn close(&mut self, end: usize) {
        let Some(Open { mut node, .. }) = self.stack.pop() else { return };
        node.span.end = node.span.end.max(end);
        let tight = matches!(node.kind, Kind::Virtual) && node.role == Role::Paragraph;
        match node.name() {
            Some(name) => tidy(Some(name), &mut node.kids),
            None if tight => tidy(None, &mut node.kids),
            None => {}
        }
        finish(self.policy, self.id_prefix, &mut node);
        match self.stack.last_mut() {
            Some(parent) if matches!(node.kind, Kind::Virtual) && node.role == Role::Inline => {
                node.kids.into_iter().for_each(|kid| push(&mut parent.node.kids, kid));
            }
            Some(parent) => push(&mut parent.node.kids, node),
            None => {
                let span = node.span.clone();
                self.tops.push(Top { node, span, html: std::mem::take(&mut self.html) });
            }
        }
    }

    /// The number of a footnote, as text that may be changed later.
    fn number(&mut self, label: &str, at: usize) {
        let number = self.context.number(label, at);
        if let Some(open) = self.stack.last_mut() {
            let mut node = Node::text(number.to_string());
            node.role = Role::Number(label.to_owned());
            push(&mut open.node.kids, node);
        }
    }

    fn reference(&mut self, label: &str, at: usize) {
        self.inline("sup", &[("class", "footnote-reference")], at..at);
        let link = self.open_link();
        if let Some(link) = link {
            // The footnote's own <sup> ends with the link, for good.
            self.close(at);
            self.split_link(link);
        }
        self.inline("a", &[("href", &format!("#{label}"))], at..at);
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
                _ => self.stack.push(Open { node: Node::new(Kind::Virtual), item: false }),
            }
        }
    }

    fn image_event(&mut self, event: Event<'_>, range: Range<usize>) {
        let Some(image) = self.image.as_mut() else { return };
        match event {
            Event::Start(_) => image.depth += 1,
            Event::End(_) if image.depth > 0 => image.depth -= 1,
            Event::End(_) => {
                let Some(Image { src, title, alt, .. }) = self.image.take() else { return };
                let attrs = [("src", src.as_str()), ("alt", alt.as_str()), ("title", title.as_str())];
                let attrs =
                    if title.is_empty() { attrs.split_last().map_or(&[][..], |(_, a)| a) } else { &attrs };
                self.open("img", attrs, Role::Inline, range.clone());
                self.close(range.end);
            }
            Event::Text(text) | Event::Code(text) | Event::InlineHtml(text) => image.alt.push_str(&text),
            Event::InlineMath(text) => image.alt.push_str(&format!("${text}$")),
            Event::DisplayMath(text) => image.alt.push_str(&format!("$${text}$$")),
            Event::SoftBreak | Event::HardBreak | Event::Rule => image.alt.push(' '),
            Event::FootnoteReference(label) => {
                let number = self.context.number(&label, range.start);
                if let Some(image) = self.image.as_mut() {
                    image.alt.push_str(&format!("[{number}]"));
                }
            }
            Event::TaskListMarker(checked) => image.alt.push_str(if checked { "[x]" } else { "[ ]" }),
            Event::Html(_) => {}
        }
    }
}
