//! Where the finished text ends, and which containers stay open there.

use std::ops::Range;

use crate::core::engine::Engine;
use crate::core::engine::batch::units;
use crate::core::engine::group;
use crate::core::engine::path::{self, Fence, Open};
use crate::core::engine::tree::{Kind, Node, Role};
use crate::core::pattern::{any_of, part_of, trim_end};

/// How long a leaf must be for its beginning to be left out.
const LONG: usize = 256;

/// Where the finished text ends.
pub(super) struct Cut {
    /// The line where the rest begins.
    pub(super) anchor: usize,
    /// Where the block begins that is the last one, or just finished.
    pub(super) at: usize,
    /// How far the next line is indented says nothing about containers.
    free: bool,
    /// The block is a fence that goes on.
    fence: bool,
    /// The block is a definition, which has no node.
    pub(super) definition: bool,
}

impl Engine {
    /// Where the anchor may go.
    pub(super) fn cut(&self, kids: &[Node], defined: &[Range<usize>]) -> Option<Cut> {
        let whole = self.whole();
        let last = last_block(kids, whole);
        if let Some(fence) = last.filter(|leaf| leaf.role == Role::Fence && leaf.spine) {
            return (whole > self.anchor && self.fence_is_open(fence, whole)).then_some(Cut {
                anchor: whole,
                at: 0,
                free: true,
                fence: true,
                definition: false,
            });
        }
        let last_at = last.map(|node| node.span.start);
        if let Some(definition) = defined.iter().rfind(|at| at.start < whole)
            && last_at.is_none_or(|at| definition.start > at)
        {
            return self.before_definition(definition);
        }
        let last = last?;
        let at = last.span.start;
        let anchor = self.line_start(at);
        // A title may still come for a definition on the line before; and not every block may begin right behind one.
        if let Some(definition) = defined.iter().rfind(|definition| definition.start < at)
            && self.line_end(definition.end.saturating_sub(1)) == anchor
        {
            return self.before_definition(definition);
        }
        if last.html.is_none() && whole - anchor > LONG {
            if last.role == Role::Fence && self.fence_is_open(last, whole) {
                return Some(Cut { anchor: whole, at, free: true, fence: true, definition: false });
            }
            // A long leaf that is closed need not be read again until the next block begins.
            let end = self.line_end(last.span.end.saturating_sub(1));
            if end < whole && matches!(last.role, Role::Paragraph | Role::Leaf | Role::Fence) {
                return Some(Cut { anchor: end, at, free: true, fence: false, definition: false });
            }
        }
        self.moved(Cut { anchor, at, free: last.role == Role::Code, fence: false, definition: false })
    }

    /// A definition is read again with what follows it.
    fn before_definition(&self, definition: &Range<usize>) -> Option<Cut> {
        let at = definition.start;
        self.moved(Cut { anchor: self.line_start(at), at, free: false, fence: false, definition: true })
    }

    fn moved(&self, cut: Cut) -> Option<Cut> {
        (cut.anchor > self.anchor).then_some(cut)
    }

    /// Whether more lines of code come. If that can't be told yet, no.
    fn fence_is_open(&self, fence: &Node, whole: usize) -> bool {
        if whole < self.text.len() {
            return fence.span.end >= self.text.len();
        }
        let line = self.line_start(whole.saturating_sub(1));
        let line = part_of(&self.text, line..whole);
        // A line that could be the end of it, in whatever containers.
        let ends = trim_end(line).ends_with(any_of("`~"));
        !ends && fence.span.end >= whole
    }

    /// The containers that are open at a cut. `None` if that can't be told.
    pub(super) fn path_to(
        &self,
        kids: &[Node],
        cut: &Cut,
        contexts: &[(usize, Vec<String>)],
    ) -> Option<Vec<Open>> {
        let mut path: Vec<Open> = Vec::new();
        // A raw element that is open at the anchor may be closed by what comes behind it.
        let raws = group::shown(&self.policy, context_at(contexts, cut.anchor)).len();
        let mut kids = kids;
        // What begins behind the anchor is not finished, whatever it is.
        while let Some(last) = kids.iter().rfind(|kid| kid.spine || kid.span.start < cut.anchor) {
            let fence = cut.fence && last.role == Role::Fence;
            let raw = path.len() < raws;
            let goes_on = last.role.is_container() && last.role != Role::Raw && cut.at < last.span.end;
            if !raw && !fence && !goes_on {
                break;
            }
            let old = self.path.get(path.len()).filter(|old| last.spine && old.id == last.id);
            let mut open = match old {
                Some(old) => old.clone(),
                None if raw => self.open_as(&Role::Raw, last.span.start, last.name()?, last.id, &path)?,
                None => self.open(last, &path)?,
            };
            if fence {
                let [code] = last.kids.as_slice() else { return None };
                let [text] = code.kids.as_slice() else { return None };
                let Kind::Text { text: shown, gone } = &text.kind else { return None };
                let gone = gone + units(finished_lines(shown));
                open.fence = Some(Fence { code: code.id, text: text.id, gone });
            }
            path.push(open);
            kids = &last.kids;
            if fence {
                break;
            }
        }
        // Only an item can be right inside of a list, and a definition is none; unless it stands in one that begins there.
        let in_item = kids.iter().any(|kid| kid.span.start >= cut.anchor && kid.span.contains(&cut.at));
        while cut.definition
            && !in_item
            && path.last().is_some_and(|open| {
                !matches!(open.role, Role::Item | Role::Quote | Role::Note(_) | Role::Raw)
            })
        {
            path.pop();
        }
        if !cut.free {
            let line = self.text.get(cut.anchor..self.line_end(cut.anchor))?.trim_end_matches('\n');
            let (indent, _) = path::spaces(path::strip(line, &path)?);
            if indent > 3 {
                return None;
            }
        }
        Some(path)
    }

    /// The containers around the leaf at the end of the tail, which begins at `at`.
    pub(in crate::core::engine) fn path_of_tail(&self, at: usize) -> Option<Vec<Open>> {
        let mut path: Vec<Open> = Vec::new();
        let mut kids = self.tail.as_slice();
        while let Some(last) = kids.last().filter(|last| last.role.is_container() && at < last.span.end) {
            path.push(match self.path.get(path.len()).filter(|old| last.spine && old.id == last.id) {
                Some(old) => old.clone(),
                None => self.open(last, &path)?,
            });
            kids = &last.kids;
        }
        Some(path)
    }

    /// A container that goes on behind the anchor.
    fn open(&self, node: &Node, path: &[Open]) -> Option<Open> {
        self.open_as(&node.role, node.span.start, node.name()?, node.id, path)
    }

    pub(super) fn open_as(
        &self,
        role: &Role,
        start: usize,
        name: &'static str,
        id: u32,
        path: &[Open],
    ) -> Option<Open> {
        let line = self.line_start(start);
        let (begin, next) = match role {
            Role::Raw | Role::List { .. } | Role::Table(_) => (String::new(), String::new()),
            Role::Body => match path.last().map(|open| &open.role) {
                Some(Role::Table(alignments)) => (path::table(alignments, &path::next(path)), String::new()),
                _ => return None,
            },
            role => path::begin_on(&self.text, line, role, path)?,
        };
        let (runs, fence) = (Vec::new(), None);
        Some(Open { role: role.clone(), id, before: 0, begin, next, name, line, runs, fence })
    }
}

/// The last block in document order that begins before `whole`; a fence of the path counts.
fn last_block(kids: &[Node], whole: usize) -> Option<&Node> {
    kids.iter().rev().find_map(|node| {
        if !node.role.is_block() || !node.spine && node.span.start >= whole {
            return None;
        }
        if node.role == Role::Fence {
            return Some(node);
        }
        let inner = if node.role.is_container() { last_block(&node.kids, whole) } else { None };
        inner.or_else(|| (!node.spine).then_some(node))
    })
}

/// The raw elements that are open at a place.
pub(super) fn context_at(contexts: &[(usize, Vec<String>)], at: usize) -> &[String] {
    let found = contexts.iter().find(|(start, _)| *start >= at).or(contexts.last());
    found.map_or(&[], |(_, context)| context.as_slice())
}

/// The lines of a text that are whole.
pub(super) fn finished_lines(text: &str) -> &str {
    text.rfind('\n').and_then(|at| text.get(..=at)).unwrap_or_default()
}
