//! Tight and loose lists: whether the text of an item stands in paragraphs.
//!
//! The parser says that a list is loose only by way of its paragraphs, and there may be none in what is read.

use std::ops::Range;

use super::{Builder, Context, Open};
use crate::core::engine::long::last_leaf;
use crate::core::engine::tree::{Kind, Node, Role};
use crate::core::pattern::{any_of, part_of};

impl<C: Context> Builder<'_, C> {
    /// A link's definition is no block, but behind a blank line it makes a list loose as one does.
    pub fn definition(&mut self, at: usize) {
        self.loosen_behind_blank(at);
    }

    pub(super) fn paragraph(&mut self, range: Range<usize>) {
        self.end_tight(range.start);
        if self.stack.last().is_some_and(Open::is_item) && !self.loosen(1) {
            self.tight(range);
            return;
        }
        self.open("p", &[], Role::Paragraph, range);
    }

    /// The list that is so far up the stack is loose. Says whether it is shown so.
    fn loosen(&mut self, up: usize) -> bool {
        if let Some(list) = self.stack.iter_mut().rev().nth(up)
            && let Role::List { loose } = &mut list.node.role
            && !*loose
        {
            if list.node.spine {
                self.loosened.push(list.node.id);
                if self.keep_tight {
                    return false;
                }
            }
            *loose = true;
        }
        true
    }

    /// The parser says only by way of paragraphs that a list is loose, and there may be none here. So: it is loose if an
    /// item, or a block in one, comes right behind a blank line.
    pub(super) fn loosen_behind_blank(&mut self, at: usize) {
        let Some(top) = self.stack.last() else { return };
        let line = line_start(self.lines, at);
        let (up, first) = match top.node.role {
            Role::List { .. } => (0, top.node.kids.is_empty()),
            Role::Item => (1, line_start(self.lines, top.node.span.start) == line),
            _ => return,
        };
        if first && !top.node.spine {
            return;
        }
        let quotes = self.stack.iter().filter(|open| open.node.role == Role::Quote).count();
        // What was there when the text begins has been looked at before.
        let Some(before) = self.lines.get(self.from..line.saturating_sub(1)) else { return };
        let blank = self.from + line_start(before, before.len());
        let before = part_of(self.lines, blank..line);
        let is_blank =
            before.trim_matches(any_of(" \t>\n")).is_empty() && before.matches('>').count() == quotes;
        // In code and raw HTML it does not count.
        let in_code = last_leaf(&top.node)
            .is_some_and(|leaf| matches!(leaf.role, Role::Fence | Role::Html) && leaf.span.end > blank);
        if is_blank && !in_code {
            self.loosen(up);
        }
    }

    /// Text in an item that is in no paragraph is a tight one, or not, if the list was loose before.
    pub(super) fn tight(&mut self, range: Range<usize>) {
        let Some(top) = self.stack.last_mut() else { return };
        if !top.is_item() {
            // The end of a tight paragraph is where its text ends.
            if matches!(top.node.kind, Kind::Virtual) {
                top.node.span.end = top.node.span.end.max(range.end);
            }
            return;
        }
        let list = self.stack.iter().rev().nth(1);
        if list.is_some_and(|list| list.node.role == Role::List { loose: true } && list.node.spine) {
            self.open("p", &[], Role::Paragraph, range);
            return;
        }
        let mut node = Node::new(Kind::Virtual);
        node.role = Role::Paragraph;
        node.span = range;
        let mut event = self.built.saturating_sub(1);
        let task = self.stack.last_mut().and_then(|item| item.node.kids.pop_if(|kid| kid.role == Role::Task));
        if let Some(task) = task {
            self.tasks.get_or_insert(task.span.start);
            node.span.start = task.span.start;
            node.kids = vec![task, Node::text("\n".to_owned())];
            // The task's own.
            event -= 1;
        }
        self.stack.push(Open { node, event, html: false });
    }

    /// Ends the paragraph that `tight` began.
    pub(super) fn end_tight(&mut self, end: usize) {
        let tight = self.stack.last().is_some_and(|open| open.node.role == Role::Paragraph);
        if tight && self.stack.iter().rev().nth(1).is_some_and(Open::is_item) {
            // What ends it is the next event already.
            self.built -= 1;
            self.close(end);
            self.built += 1;
        }
    }
}

/// Where the line starts that a place is in.
fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or(text).rfind('\n').map_or(0, |at| at + 1)
}

/// Whether nothing follows a task's checkbox on its line, which is whole. Then the parser leaves it out of paragraphs.
pub fn bare_task(lines: &str, at: usize) -> bool {
    let line = lines.get(at..).map(|rest| rest.split('\n').next().unwrap_or_default());
    line.is_some_and(|line| line.trim_matches(any_of(" \t\x0b\x0c")).is_empty())
}
