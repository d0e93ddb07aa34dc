//! An image's alternative text: what is written in its brackets, without the tags.

use std::ops::Range;

use pulldown_cmark::Event;

use super::{Builder, Context};
use crate::core::engine::tree::Role;
use crate::core::pattern::figures;

pub(super) struct Image {
    /// How many tags are open in it.
    depth: usize,
    src: String,
    title: String,
    alt: String,
}

impl Image {
    pub fn new(src: String, title: String) -> Image {
        Image { depth: 0, src, title, alt: String::new() }
    }
}

impl<C: Context> Builder<'_, C> {
    pub(super) fn image_event(&mut self, event: Event<'_>, range: Range<usize>) {
        let Some(image) = self.image.as_mut() else { return };
        match event {
            Event::Start(_) => image.depth += 1,
            Event::End(_) if image.depth > 0 => image.depth -= 1,
            Event::End(_) => {
                let Some(Image { src, title, alt, .. }) = self.image.take() else { return };
                let attrs = [("src", src.as_str()), ("alt", alt.as_str()), ("title", title.as_str())];
                let attrs =
                    if title.is_empty() { attrs.split_last().map_or(&[][..], |(_, a)| a) } else { &attrs };
                self.open("img", attrs, Role::Inline, range.clone());
                self.close(range.end);
            }
            Event::Text(text) | Event::Code(text) | Event::InlineHtml(text) => image.alt.push_str(&text),
            Event::InlineMath(text) => image.alt.push_str(&["$", &*text, "$"].concat()),
            Event::DisplayMath(text) => image.alt.push_str(&["$$", &*text, "$$"].concat()),
            Event::SoftBreak | Event::HardBreak | Event::Rule => image.alt.push(' '),
            Event::FootnoteReference(label) => {
                let number = self.context.number(&label, range.start);
                if let Some(image) = self.image.as_mut() {
                    image.alt.push_str(&["[", &figures(number), "]"].concat());
                }
            }
            Event::TaskListMarker(checked) => image.alt.push_str(if checked { "[x]" } else { "[ ]" }),
            Event::Html(_) => {}
        }
    }
}
