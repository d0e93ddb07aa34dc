//! The part of the page that may still change, as the engine knows it.

use std::ops::Range;

use pulldown_cmark::Alignment;

use crate::core::pattern::any_of;
use crate::core::policy::{Element, Tag};

/// What a node is in markdown.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Role {
    /// Part of a block.
    #[default]
    Inline,
    /// A paragraph, tight or not.
    Paragraph,
    /// A task's checkbox alone on its line.
    Task,
    /// A heading, a rule, a row of a table, its head.
    Leaf,
    /// Indented code.
    Code,
    Fence,
    /// Made of raw HTML, or of blocks that are one piece of HTML with it.
    Html,
    /// An element of raw HTML that is still open: blocks go into it.
    Raw,
    Quote,
    List {
        loose: bool,
    },
    Item,
    Note(String),
    Table(Vec<Alignment>),
    Body,
    /// The number of a footnote, by its label.
    Number(String),
}

impl Role {
    /// Blocks go into it, and more may come.
    pub fn is_container(&self) -> bool {
        matches!(
            self,
            Role::Raw
                | Role::Quote
                | Role::List { .. }
                | Role::Item
                | Role::Note(_)
                | Role::Table(_)
                | Role::Body
        )
    }

    pub fn is_block(&self) -> bool {
        !matches!(self, Role::Inline | Role::Number(_))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Element(Element),
    /// `gone` UTF-16 units come before; they can't change any more and are not kept.
    Text {
        text: String,
        gone: u32,
    },
    /// No node of its own: its kids are its parent's. A tight paragraph, or raw HTML.
    Virtual,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// 0 until it is on the page, and for a virtual node.
    pub id: u32,
    pub kind: Kind,
    pub role: Role,
    pub kids: Vec<Node>,
    /// Where a block is in the text.
    pub span: Range<usize>,
    /// It is on the page already and was begun in finished text; only the end of it is here.
    pub spine: bool,
    /// Its last finished kid; 0 if none.
    pub before: u32,
    /// Raw HTML is in this leaf, which these events made.
    pub html: Option<Range<usize>>,
}

impl Node {
    pub fn new(kind: Kind) -> Node {
        Node {
            id: 0,
            kind,
            role: Role::Inline,
            kids: Vec::new(),
            span: 0..0,
            spine: false,
            before: 0,
            html: None,
        }
    }

    pub fn text(text: String) -> Node {
        Node::new(Kind::Text { text, gone: 0 })
    }

    pub fn name(&self) -> Option<&'static str> {
        self.tag().map(Tag::name)
    }

    pub fn tag(&self) -> Option<Tag> {
        match &self.kind {
            Kind::Element(element) => Some(element.tag()),
            _ => None,
        }
    }

    pub fn is_block(&self) -> bool {
        self.tag().is_some_and(Tag::is_block)
    }

    /// The id of the last thing it puts into its parent; 0 if nothing.
    pub fn last_id(&self) -> u32 {
        match self.kind {
            Kind::Virtual => self.kids.iter().rev().map(Node::last_id).find(|&id| id != 0).unwrap_or(0),
            _ => self.id,
        }
    }

    /// The id of the first thing it puts into its parent; 0 if nothing.
    pub fn first_id(&self) -> u32 {
        match self.kind {
            Kind::Virtual => self.kids.iter().map(Node::first_id).find(|&id| id != 0).unwrap_or(0),
            _ => self.id,
        }
    }
}

/// Adds a kid, joining text with text.
#[cfg_attr(riacho_module, optimize(speed))]
pub fn push(kids: &mut Vec<Node>, node: Node) {
    if let Kind::Text { text: new, .. } = &node.kind {
        if new.is_empty() {
            return;
        }
        if let Some(Node { kind: Kind::Text { text, .. }, role: Role::Inline, .. }) = kids.last_mut()
            && node.role == Role::Inline
        {
            text.push_str(new);
            return;
        }
    }
    kids.push(node);
}

/// Line ends as an HTML parser reads them.
pub fn lf(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((line, next)) = rest.split_once('\r') {
        out.push_str(line);
        out.push('\n');
        rest = next.strip_prefix('\n').unwrap_or(next);
    }
    out + rest
}

const WHITESPACE: &str = " \t\n\x0c\r";

/// Brings the kids of one element into the shape that the policy keeps: line ends are LF, and whitespace at the edge
/// of a block, where a browser shows none, is left out. `parent` is `None` for the root.
#[cfg_attr(riacho_module, optimize(speed))]
pub fn tidy(parent: Option<Tag>, kids: &mut Vec<Node>) {
    let trims = parent.is_none_or(|tag| tag.is_block() && tag.name() != "pre");
    let count = kids.len();
    let mut empty = false;
    for at in 0..count {
        let edge_before = at == 0 || kids.get(at - 1).is_some_and(Node::is_block);
        let edge_after = at + 1 == count || kids.get(at + 1).is_some_and(Node::is_block);
        if let Some(Node { kind: Kind::Text { text, gone }, spine, .. }) = kids.get_mut(at) {
            if text.contains('\r') {
                *text = lf(text);
            }
            if trims && edge_after {
                text.truncate(text.trim_end_matches(any_of(WHITESPACE)).len());
            }
            if trims && edge_before {
                let cut = text.len() - text.trim_start_matches(any_of(WHITESPACE)).len();
                text.drain(..cut);
            }
            empty |= text.is_empty() && *gone == 0 && !*spine;
        }
    }
    if empty {
        drop_empty(kids);
    }
}

/// Takes texts out in which nothing is, and never was.
pub fn drop_empty(kids: &mut Vec<Node>) {
    kids.retain(
        |kid| !matches!(kid, Node { kind: Kind::Text { text, gone: 0 }, spine: false, .. } if text.is_empty()),
    );
}

/// The footnote numbers in a node.
pub fn numbers(node: &Node, visit: &mut impl FnMut(&str, u32)) {
    if let Role::Number(label) = &node.role {
        visit(label, node.id);
    }
    for kid in &node.kids {
        numbers(kid, visit);
    }
}
