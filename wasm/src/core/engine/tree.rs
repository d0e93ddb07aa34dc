//! The part of the page that may still change, as the engine knows it.

use std::ops::Range;

use riacho_flat::words;

use crate::core::policy::Element;

/// What a node is in markdown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Role {
    /// Part of a block.
    #[default]
    Inline,
    /// A paragraph, tight or not.
    Paragraph,
    /// Any other block.
    Block,
    /// The number of a footnote, by its label.
    Number(String),
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

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// 0 until it is on the page, and for a virtual node.
    pub id: u32,
    pub kind: Kind,
    pub role: Role,
    pub kids: Vec<Node>,
    /// Where a block is in the text.
    pub span: Range<usize>,
}

impl Node {
    pub fn new(kind: Kind) -> Node {
        Node { id: 0, kind, role: Role::Inline, kids: Vec::new(), span: 0..0 }
    }

    pub fn text(text: String) -> Node {
        Node::new(Kind::Text { text, gone: 0 })
    }

    pub fn name(&self) -> Option<&'static str> {
        match &self.kind {
            Kind::Element(element) => Some(element.name()),
            _ => None,
        }
    }

    pub fn is_block(&self) -> bool {
        self.name().is_some_and(words::is_block)
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

const WHITESPACE: [char; 5] = [' ', '\t', '\n', '\x0c', '\r'];

/// Brings the kids of one element into the shape that the policy keeps: line ends are LF, and whitespace at the edge
/// of a block, where a browser shows none, is left out. `parent` is `None` for the root.
pub fn tidy(parent: Option<&str>, kids: &mut Vec<Node>) {
    let trims = parent.is_none_or(|name| words::is_block(name) && name != "pre");
    let count = kids.len();
    for at in 0..count {
        let edge_before = at == 0 || kids.get(at - 1).is_some_and(Node::is_block);
        let edge_after = at + 1 == count || kids.get(at + 1).is_some_and(Node::is_block);
        if let Some(Node { kind: Kind::Text { text, .. }, .. }) = kids.get_mut(at) {
            if text.contains('\r') {
                *text = text.replace("\r\n", "\n").replace('\r', "\n");
            }
            if trims && edge_after {
                text.truncate(text.trim_end_matches(WHITESPACE).len());
            }
            if trims && edge_before {
                let cut = text.len() - text.trim_start_matches(WHITESPACE).len();
                text.drain(..cut);
            }
        }
    }
    kids.retain(|kid| !matches!(&kid.kind, Kind::Text { text, gone: 0 } if text.is_empty()));
}
