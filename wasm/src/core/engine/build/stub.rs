//! The containers of the path, which the stub before the text opens again.

use std::ops::Range;

use pulldown_cmark::{Event, Tag, TagEnd};

use super::{Builder, Context};
use crate::core::engine::tree::{Kind, Node, Role};

impl<C: Context> Builder<'_, C> {
    /// An event of the stub. Says whether that is all there is to it.
    pub(super) fn in_stub(&mut self, event: &Event<'_>) -> bool {
        match event {
            Event::Start(tag) if self.ignored > 0 || !self.is_begun(tag) => self.ignored += 1,
            Event::End(TagEnd::TableHead) if self.ignored == 1 => {
                self.ignored = 0;
                self.begin("tbody", Role::Body, 0..0);
            }
            Event::End(_) if self.ignored > 0 => self.ignored -= 1,
            Event::Start(tag) => self.begin_tag(tag),
            Event::End(_) => return false,
            _ => {}
        }
        true
    }

    /// Whether the tag is the next container of the path.
    fn is_begun(&self, tag: &Tag<'_>) -> bool {
        let Some(next) = self.path.get(self.begun) else { return false };
        matches!(
            (tag, &next.role),
            (Tag::BlockQuote(_), Role::Quote)
                | (Tag::List(_), Role::List { .. })
                | (Tag::Item, Role::Item)
                | (Tag::FootnoteDefinition(_), Role::Note(_))
                | (Tag::Table(_), Role::Table(_))
                | (Tag::CodeBlock(_), Role::Fence)
        )
    }

    fn begin_tag(&mut self, tag: &Tag<'_>) {
        let Some(open) = self.path.get(self.begun) else { return };
        if let Tag::Table(alignments) = tag {
            self.alignments.clone_from(alignments);
        }
        let (name, role, fence) = (open.name, open.role.clone(), open.fence);
        self.begin(name, role, 0..0);
        if let Some(fence) = fence {
            self.open("code", &[], Role::Inline, 0..0);
            let mut text = Node::text(String::new());
            (text.id, text.spine) = (fence.text, true);
            if let Kind::Text { gone, .. } = &mut text.kind {
                *gone = fence.gone;
            }
            if let Some(code) = self.stack.last_mut() {
                (code.node.id, code.node.spine) = (fence.code, true);
                code.node.kids.push(text);
            }
        }
    }

    /// Opens a container of the path again.
    pub(super) fn begin(&mut self, name: &str, role: Role, span: Range<usize>) {
        let Some(begun) = self.path.get(self.begun) else { return };
        let (id, before) = (begun.id, begun.before);
        self.begun += 1;
        self.open(name, &[], role, span);
        if let Some(open) = self.stack.last_mut() {
            (open.node.id, open.node.before, open.node.spine) = (id, before, true);
        }
    }
}
