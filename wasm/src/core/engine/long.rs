//! What keeps a flush cheap inside of one leaf: plain text goes to the page as it is, and a long paragraph is read as a
//! whole only at growing lengths, with only its end in between.
//!
//! Nothing here decides what the page is in the end. It shows the same, or nearly, sooner; the next reading of the leaf
//! as a whole puts it right, and there always is one before the leaf is finished.

use std::borrow::Cow;

use pulldown_cmark::{Event, Tag};

use crate::core::pattern::{any_of, is_letter, is_word, last_char, such, trim};
use crate::core::policy::text;

use super::Engine;
use super::diff;
use super::grammar;
use super::guess::{Inside, guess, is_definition, may_close};
use super::inline::Inline;
use super::marks::is_marker;
use super::parse::Slice;
use super::path::{self, Open};
use super::tree::{Kind, Node, Role, drop_empty};

/// From this length on, what is open is not read again at each flush.
pub const LARGE: usize = 2048;
/// So much of definitions that follow each other is read at once.
const DEFINITIONS: usize = 512;
/// A piece of a long paragraph is this long at most.
const PIECE: usize = 1024;

/// More text could go right behind what is shown.
#[derive(Debug)]
pub enum Plain {
    /// In a leaf whose inline syntax is followed.
    Followed(Inline),
    /// In a paragraph, shown up to here; behind it are only spaces.
    Prose(usize),
    /// In a line of code.
    Code(usize),
    /// Anywhere, while its end is held back or closed like this: a tag, a URL, a definition that is not whole.
    Same(String),
}

/// A paragraph that is shown in pieces.
#[derive(Debug)]
pub struct Long {
    path: Vec<Open>,
    /// Where the present piece begins in the text.
    piece: usize,
    /// How many nodes are before it.
    kids: usize,
    /// The lines up to here belong to the paragraph.
    checked: usize,
}

impl Engine {
    /// Shows new text that can't be but text. False if it might be more.
    #[cfg_attr(riacho_module, optimize(speed))]
    pub(super) fn append_plain(&mut self) -> bool {
        match self.plain {
            Some(Plain::Followed(_)) => self.append_followed(),
            Some(Plain::Prose(from)) => self.append_prose(from),
            Some(Plain::Code(from)) => self.append_code(from),
            Some(Plain::Same(_)) => self.append_nothing(),
            None => false,
        }
    }

    #[cfg_attr(riacho_module, optimize(speed))]
    fn append_prose(&mut self, from: usize) -> bool {
        let Some(new) = self.text.get(from..) else { return false };
        if !new.chars().all(is_calm) || !is_seen(new) {
            return false;
        }
        self.plain = Some(Plain::Prose(from + new.trim_end_matches(' ').len()));
        self.append_text(from, new.trim_end_matches(' ').len())
    }

    #[cfg_attr(riacho_module, optimize(speed))]
    fn append_code(&mut self, from: usize) -> bool {
        let Some(new) = self.text.get(from..) else { return false };
        if !is_seen(new) {
            return false;
        }
        let mut len = new.len();
        // What may be the end of the fence, or only what is before it on its line.
        let waits = |line: &str| may_close(line) || line.len() <= 3 && trim(line).is_empty();
        let begins = self.line_start(from) == from;
        if let Some((first, lines)) = new.split_once('\n') {
            // The lines of a fence in nothing are code as they are, unless one ends it.
            let fits = self.last_text_len() + new.len() < LARGE;
            if !fits || !self.is_flat_fence() {
                return false;
            }
            let (whole, last) = lines.rsplit_once('\n').unwrap_or(("", lines));
            if begins && may_close(first) || whole.split('\n').any(may_close) {
                return false;
            }
            if waits(last) {
                len -= last.len();
            }
        } else if begins && waits(new) {
            len = 0;
        }
        self.plain = Some(Plain::Code(from + len));
        self.append_text(from, len)
    }

    /// What would be parsed is what was, or has only more definitions behind it.
    fn append_nothing(&mut self) -> bool {
        let Some(Plain::Same(shown)) = &self.plain else { return false };
        let (Some(open), Some(now)) = (self.text.get(self.anchor..), self.as_shown()) else { return false };
        let defines = open.as_bytes().get(now.len()) == Some(&b'[');
        let news = if defines { open.len().saturating_sub(shown.len()) } else { now.len() };
        if *shown == now {
            self.pen.work.scanned += news as u64;
            return true;
        }
        // They are read together, some at a time.
        let follows = defines
            && open.len() < DEFINITIONS
            && now.strip_prefix(shown.as_str()).is_some_and(|new| new.lines().all(is_definition));
        let now = now.into_owned();
        self.pen.work.scanned += news as u64;
        if follows {
            self.plain = Some(Plain::Same(now));
        }
        follows
    }

    /// What is open, as it would be parsed now, if that is short and more than the text.
    fn as_shown(&self) -> Option<Cow<'_, str>> {
        let open = self.text.get(self.anchor..).filter(|open| open.len() < LARGE)?;
        // What may yet be any block, and what follows code, is parsed in the light of what it becomes.
        let line = open.rsplit('\n').next().unwrap_or_default();
        let code = self.last_leaf().is_some_and(|leaf| matches!(leaf.role, Role::Fence | Role::Code));
        if code || is_marker(line.trim_matches(any_of(" >"))) {
            return None;
        }
        let shown = guess(open, self.guessed()?);
        (shown.len() != open.len()).then_some(shown)
    }

    /// Puts so much of the text behind what is shown.
    #[cfg_attr(riacho_module, optimize(speed))]
    fn append_text(&mut self, from: usize, len: usize) -> bool {
        let Some(new) = self.text.get(from..from + len) else { return false };
        self.pen.work.scanned += new.len() as u64;
        let Some(node) = self.tail.last_mut().and_then(last_text) else { return false };
        if let Kind::Text { text, .. } = &mut node.kind
            && !new.is_empty()
        {
            text.push_str(new);
            self.pen.append(node.id, new);
        }
        true
    }

    fn last_text_len(&self) -> usize {
        match self.tail.last().and_then(last_text_of) {
            Some(Node { kind: Kind::Text { text, .. }, .. }) => text.len(),
            _ => 0,
        }
    }

    /// The last block is a fence that stands at the start of its line, in no container.
    fn is_flat_fence(&self) -> bool {
        let Some(leaf) = self.tail.last().filter(|leaf| leaf.role == Role::Fence) else { return false };
        match self.path.as_slice() {
            [] => {
                self.line_start(leaf.span.start) == leaf.span.start
                    && self.text.get(leaf.span.start..).is_some_and(|text| text.starts_with(any_of("`~")))
            }
            [fence] => fence.role == Role::Fence && fence.begin.starts_with(any_of("`~")),
            _ => false,
        }
    }

    /// Whether text may be put behind what is shown now. `text_end` is where the last text on the page ends.
    pub(super) fn plain_after(&mut self, text_end: usize) -> Option<Plain> {
        if let Some(inline) = self.follow() {
            return Some(Plain::Followed(inline));
        }
        if self
            .long
            .as_ref()
            .is_some_and(|long| self.last_leaf().is_none_or(|leaf| leaf.kids.len() == long.kids))
        {
            // What is shown belongs to the piece before.
            return None;
        }
        let line = self.text.get(self.line_start(self.text.len())..)?;
        let trimmed = self.text.trim_end_matches(' ').len();
        if let Some(shown) = self.as_shown() {
            return Some(Plain::Same(shown.into_owned()));
        }
        let leaf = self.last_leaf()?;
        let role = leaf.role.clone();
        let Kind::Text { text: shown, .. } = &last_text_of(self.tail.last()?)?.kind else { return None };
        if shown.is_empty() {
            return None;
        }
        match role {
            Role::Paragraph => {
                let good = text_end == trimmed
                    && line.contains(such(is_letter))
                    && self.text.get(..trimmed)?.ends_with(such(is_calm))
                    && last_char(shown) == self.text.get(..trimmed)?.chars().next_back();
                good.then_some(Plain::Prose(trimmed))
            }
            Role::Fence => {
                let content = line.trim_start_matches(any_of(" >"));
                let last = last_char(shown);
                let good = text_end == self.text.len() && last == last_char(&self.text);
                let in_line = !line.contains('\t')
                    && content.contains(such(|c| !matches!(c, '`' | '~' | ' ')))
                    && last != Some('\n');
                (good && (in_line || self.is_flat_fence())).then_some(Plain::Code(self.text.len()))
            }
            Role::Html => {
                // Text in an element of which nothing is known but that it shows text: the next tag puts it right.
                let (_, inside) = line.rsplit_once('>')?;
                let end = inside.trim_start_matches(' ');
                let good = end.chars().all(is_calm) && end.ends_with(such(is_word)) && end.len() > 2;
                (good && shown.ends_with(end)).then_some(Plain::Prose(trimmed))
            }
            _ => None,
        }
    }

    pub(super) fn last_leaf(&self) -> Option<&Node> {
        self.tail.last().and_then(last_leaf)
    }

    /// Goes on with a long paragraph. False if it has to be read as a whole.
    pub(super) fn append_long(&mut self) -> bool {
        let Some(mut long) = self.long.take() else { return false };
        if self.ended || self.text.len() >= self.next_read {
            return false;
        }
        let whole = self.whole();
        if whole > long.checked {
            if !self.is_still_open(&long, whole) {
                return false;
            }
            long.checked = whole;
        }
        let Some(shown) = self.show_piece(&mut long) else { return false };
        self.long = Some(long);
        self.plain = self.plain_after(shown);
        true
    }

    /// After a long paragraph was read as a whole: the next piece begins here.
    pub(super) fn begin_long(&mut self) -> Option<Long> {
        if self.ended || self.text.len() - self.anchor < LARGE {
            return None;
        }
        let leaf = self.last_leaf()?;
        let open = leaf.role == Role::Paragraph && leaf.html.is_none();
        // A blank line may be behind it, unless all of it is one line that goes on.
        let line = self.text.get(self.line_start(self.whole().saturating_sub(1))..self.whole())?;
        let ended = self.whole() > leaf.span.start && line.trim_matches(any_of(" >\n\t")).is_empty();
        if !open || leaf.span.start < self.anchor || ended {
            return None;
        }
        let piece = self.seen_end()?;
        let path = self.path_of_tail(leaf.span.start)?;
        Some(Long { path, piece, kids: leaf.kids.len(), checked: self.whole() })
    }

    /// Where what shows of the text ends: blanks at the end show only with what follows them, so the next piece begins
    /// with them. None where the last line has nothing but the marks of its containers.
    fn seen_end(&self) -> Option<usize> {
        let end = self.text.trim_end_matches(any_of(" \t\n")).len();
        let line = self.text.get(self.line_start(end)..end)?;
        (!line.trim_matches(any_of(" >\t")).is_empty()).then_some(end)
    }

    /// Asks the parser, with a short paragraph in the place of the long one.
    fn is_still_open(&mut self, long: &Long, whole: usize) -> bool {
        let begin = path::begin_of(&long.path);
        let from = self.line_start(long.checked.saturating_sub(1)).max(self.anchor);
        let Some(lines) = self.text.get(from..whole) else { return false };
        let first = from <= self.line_start(long.piece.min(from)) && from == self.anchor;
        if first {
            return false;
        }
        let input = [&begin, "x\n", lines].concat();
        self.pen.work.scanned += input.len() as u64;
        let last = lines.trim_end_matches('\n').rsplit('\n').next().unwrap_or_default();
        let blank = lines.split_inclusive('\n').any(|line| line.trim_matches(any_of(" >\t\n")).is_empty());
        if blank || last.is_empty() {
            return false;
        }
        let containers = long.path.iter().filter(|open| !matches!(open.role, Role::Raw)).count();
        let (mut opened, mut paragraphs) = (0, 0);
        for event in grammar::parser(&input, None) {
            match event {
                Event::Start(Tag::List(_) | Tag::Item | Tag::BlockQuote(_) | Tag::FootnoteDefinition(_)) => {
                    opened += 1;
                }
                Event::Start(Tag::Paragraph) => paragraphs += 1,
                Event::Start(Tag::Heading { .. } | Tag::CodeBlock(_) | Tag::HtmlBlock | Tag::Table(_))
                | Event::Rule => return false,
                _ => {}
            }
        }
        opened == containers && paragraphs <= 1
    }

    /// Gives back where the last text ends that is shown.
    fn show_piece(&mut self, long: &mut Long) -> Option<usize> {
        let begin = path::begin_of(&long.path);
        let (before, piece) = (self.text.get(..long.piece)?, self.text.get(long.piece..)?);
        // What is before the piece matters to a delimiter that begins it.
        let guard = if before.ends_with(any_of(" \n")) { "x " } else { "x" };
        let text = [&begin, guard, piece].concat();
        let slice = Slice {
            text: &text,
            range: 0..text.len(),
            path: &[],
            labels: &self.labels,
            open: Some(Inside::Other),
        };
        let (parsed, scanned, events) = slice.nodes(&self.policy, &self.id_prefix, false);
        self.pen.work.scanned += scanned as u64;
        self.pen.work.compared += events as u64;
        let mut tops = parsed.tops;
        let mut made = tops.pop().and_then(|top| into_leaf(top.node)).filter(|_| tops.is_empty())?;
        if let Some(Node { kind: Kind::Text { text, .. }, .. }) = made.kids.first_mut() {
            text.drain(..guard.len().min(text.len()));
        }
        drop_empty(&mut made.kids);
        let (parent, prev, leaf) = self.tail.last_mut().and_then(|node| leaf_mut(node, 0, 0))?;
        if long.kids > leaf.kids.len() {
            return None;
        }
        let old = leaf.kids.split_off(long.kids);
        let own = leaf.last_id();
        let (parent, prev) = match leaf.kind {
            Kind::Virtual => (parent, if own == 0 { prev } else { own }),
            _ => (leaf.id, leaf.kids.last().map_or(0, Node::last_id)),
        };
        diff::kids(&mut self.pen, parent, prev, old, &mut made.kids);
        leaf.kids.append(&mut made.kids);
        let shown = (parsed.text_end + long.piece).saturating_sub(begin.len() + guard.len());
        let kids = leaf.kids.len();
        if self.text.len() - long.piece > PIECE
            && let Some(piece) = self.seen_end()
        {
            (long.piece, long.kids) = (piece, kids);
        }
        Some(shown)
    }
}

/// A character that is never more than text in the middle of a line.
fn is_calm(c: char) -> bool {
    matches!(c, ' ' | ',' | '.' | '\'' | '"' | '?' | '%' | '/' | '-' | '+')
        || is_word(c) && (c.is_ascii() || text::is_honest(c))
}

/// No character in it is one that the grammar changes.
#[cfg_attr(riacho_module, optimize(speed))]
pub(super) fn is_seen(new: &str) -> bool {
    new.is_ascii() || matches!((text::honest(new), text::seen(new)), (Cow::Borrowed(_), Cow::Borrowed(_)))
}

/// The last leaf in a node.
pub fn last_leaf(node: &Node) -> Option<&Node> {
    if node.role.is_container() { node.kids.last().and_then(last_leaf) } else { Some(node) }
}

/// The last leaf in a node, with its parent's id and what is before it there.
pub(super) fn leaf_mut(node: &mut Node, parent: u32, prev: u32) -> Option<(u32, u32, &mut Node)> {
    if !node.role.is_container() {
        return Some((parent, prev, node));
    }
    let (id, mut before) = (node.id, node.before);
    let (last, others) = node.kids.split_last_mut()?;
    for kid in others.iter() {
        before = if kid.last_id() == 0 { before } else { kid.last_id() };
    }
    leaf_mut(last, id, before)
}

fn into_leaf(node: Node) -> Option<Node> {
    if !node.role.is_container() {
        return Some(node);
    }
    let mut kids = node.kids;
    let last = kids.pop()?;
    if kids.is_empty() { into_leaf(last) } else { None }
}

fn last_text_of(node: &Node) -> Option<&Node> {
    if matches!(node.kind, Kind::Text { .. }) {
        return (node.role == Role::Inline).then_some(node);
    }
    node.kids.last().and_then(last_text_of)
}

/// The text at the very end of a node.
fn last_text(node: &mut Node) -> Option<&mut Node> {
    if matches!(node.kind, Kind::Text { .. }) {
        return (node.role == Role::Inline).then_some(node);
    }
    node.kids.last_mut().and_then(last_text)
}
