//! From parsed blocks to the tree that shall be on the page: where raw HTML takes part, the sanitiser has its say.
//!
//! A leaf whose raw HTML is balanced is sanitised by itself, in the context of its containers. HTML that leaves plain
//! elements open (`<details>`) opens them for the blocks that follow. Anything else is rendered as one with the blocks
//! that follow, until the HTML parser is back in a state that a list of open elements describes.

use std::ops::Range;

use pulldown_cmark::{Event, Tag, TagEnd};
use riacho_flat::question::{Part, put_event, put_html, put_part};
use riacho_flat::{Tail, words};

use crate::core::policy::{Policy, Verdict};

use super::build::Top;
use super::path::Open;
use super::raw::{self, Events, Sanitize};
use super::tree::{Kind, Node, Role, push};

/// The tree for the text after the anchor.
#[derive(Debug, Default)]
pub struct Assembled {
    pub kids: Vec<Node>,
    /// The raw elements that are open before each top-level block, and at the end.
    pub contexts: Vec<(usize, Vec<String>)>,
    /// What was sanitised as one.
    pub pieces: Vec<Range<usize>>,
    /// Nothing may be finished from here on: raw HTML waits for the sanitiser, or is still one open piece.
    pub limit: Option<usize>,
    /// Raw HTML is shown as text.
    pub raw: bool,
    pub scanned: usize,
}

pub struct Assembler<'a> {
    pub policy: &'a Policy,
    pub id_prefix: &'a str,
    pub sanitizer: Option<&'a dyn Sanitize>,
    pub path: &'a [Open],
    /// The raw elements that are open at the anchor, those that are not shown too.
    pub context: &'a [String],
}

impl Assembler<'_> {
    /// `events` gives the events of all tops, if asked.
    pub fn assemble(&self, tops: Vec<Top>, events: impl FnOnce() -> Events) -> Assembled {
        let mut out = Assembled::default();
        let mut context = self.context.to_vec();
        let mut depth = 0;
        for open in self.path.iter().take_while(|open| open.role == Role::Raw) {
            let Verdict::Keep(element) = self.policy.element(open.name, &[], "") else { continue };
            let mut node = Node::new(Kind::Element(element));
            (node.id, node.before, node.spine, node.role) = (open.id, open.before, true, Role::Raw);
            node.span.end = usize::MAX;
            innermost(&mut out.kids, depth).push(node);
            depth += 1;
        }
        let Some(sanitizer) = self.sanitizer.filter(|_| tops.iter().any(|top| top.html)) else {
            for top in tops {
                if top.html {
                    out.raw = true;
                    out.limit.get_or_insert(top.span.start);
                }
                out.contexts.push((top.span.start, context.clone()));
                innermost(&mut out.kids, depth).push(top.node);
            }
            out.contexts.push((usize::MAX, context));
            return out;
        };
        let events = events();
        let mut tops = tops.into_iter().peekable();
        while let Some(mut top) = tops.next() {
            out.contexts.push((top.span.start, context.clone()));
            let contained = !top.html
                || (top.node.role != Role::Html
                    && self.leaves(
                        &mut top.node,
                        &mut context.clone(),
                        &[],
                        &events,
                        sanitizer,
                        &mut out.scanned,
                    ));
            if contained {
                innermost(&mut out.kids, depth).push(top.node);
                continue;
            }
            let spine = top.node.spine;
            let mut span = top.span.clone();
            let mut asked = Vec::new();
            put_top(&mut asked, &events, &top);
            let mut own = vec![top.node];
            loop {
                let mut input = opened(&context);
                input.extend_from_slice(&asked);
                out.scanned += input.len();
                let made = raw::nodes(self.policy, self.id_prefix, &sanitizer.sanitize(&input));
                // Where the sanitiser fails, what is shown is what was shown before it came.
                let (given, (nodes, tail)) = match made {
                    Ok(made) => (self.shown(&context), made),
                    Err(_) if tops.peek().is_some() => Default::default(),
                    Err(_) => (Vec::new(), (std::mem::take(&mut own), Tail::default())),
                };
                let open: Vec<String> =
                    tail.open.iter().map(|name| name.trim_end_matches('*').to_owned()).collect();
                let closed = tail.plain
                    && self.ends_in_block(&nodes, &open)
                    && self.goes_on(input, &open, sanitizer, &mut out.scanned);
                if !closed && tops.peek().is_some() {
                    // Half as much again before the next look, or many blocks would cost their square.
                    let enough = asked.len() + asked.len() / 2;
                    while let Some(next) = tops.next_if(|_| asked.len() <= enough) {
                        span.end = next.span.end;
                        put_top(&mut asked, &events, &next);
                        own.push(next.node);
                    }
                    continue;
                }
                if !closed {
                    out.limit.get_or_insert(span.start);
                }
                for at in 0..depth {
                    if let Some(node) = innermost(&mut out.kids, at).last_mut() {
                        node.role = Role::Html;
                        node.span.end = span.end;
                    }
                }
                out.pieces.push(span.clone());
                let before = innermost(&mut out.kids, depth).len();
                merge(&mut out.kids, &given, nodes, &span);
                if spine && let Some(nodes) = innermost(&mut out.kids, depth).get_mut(before..) {
                    self.begin(nodes);
                }
                if closed {
                    context = open;
                    depth = self.shown(&context).len();
                }
                for at in 0..depth {
                    if let Some(node) = innermost(&mut out.kids, at).last_mut() {
                        node.role = Role::Raw;
                        node.span.end = usize::MAX;
                    }
                }
                break;
            }
        }
        out.contexts.push((usize::MAX, context));
        out
    }

    fn shown(&self, context: &[String]) -> Vec<String> {
        shown(self.policy, context)
    }

    /// Whether what comes next begins a line of its own, wherever the HTML was cut.
    fn ends_in_block(&self, nodes: &[Node], open: &[String]) -> bool {
        let mut kids = nodes;
        for _ in self.shown(open) {
            kids = kids.last().map_or(&[], |node| node.kids.as_slice());
        }
        kids.last().is_none_or(Node::is_block)
    }

    /// Whether what comes next lands in the open elements. The HTML that the sanitiser writes is parsed once more, and
    /// an item right inside of an item ends that one then: what is open in the HTML as it came may be closed on the
    /// page, or be another one. So one character is put there, to see where it goes.
    fn goes_on(
        &self,
        mut input: Vec<u8>,
        open: &[String],
        sanitizer: &dyn Sanitize,
        scanned: &mut usize,
    ) -> bool {
        let open = self.shown(open);
        if open.is_empty() {
            return true;
        }
        put_html(&mut input, "x");
        *scanned += input.len();
        let Ok((nodes, _)) = raw::nodes(self.policy, self.id_prefix, &sanitizer.sanitize(&input)) else {
            return false;
        };
        let mut last = nodes.last();
        for name in &open {
            last = last.filter(|node| node.name() == Some(name)).and_then(|node| node.kids.last());
        }
        last.is_some_and(|node| matches!(node.kind, Kind::Text { .. }))
    }

    /// Gives the ids of the path to nodes that were made by way of HTML.
    fn begin(&self, nodes: &mut [Node]) {
        let mut nodes = nodes;
        for open in self.path.iter().skip_while(|open| open.role == Role::Raw) {
            // What an HTML parser moved out of a table comes before it.
            let Some(node) = nodes.iter_mut().find(|node| node.name() == Some(open.name)) else { return };
            (node.id, node.before, node.spine) = (open.id, open.before, true);
            if matches!(open.role, Role::Table(_)) {
                node.kids.retain(|kid| kid.name() != Some("thead"));
            }
            nodes = &mut node.kids;
        }
    }

    /// Sanitises each leaf in a container by itself. False if one can't be.
    fn leaves(
        &self,
        node: &mut Node,
        context: &mut Vec<String>,
        table: &[pulldown_cmark::Alignment],
        events: &Events,
        sanitizer: &dyn Sanitize,
        scanned: &mut usize,
    ) -> bool {
        if let Some(made) = node.html.clone() {
            return self.leaf(node, made, context, table, events, sanitizer, scanned);
        }
        let table = match &node.role {
            Role::Table(alignments) => alignments.clone(),
            _ => table.to_vec(),
        };
        let named = match node.role {
            Role::Quote | Role::List { .. } | Role::Item | Role::Note(_) | Role::Raw => node.name(),
            _ => None,
        };
        context.extend(named.map(str::to_owned));
        let good =
            node.kids.iter_mut().all(|kid| self.leaves(kid, context, &table, events, sanitizer, scanned));
        if named.is_some() {
            context.pop();
        }
        good && !runs_on(&node.kids)
    }

    #[expect(clippy::too_many_arguments, reason = "one leaf, and all that it stands in")]
    fn leaf(
        &self,
        node: &mut Node,
        made: Range<usize>,
        context: &[String],
        table: &[pulldown_cmark::Alignment],
        events: &Events,
        sanitizer: &dyn Sanitize,
        scanned: &mut usize,
    ) -> bool {
        let row = matches!(node.name(), Some("tr" | "thead"));
        // Such a tag works on the table that the row is in.
        if row && events.has_table_tag(&made) {
            return false;
        }
        let own = events.get(&made);
        let mut input = opened(context);
        let paragraphs = !self.shown(&["p".to_owned()]).is_empty();
        match &node.role {
            Role::Paragraph if paragraphs => {
                put_html(&mut input, "<p>");
                put_part(&mut input, Part::Inside);
                input.extend_from_slice(own);
                put_html(&mut input, "</p>");
            }
            Role::Paragraph => {
                put_part(&mut input, Part::Inside);
                input.extend_from_slice(own);
            }
            Role::Leaf if row => {
                put_part(&mut input, Part::Whole);
                put_event(&mut input, &Event::Start(Tag::Table(table.to_vec())), 0);
                if node.name() == Some("tr") {
                    put_event(&mut input, &Event::Start(Tag::TableHead), 0);
                    put_event(&mut input, &Event::End(TagEnd::TableHead), 0);
                }
                input.extend_from_slice(own);
                put_event(&mut input, &Event::End(TagEnd::Table), 0);
            }
            _ => {
                put_part(&mut input, Part::Whole);
                input.extend_from_slice(own);
            }
        }
        *scanned += input.len();
        let Ok((mut nodes, tail)) = raw::nodes(self.policy, self.id_prefix, &sanitizer.sanitize(&input))
        else {
            return false;
        };
        let same = tail.open.len() == context.len()
            && tail.open.iter().zip(context).all(|(open, name)| open.strip_suffix('*') == Some(name));
        if !tail.plain || !same {
            return false;
        }
        for name in self.shown(context) {
            match <[Node; 1]>::try_from(nodes) {
                Ok([only]) if only.name() == Some(name.as_str()) => nodes = only.kids,
                _ => return false,
            }
        }
        if row {
            let Ok([table]) = <[Node; 1]>::try_from(nodes) else { return false };
            let mut parts = table.kids.into_iter();
            let (head, body) = (parts.next(), parts.next());
            let mut rows = body.map(|body| body.kids).unwrap_or_default();
            if node.name() == Some("thead") {
                let Some(head) = head.filter(|head| head.name() == Some("thead") && rows.is_empty()) else {
                    return false;
                };
                node.kids = head.kids;
            } else if rows.len() == 1 {
                node.kids = rows.pop().map(|row| row.kids).unwrap_or_default();
            } else {
                (node.kind, node.role, node.kids) = (Kind::Virtual, Role::Html, rows);
            }
            return true;
        }
        // Its list may yet turn loose, and then there is a paragraph around it: what comes apart there is no leaf here.
        if node.role == Role::Paragraph && node.name().is_none() && paragraphs {
            let Ok([only]) = <[Node; 1]>::try_from(nodes) else { return false };
            let is_whole = only.name() == Some("p");
            node.kids = only.kids;
            return is_whole;
        }
        match (<[Node; 1]>::try_from(nodes), node.name()) {
            (Ok([only]), Some(name)) if only.name() == Some(name) && !matches!(node.role, Role::Html) => {
                (node.kind, node.kids) = (only.kind, only.kids);
            }

            (nodes, name) => {
                node.kids = nodes.map_or_else(|nodes| nodes, |[only]| vec![only]);
                match node.role {
                    // It came apart: what follows has to be read with it.
                    Role::Paragraph | Role::Leaf if name.is_some() => return false,
                    _ if name.is_some() && !node.kids.last().is_none_or(Node::is_block) => return false,
                    _ if name.is_some() => (node.kind, node.role) = (Kind::Virtual, Role::Html),
                    _ => {}
                }
            }
        }
        true
    }
}

/// Whether text runs on from a tight paragraph into raw HTML beside it: whitespace between them counts then.
fn runs_on(kids: &[Node]) -> bool {
    let tight = |node: &Node| matches!(node.kind, Kind::Virtual) && node.role == Role::Paragraph;
    let raw = |node: &Node| matches!(node.kind, Kind::Virtual) && node.role == Role::Html;
    kids.windows(2).any(|pair| match pair {
        [before, after] if raw(after) => {
            !after.kids.first().is_some_and(Node::is_block) && (tight(before) || raw(before))
        }
        [before, after] if raw(before) => tight(after) && !before.kids.last().is_some_and(Node::is_block),
        _ => false,
    })
}

/// Those of the open elements that are on the page.
pub fn shown(policy: &Policy, context: &[String]) -> Vec<String> {
    let kept = |name: &&String| matches!(policy.element(name, &[], ""), Verdict::Keep(_));
    context.iter().filter(kept).cloned().collect()
}

/// The kids of the innermost of `depth` open elements.
fn innermost(kids: &mut Vec<Node>, depth: usize) -> &mut Vec<Node> {
    let mut at = kids;
    for _ in 0..depth {
        // There is one for each level; the check is for the borrow.
        if at.is_empty() {
            break;
        }
        let last = at.len() - 1;
        at = &mut at[last].kids;
    }
    at
}

/// The start tags of the open elements.
fn opened(context: &[String]) -> Vec<u8> {
    let mut out = Vec::new();
    for name in context {
        put_html(&mut out, &["<", name, " ", words::CONTEXT, ">"].concat());
    }
    out
}

/// Puts nodes that were made in a context where they belong.
fn merge(kids: &mut Vec<Node>, given: &[String], nodes: Vec<Node>, span: &Range<usize>) {
    let mut nodes = nodes.into_iter();
    if let Some((_, rest)) = given.split_first()
        && let Some(first) = nodes.next()
        && let Some(place) = kids.last_mut()
    {
        merge(&mut place.kids, rest, first.kids, span);
    }
    for mut node in nodes {
        node.span = span.clone();
        node.role = Role::Html;
        push(kids, node);
    }
}

fn put_top(out: &mut Vec<u8>, events: &Events, top: &Top) {
    put_part(out, Part::Whole);
    out.extend_from_slice(events.get(&top.events));
}
