//! What `inline` finds in the leaf that is being written, brought into the tree and onto the page.
//!
//! Only the end of the last leaf changes here, and nothing on the page is made again.

use crate::core::pattern::{any_of, head_of, is_letter, is_word, last_char, such};
use crate::core::policy::{Policy, Verdict};

use super::Engine;
use super::batch::Pen;
use super::build::href;
use super::diff;
use super::finish::finish;
use super::guess::PENDING;
use super::inline::{Inline, Lines, Sink, Span};
use super::long::{Plain, is_seen, leaf_mut};
use super::tree::{Kind, Node, Role};

/// Containers in each other, beyond which the grammar's bound on nesting may come into it.
const DEEP: usize = 40;
/// What is held back is looked at again with each chunk; more than this is left to the parser.
const HELD: usize = 512;

impl Engine {
    /// The inline syntax of the last leaf, if it can be followed from here on.
    pub(super) fn follow(&self) -> Option<Inline> {
        // A leaf that is shown in pieces is read piece by piece.
        if self.ended || self.path.len() > DEEP || self.long.is_some() {
            return None;
        }
        let (leaf, depth) = last(self.tail.last()?, 0);
        if leaf.spine || leaf.html.is_some() || depth > DEEP {
            return None;
        }
        let begun = leaf.span.start;
        let (start, lines, kids) = match (&leaf.role, leaf.name()) {
            (Role::Paragraph, _) => {
                let line = self.text.get(self.line_start(self.text.trim_end_matches('\n').len())..)?;
                if !line.contains(such(is_letter)) {
                    return None;
                }
                (begun, Lines::Prose, leaf.kids.as_slice())
            }
            (Role::Leaf, Some("h1" | "h2" | "h3" | "h4" | "h5" | "h6")) => {
                let line = self.text.get(begun..)?;
                let start = self.text.len() - line.trim_start_matches('#').trim_start_matches(' ').len();
                (start, Lines::Heading, leaf.kids.as_slice())
            }
            (Role::Leaf, Some("tr")) => (begun, Lines::Row { cells: leaf.kids.len() }, leaf.kids.as_slice()),
            _ => return None,
        };
        if lines != Lines::Prose && !self.text.get(begun..)?.starts_with(any_of("#|")) {
            return None;
        }
        let inline = Inline::read(&self.text, start, lines)?;
        if self.text.len() - inline.at() > HELD {
            return None;
        }
        let kids = match lines {
            Lines::Row { .. } if inline.cell() < leaf.kids.len() => {
                leaf.kids.get(inline.cell())?.kids.as_slice()
            }
            _ => kids,
        };
        agrees(&self.text, &inline, kids).then_some(inline)
    }

    /// Shows new text whose syntax is followed. False if the parser has to read it.
    #[cfg_attr(riacho_module, optimize(speed))]
    pub(super) fn append_followed(&mut self) -> bool {
        let Some(Plain::Followed(mut inline)) = self.plain.take() else { return false };
        let Some(new) = self.text.get(inline.at()..) else { return false };
        if new.len() > HELD + self.text.len() - self.shown || !is_seen(new) {
            return false;
        }
        self.pen.work.scanned += new.len() as u64;
        let Some((parent, prev, leaf)) = self.tail.last_mut().and_then(|node| leaf_mut(node, 0, 0)) else {
            return false;
        };
        let mut brush = Brush {
            pen: &mut self.pen,
            policy: &self.policy,
            id_prefix: &self.id_prefix,
            place: Place { parent, prev },
            depth: inline.open().len(),
            cell: (leaf.name() == Some("tr")).then(|| inline.cell()),
            leaf,
        };
        let known = inline.advance(&self.text, &mut brush);
        if known {
            self.plain = Some(Plain::Followed(inline));
        }
        known
    }
}

/// The last leaf in a node, and how deep it is in it.
fn last(node: &Node, depth: usize) -> (&Node, usize) {
    match node.kids.last().filter(|_| node.role.is_container()) {
        Some(kid) => last(kid, depth + 1),
        None => (node, depth),
    }
}

/// Whether the end of the tree is what `inline` takes it for.
fn agrees(text: &str, inline: &Inline, kids: &[Node]) -> bool {
    let mut kids = kids;
    for span in inline.open() {
        let Some(node) = kids.last().filter(|node| node.name() == Some(name(span))) else { return false };
        kids = &node.kids;
    }
    let shown = last_char(head_of(text, inline.at()));
    match kids.last() {
        Some(Node { kind: Kind::Text { text, .. }, role: Role::Inline, .. }) => last_char(text) == shown,
        Some(Node { kind: Kind::Text { .. }, .. }) => false,
        _ => !shown.is_some_and(is_word),
    }
}

fn name(span: Span) -> &'static str {
    match span {
        Span::Emphasis => "em",
        Span::Strong => "strong",
        Span::Strike => "del",
        Span::Code => "code",
        Span::Link => "a",
    }
}

/// Where the kids of a leaf go that has no element of its own.
#[derive(Debug, Clone, Copy)]
struct Place {
    parent: u32,
    prev: u32,
}

struct Brush<'a> {
    pen: &'a mut Pen,
    policy: &'a Policy,
    id_prefix: &'a str,
    leaf: &'a mut Node,
    place: Place,
    /// How many spans are open.
    depth: usize,
    /// The leaf is a row, and this its present cell.
    cell: Option<usize>,
}

impl Brush<'_> {
    /// The node that is being written in, and where a new kid goes.
    #[cfg_attr(riacho_module, optimize(speed))]
    fn innermost(&mut self) -> Option<(&mut Node, Place)> {
        let mut node = &mut *self.leaf;
        let mut place = self.place;
        if let Some(cell) = self.cell {
            node = node.kids.get_mut(cell)?;
        }
        for _ in 0..self.depth {
            node = node.kids.last_mut()?;
        }
        if !matches!(node.kind, Kind::Virtual) {
            place = Place { parent: node.id, prev: node.before };
        }
        let last = node.kids.iter().rev().map(Node::last_id).find(|&id| id != 0);
        place.prev = last.unwrap_or(place.prev);
        Some((node, place))
    }

    fn add(&mut self, mut new: Node) {
        let Some((_, place)) = self.innermost() else { return };
        diff::create(self.pen, place.parent, place.prev, &mut new);
        if let Some((node, ..)) = self.innermost() {
            node.kids.push(new);
        }
    }
}

impl Sink for Brush<'_> {
    #[cfg_attr(riacho_module, optimize(speed))]
    fn text(&mut self, new: &str) {
        let Some((node, _)) = self.innermost() else { return };
        if let Some(Node { kind: Kind::Text { text, .. }, role: Role::Inline, id, .. }) = node.kids.last_mut()
        {
            text.push_str(new);
            let id = *id;
            self.pen.append(id, new);
            return;
        }
        self.add(Node::text(new.to_owned()));
    }

    fn open(&mut self, span: Span) {
        let attrs: &[(&str, &str)] = if span == Span::Link { &[("href", PENDING)] } else { &[] };
        let node = match self.policy.element(name(span), attrs, self.id_prefix) {
            Verdict::Keep(element) => Node::new(Kind::Element(element)),
            _ => Node::new(Kind::Virtual),
        };
        self.add(node);
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    fn link(&mut self, dest: &str) -> bool {
        let (policy, id_prefix) = (self.policy, self.id_prefix);
        let made = policy.element("a", &[("href", &href(dest))], id_prefix);
        let Some((node, ..)) = self.innermost() else { return false };
        let (Verdict::Keep(after), Kind::Element(before)) = (made, &mut node.kind) else { return false };
        let before = std::mem::replace(before, after);
        let count = node.kids.len();
        finish(policy, id_prefix, node);
        // A note on where it leads: the parser's business, and rare.
        let noted = node.kids.len() != count;
        node.kids.truncate(count);
        let (id, kind) = (node.id, node.kind.clone());
        if let Kind::Element(after) = &kind {
            diff::attributes(self.pen, id, &before, after);
        }
        self.depth = self.depth.saturating_sub(1);
        !noted
    }

    fn cell(&mut self) {
        self.cell = self.cell.map(|cell| cell + 1);
    }
}
