//! Finished leaves with labels that nobody has defined yet, and what happens when somebody does.

use std::ops::Range;

use riacho_index::Map;

use crate::core::pattern::{figures, find};

use super::Engine;
use super::diff;
use super::labels::{Key, Labels};
use super::parse::Slice;
use super::path::Open;
use super::raw::Sanitize;
use super::tree::{Kind, Node, Role, numbers};

/// A leaf that may change once more.
#[derive(Debug)]
pub struct Leaf {
    pub lines: Range<usize>,
    pub at: usize,
    /// What was open before its first line.
    pub path: Vec<Open>,
    pub context: Vec<String>,
    /// Only missing while it is put here.
    pub node: Option<Node>,
    pub parent: u32,
    pub prev: u32,
    /// How many of its labels are still unknown.
    pub unknown: usize,
}

/// So many leaves wait for the rest of their labels while definitions come.
const MOST_WOKEN: usize = 16;

#[derive(Debug, Default)]
pub struct Waiting {
    pub leaves: Vec<Option<Leaf>>,
    /// By label, which leaves wait for it.
    index: Map<Vec<usize>>,
    /// Leaves of which some labels have become known, and that have not been rendered again since.
    /// Sorted.
    woken: Vec<usize>,
}

impl Waiting {
    pub fn add(&mut self, mut leaf: Leaf, keys: Vec<&Key>) -> usize {
        let at = self.leaves.len();
        for key in keys {
            let waiting = self.index.get_or_insert_with(key.as_str(), Vec::new);
            if waiting.last() != Some(&at) {
                waiting.push(at);
                leaf.unknown += 1;
            }
        }
        self.leaves.push(Some(leaf));
        at
    }

    pub fn node(&mut self, at: usize) -> Option<&mut Node> {
        self.leaves.get_mut(at)?.as_mut()?.node.as_mut()
    }

    /// These labels are known now. Gives back the leaves to render again, in order: those that wait for nothing more;
    /// all that waited for something, if no definition `follows`.
    fn define(&mut self, keys: &[Key], follows: bool) -> Vec<usize> {
        for key in keys {
            let Some(waiting) = self.index.get_mut(key.as_str()) else { continue };
            for at in std::mem::take(waiting) {
                if let Some(Some(leaf)) = self.leaves.get_mut(at) {
                    leaf.unknown = leaf.unknown.saturating_sub(1);
                    if let Err(place) = self.woken.binary_search(&at) {
                        self.woken.insert(place, at);
                    }
                }
            }
        }
        if !follows {
            return std::mem::take(&mut self.woken);
        }
        let woken = std::mem::take(&mut self.woken);
        let leaves = &self.leaves;
        let whole = |at: usize| matches!(leaves.get(at), Some(Some(leaf)) if leaf.unknown == 0);
        let waiting = woken.iter().filter(|at| !whole(**at)).count();
        let mut surplus = waiting.saturating_sub(MOST_WOKEN);
        let mut ready = Vec::new();
        for at in woken {
            if whole(at) {
                ready.push(at);
            } else if surplus > 0 {
                surplus -= 1;
                ready.push(at);
            } else {
                self.woken.push(at);
            }
        }
        ready
    }
}

impl Engine {
    /// Renders the leaves again that waited for these labels. While definitions follow each other, one with several
    /// unknown labels is rendered once.
    pub(super) fn wake(&mut self, defined: Vec<Key>, follows: bool, sanitizer: Option<&dyn Sanitize>) {
        for at in self.waiting.define(&defined, follows) {
            let Some(mut leaf) = self.waiting.leaves.get_mut(at).and_then(Option::take) else { continue };
            self.refresh(&mut leaf, sanitizer);
            if let Some(place) = self.waiting.leaves.get_mut(at) {
                *place = Some(leaf);
            }
        }
    }

    fn refresh(&mut self, leaf: &mut Leaf, sanitizer: Option<&dyn Sanitize>) {
        let Some(mut old) = leaf.node.take() else { return };
        if self.text.get(leaf.lines.clone()).is_some_and(|lines| find(lines, "[^").is_some()) {
            // First only to learn which footnotes it mentions: their numbers may move.
            for (label, at) in self.read(leaf).mentions {
                self.mention(&label, at);
            }
        }
        let parsed = self.read(leaf);
        let made = self.assemble(parsed.tops, leaf.lines.clone(), &leaf.path, &leaf.context, None, sanitizer);
        self.pen.work.scanned += made.scanned as u64;
        let Some(mut new) = leaf_at(made.kids, leaf.at) else {
            leaf.node = Some(old);
            return;
        };
        // Whether it is tight is the list's business, and has been decided.
        if new.role == Role::Paragraph && old.role == Role::Paragraph {
            new.kind = old.kind.clone();
        }
        numbers(&old, &mut |label, id| self.labels.numbers_mut().hide(label, id));
        renumber(&mut old, &self.labels);
        let (first, last) = (old.first_id(), old.last_id());
        diff::kids(&mut self.pen, leaf.parent, leaf.prev, vec![old], std::slice::from_mut(&mut new));
        self.replaced(first, new.first_id(), &new);
        self.replaced(last, new.last_id(), &new);
        numbers(&new, &mut |label, id| self.labels.numbers_mut().show(label, id));
        leaf.node = Some(new);
    }

    /// The first or last node of a leaf is another one now. Who named the old one names the new one.
    fn replaced(&mut self, old: u32, new: u32, leaf: &Node) {
        if old == new {
            return;
        }
        self.holds.hold(new);
        if leaf.kids.iter().any(|kid| kid.id == old) {
            return;
        }
        self.holds.drop(old);
        let others = self.waiting.leaves.iter_mut().flatten().map(|leaf| &mut leaf.prev);
        let path = self.path.iter_mut().map(|open| &mut open.before);
        for before in others.chain(path).chain([&mut self.before]).filter(|before| **before == old) {
            *before = new;
            self.holds.hold(new);
        }
    }

    fn read(&mut self, leaf: &Leaf) -> super::Parsed {
        let slice = Slice {
            text: &self.text,
            range: leaf.lines.clone(),
            path: &leaf.path,
            labels: &self.labels,
            open: None,
        };
        let (parsed, scanned, events) = slice.nodes(&self.policy, &self.id_prefix, false);
        self.pen.work.scanned += scanned as u64;
        self.pen.work.compared += events as u64;
        parsed
    }
}

/// The leaf that begins at `at`.
fn leaf_at(nodes: Vec<Node>, at: usize) -> Option<Node> {
    nodes.into_iter().find_map(|node| {
        if !node.role.is_container() {
            return (!node.spine && node.span.start == at && node.role.is_block()).then_some(node);
        }
        leaf_at(node.kids, at)
    })
}

/// Brings the numbers in a node that is kept to what the page shows.
fn renumber(node: &mut Node, labels: &Labels) {
    if let (Role::Number(label), Kind::Text { text, .. }) = (&node.role, &mut node.kind)
        && let Some(number) = labels.numbers().get(label)
    {
        *text = figures(number);
    }
    for kid in &mut node.kids {
        renumber(kid, labels);
    }
}
