//! Letting go of what is finished: which nodes leave the tree, what of them is still named, which ids are given back.

mod cut;

use crate::core::pattern::part_of;
use std::ops::Range;

use crate::core::policy::Verdict;

use super::Engine;
use super::batch::Pen;
use super::labels::Key;
use super::parse::{Definition, Parsed, footnote_labels};
use super::path::{Fence, Open, Run};
use super::raw::Sanitize;
use super::tree::{Kind, Node, Role, numbers};
use super::waiting::Leaf;
use cut::{context_at, finished_lines};

/// Finished nodes that somebody still names. When nobody does any more, the id is given back.
#[derive(Debug, Default)]
pub struct Holds {
    /// By id: ids are given out again, so there are few.
    counts: Vec<u32>,
}

impl Holds {
    pub fn hold(&mut self, id: u32) {
        let at = id as usize;
        if id != 0 {
            if at >= self.counts.len() {
                self.counts.resize(at + 1, 0);
            }
            if let Some(count) = self.counts.get_mut(at) {
                *count += 1;
            }
        }
    }

    /// For nodes that are finished.
    pub fn release(&mut self, pen: &mut Pen, id: u32) {
        if let Some(count) = self.counts.get_mut(id as usize).filter(|count| **count > 0) {
            *count -= 1;
            if *count == 0 {
                pen.forget(id);
            }
        }
    }

    /// For a node that is no more.
    pub fn drop(&mut self, id: u32) {
        if let Some(count) = self.counts.get_mut(id as usize) {
            *count = 0;
        }
    }

    fn is_held(&self, id: u32) -> bool {
        self.counts.get(id as usize).is_some_and(|count| *count > 0)
    }
}

/// One finished stretch, and what its leaves wait for.
struct Stretch<'a> {
    /// The labels, by where they are wanted.
    keys: &'a [(Key, usize)],
    /// The containers that the stretch is in.
    base: &'a [Open],
    /// The path as it was: what is let go of it is known there.
    old: &'a [Open],
    /// The containers in the stretch, down to where we are.
    inside: Vec<(Role, usize, &'static str)>,
    /// Tight paragraphs of the list around.
    runs: Vec<Run>,
}

impl Engine {
    /// Moves the anchor as far as it may go.
    pub(super) fn finish(
        &mut self,
        mut new: Vec<Node>,
        parsed: Parsed,
        contexts: &[(usize, Vec<String>)],
        pieces: &[Range<usize>],
        limit: Option<usize>,
        sanitizer: Option<&dyn Sanitize>,
    ) {
        let Parsed { refs, wanted, definitions, defined, notes, mentions, tasks, .. } = parsed;
        let found = if self.ended && limit.is_none() {
            Some((self.text.len(), Vec::new(), false))
        } else {
            let cut = self.cut(&new, &defined).filter(|cut| limit.is_none_or(|limit| cut.at <= limit));
            // What is one piece of HTML can't be finished by half.
            let cut = cut.filter(|cut| !pieces.iter().any(|p| p.start < cut.anchor && cut.anchor < p.end));
            cut.and_then(|cut| Some((cut.anchor, self.path_to(&new, &cut, contexts)?, cut.definition)))
        };
        let Some((anchor, path, follows)) = found else {
            self.tail = new;
            return;
        };
        // If the list turns loose, the task leaves the paragraph and the line end between is gone: more than a `p` around.
        let tight = path.iter().any(|open| open.role == Role::List { loose: false });
        if tight && tasks.is_some_and(|at| at < anchor) {
            self.tail = new;
            return;
        }
        // What is defined on a line that is not whole may yet be undone; nothing is finished on the strength of it.
        let whole = self.whole();
        let hasty =
            |d: &&Definition| !self.ended && d.span.end > whole && self.labels.link(&d.label).is_none();
        for definition in definitions.iter().filter(hasty) {
            let label = Key::link(&definition.label);
            if refs.iter().any(|(used, at)| *at < anchor && Key::link(used) == label) {
                self.tail = new;
                return;
            }
        }
        let mut now_known = Vec::new();
        for definition in definitions.iter().filter(|d| d.span.start < anchor) {
            if self.labels.define_link(&definition.label, &definition.dest, &definition.title) {
                now_known.push(Key::link(&definition.label));
            }
        }
        for (label, _) in notes.iter().filter(|(_, at)| *at < anchor) {
            if self.labels.define_note(label) {
                now_known.push(Key::note(label));
            }
        }
        for (label, at) in mentions.iter().filter(|(_, at)| *at < anchor) {
            self.mention(label, *at);
        }
        let mut keys: Vec<(Key, usize)> = Vec::new();
        let mut want = |key: Key, at: usize| {
            if at < anchor && !self.labels.knows(&key) {
                keys.push((key, at));
            }
        };
        wanted.iter().for_each(|(label, at)| want(Key::link(label), *at));
        refs.iter().for_each(|(label, at)| want(Key::link(label), *at));
        let slice = part_of(&self.text, self.anchor..anchor);
        for label in footnote_labels(slice) {
            // The label is a part of the slice; where it is there is where it is in the text.
            let at = self.anchor + (label.as_ptr() as usize - slice.as_ptr() as usize);
            want(Key::note(label), at);
        }
        keys.sort_unstable_by_key(|(_, at)| *at);
        // A piece of HTML can't be patched later as a leaf can: it is not finished before its labels are known.
        if !self.ended && keys.iter().any(|(_, at)| pieces.iter().any(|piece| piece.contains(at))) {
            self.tail = new;
            self.wake(now_known, false, sanitizer);
            return;
        }
        self.context = context_at(contexts, anchor).to_vec();
        self.let_go(&mut new, &keys, path, anchor);
        self.tail = new;
        self.anchor = anchor;
        self.wake(now_known, follows, sanitizer);
    }

    /// Takes what is finished out of the tree; `path` is what stays open.
    fn let_go(&mut self, root: &mut Vec<Node>, keys: &[(Key, usize)], mut path: Vec<Open>, anchor: usize) {
        let old = std::mem::take(&mut self.path);
        let depth = path.len();
        let mut kids = &mut *root;
        for level in 0..=depth {
            let (parent, mut before) = match level.checked_sub(1).and_then(|at| path.get(at)) {
                Some(open) => (open.id, open.before),
                None => (0, self.before),
            };
            let count = kids.iter().position(|kid| !kid.spine && kid.span.start >= anchor);
            let count = count.unwrap_or(kids.len()).saturating_sub(usize::from(level < depth));
            let list = (level.saturating_sub(2)..level)
                .rev()
                .find(|&at| path.get(at).is_some_and(|open| open.role == Role::List { loose: false }))
                .filter(|&at| {
                    at + 1 == level || path.get(at + 1).is_some_and(|open| open.role == Role::Item)
                });
            let base = path.get(..level).unwrap_or_default().to_vec();
            let mut stretch = Stretch { keys, base: &base, old: &old, inside: Vec::new(), runs: Vec::new() };
            let finished: Vec<Node> = kids.drain(..count).collect();
            for node in finished {
                let last = node.last_id();
                self.holds.hold(last);
                self.give_back(node, parent, before, &mut stretch, list.is_some());
                if last != 0 {
                    self.holds.release(&mut self.pen, before);
                    before = last;
                }
            }
            let runs = std::mem::take(&mut stretch.runs);
            match level.checked_sub(1).and_then(|at| path.get_mut(at)) {
                Some(open) => open.before = before,
                None => self.before = before,
            }
            if let Some(list) = list.and_then(|at| path.get_mut(at)) {
                list.runs.extend(runs);
            }
            if level == depth {
                break;
            }
            let (Some(open), Some(node)) = (path.get(level), kids.first_mut()) else { break };
            (node.spine, node.id) = (true, open.id);
            if let Some(fence) = open.fence {
                begin_fence(node, fence);
                break;
            }
            kids = &mut node.kids;
        }
        // A container's last finished kid is only known now.
        let mut kids = root;
        for open in &path {
            let Some(node) = kids.first_mut() else { break };
            node.before = open.before;
            kids = &mut node.kids;
        }
        self.path = path;
    }

    /// Gives back the ids of a finished node, but for those that are held. `runs` says that the list around may still
    /// turn loose.
    fn give_back(&mut self, node: Node, parent: u32, prev: u32, stretch: &mut Stretch<'_>, runs: bool) {
        self.pen.work.compared += 1;
        let tight = node.role == Role::Paragraph && matches!(node.kind, Kind::Virtual);
        if matches!(node.role, Role::Paragraph | Role::Leaf)
            && let Some(at) = self.wait(&node, parent, prev, stretch)
        {
            if tight && runs {
                stretch.runs.push(Run::Waiting(at));
            }
            if let Some(Some(leaf)) = self.waiting.leaves.get_mut(at) {
                leaf.node = Some(node);
            }
            return;
        }
        if let Role::Number(label) = &node.role {
            self.holds.hold(node.id);
            self.labels.numbers_mut().show(label, node.id);
        }
        if tight && runs && node.first_id() != 0 {
            let (first, last) = (node.first_id(), node.last_id());
            self.holds.hold(first);
            self.holds.hold(last);
            stretch.runs.push(Run::Nodes { first, last });
        }
        let runs = runs && node.role == Role::Item;
        let named = node.name().filter(|_| node.role.is_container());
        stretch.inside.extend(named.map(|name| (node.role.clone(), node.span.start, name)));
        let own = if matches!(node.kind, Kind::Virtual) { parent } else { node.id };
        let mut last = if matches!(node.kind, Kind::Virtual) { prev } else { node.before };
        for kid in node.kids {
            let id = kid.last_id();
            self.give_back(kid, own, last, stretch, runs);
            last = if id == 0 { last } else { id };
        }
        if named.is_some() {
            stretch.inside.pop();
        }
        if node.id != 0 && !self.holds.is_held(node.id) {
            self.pen.forget(node.id);
        }
        if node.spine {
            self.holds.release(&mut self.pen, node.before);
            let begun = stretch.old.iter().find(|open| open.id == node.id);
            for run in begun.map_or(&[][..], |open| &open.runs) {
                if let Run::Nodes { first, last } = run {
                    self.holds.release(&mut self.pen, *first);
                    self.holds.release(&mut self.pen, *last);
                }
            }
        }
    }

    /// Keeps a finished leaf in mind if labels in it are not defined yet. Says under which number.
    fn wait(&mut self, node: &Node, parent: u32, prev: u32, stretch: &Stretch<'_>) -> Option<usize> {
        let from = stretch.keys.partition_point(|(_, at)| *at < node.span.start);
        let keys: Vec<&Key> = stretch
            .keys
            .get(from..)?
            .iter()
            .take_while(|(_, at)| *at < node.span.end)
            .map(|(key, _)| key)
            .collect();
        if keys.is_empty() {
            return None;
        }
        let line = self.line_start(node.span.start);
        let mut path: Vec<Open> = stretch.base.iter().filter(|open| open.line < line).cloned().collect();
        for (role, start, name) in &stretch.inside {
            if self.line_start(*start) < line {
                path.push(self.open_as(role, *start, name, 0, &path)?);
            }
        }
        let mut end = node.span.end;
        if node.name() == Some("thead") {
            // The line below makes it a head.
            end = self.line_end(self.line_end(end.saturating_sub(1)));
        }
        self.holds.hold(parent);
        self.holds.hold(prev);
        self.holds.hold(node.first_id());
        self.holds.hold(node.last_id());
        numbers(node, &mut |label, id| self.labels.numbers_mut().show(label, id));
        let leaf = Leaf {
            lines: line..end,
            at: node.span.start,
            context: self.context.clone(),
            path,
            node: None,
            parent,
            prev,
            unknown: 0,
        };
        Some(self.waiting.add(leaf, keys))
    }

    /// The paragraphs of these lists of the path get their elements.
    pub(super) fn loosen(&mut self, lists: &[u32]) {
        for at in 0..self.path.len() {
            let Some(open) = self.path.get_mut(at).filter(|open| lists.contains(&open.id)) else { continue };
            open.role = Role::List { loose: true };
            let runs = std::mem::take(&mut open.runs);
            let Verdict::Keep(element) = self.policy.element("p", &[], "") else { continue };
            for run in runs {
                let (first, last) = match run {
                    Run::Nodes { first, last } => (first, last),
                    Run::Waiting(at) => match self.waiting.node(at) {
                        Some(node) => (node.first_id(), node.last_id()),
                        None => continue,
                    },
                };
                if first == 0 {
                    continue;
                }
                let id = self.pen.wrap("p", first, last);
                for open in self.path.iter_mut().filter(|open| open.before == last) {
                    open.before = id;
                    self.holds.hold(id);
                    self.holds.release(&mut self.pen, last);
                }
                match run {
                    Run::Nodes { .. } => {
                        self.holds.release(&mut self.pen, first);
                        self.holds.release(&mut self.pen, last);
                        if !self.holds.is_held(id) {
                            self.pen.forget(id);
                        }
                    }
                    Run::Waiting(at) => {
                        if let Some(node) = self.waiting.node(at) {
                            (node.kind, node.id) = (Kind::Element(element.clone()), id);
                        }
                    }
                }
            }
        }
    }
}

/// Leaves out the finished lines of a fence.
fn begin_fence(node: &mut Node, fence: Fence) {
    let Some(code) = node.kids.first_mut() else { return };
    code.spine = true;
    let Some(text) = code.kids.first_mut() else { return };
    text.spine = true;
    if let Kind::Text { text, gone } = &mut text.kind {
        let cut = finished_lines(text).len();
        text.drain(..cut);
        *gone = fence.gone;
    }
}
