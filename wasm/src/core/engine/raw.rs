//! Raw HTML: what is handed to the sanitiser, and the safe nodes made from what comes back.

use pulldown_cmark::{CowStr, Event, Tag};
use riacho_flat::{Error, Item, Reader, Tail};

use crate::core::policy::{Policy, Verdict, text};

use super::finish::finish;
use super::tree::{Kind, Node, push, tidy};

/// Turns raw HTML into the bytes of a flat tree. The engine doesn't know how; it believes nothing that comes back.
pub trait Sanitize {
    fn sanitize(&self, html: &str) -> Vec<u8>;
}

impl<F: Fn(&str) -> Vec<u8>> Sanitize for F {
    fn sanitize(&self, html: &str) -> Vec<u8> {
        self(html)
    }
}

/// Deeper than anything the sanitiser lets through.
const MAX_DEPTH: usize = 256;

/// Makes safe nodes of a flat tree.
pub fn nodes(policy: &Policy, id_prefix: &str, bytes: &[u8]) -> Result<(Vec<Node>, Tail), Error> {
    let mut reader = Reader::new(bytes)?;
    // For each open element its node, or `None` if it is dropped with what is in it.
    let mut stack: Vec<Option<Node>> = vec![Some(Node::new(Kind::Virtual))];
    while let Some(item) = reader.step()? {
        match item {
            Item::Text(text) => {
                if let Some(Some(top)) = stack.last_mut() {
                    push(&mut top.kids, Node::text(text::honest(text).into_owned()));
                }
            }
            Item::Start { name, attrs } => {
                if stack.len() > MAX_DEPTH {
                    return Err(Error::Balance);
                }
                let dropped = matches!(stack.last(), Some(None));
                stack.push(if dropped { None } else { node(policy, id_prefix, name, &attrs) });
            }
            Item::End => {
                if let (Some(Some(mut node)), Some(Some(parent))) = (stack.pop(), stack.last_mut()) {
                    match node.name() {
                        Some(name) => {
                            tidy(Some(name), &mut node.kids);
                            finish(policy, id_prefix, &mut node);
                            push(&mut parent.kids, node);
                        }
                        None => node.kids.into_iter().for_each(|kid| push(&mut parent.kids, kid)),
                    }
                }
            }
        }
    }
    let mut kids = stack.pop().flatten().map(|root| root.kids).unwrap_or_default();
    tidy(None, &mut kids);
    Ok((kids, reader.tail().clone()))
}

fn node(policy: &Policy, id_prefix: &str, name: &str, attrs: &[(&str, &str)]) -> Option<Node> {
    let with = |kind, text| {
        let mut node = Node::new(kind);
        push(&mut node.kids, Node::text(text));
        node
    };
    match policy.element(name, attrs, id_prefix) {
        Verdict::Keep(element) => Some(Node::new(Kind::Element(element))),
        Verdict::KeepWithText(element, text) => Some(with(Kind::Element(element), text)),
        Verdict::Text(text) => Some(with(Kind::Virtual, text)),
        Verdict::Unwrap => Some(Node::new(Kind::Virtual)),
        Verdict::Drop => None,
    }
}

/// An event as it is to be written. `number` is that of a footnote that is mentioned in it; `link` is where a reference
/// really points. In an image only its text counts.
pub fn event(
    event: Event<'_>,
    number: usize,
    link: Option<(&str, &str)>,
    in_image: bool,
    stub: bool,
) -> Event<'static> {
    let moved = |dest: CowStr<'_>, title: CowStr<'_>| match link {
        Some((dest, title)) => (dest.to_owned().into(), title.to_owned().into()),
        None => (dest.into_static(), title.into_static()),
    };
    match event {
        Event::FootnoteReference(_) if in_image => Event::Text(format!("[{number}]").into()),
        Event::FootnoteReference(label) => Event::InlineHtml(
            format!("<sup class=\"footnote-reference\"><a href=\"#{}\">{number}</a></sup>", escaped(&label))
                .into(),
        ),
        // One that was begun before has its number already.
        Event::Start(Tag::FootnoteDefinition(_)) if stub => Event::Html("\0<div>".into()),
        Event::Start(Tag::FootnoteDefinition(label)) => Event::Html(
            format!(
                "\0<div class=\"footnote-definition\" id=\"{}\">\
                 <sup class=\"footnote-definition-label\">{number}</sup>",
                escaped(&label)
            )
            .into(),
        ),
        Event::Start(Tag::Link { link_type, id, dest_url, title }) => {
            let (dest_url, title) = moved(dest_url, title);
            Event::Start(Tag::Link { link_type, id: id.into_static(), dest_url, title })
        }
        Event::Start(Tag::Image { link_type, id, dest_url, title }) => {
            let (dest_url, title) = moved(dest_url, title);
            Event::Start(Tag::Image { link_type, id: id.into_static(), dest_url, title })
        }
        event => event.into_static(),
    }
}

/// Writes events. The renderer begins a footnote on a new line, unless it is at the start of one: so does this.
pub fn write(events: &mut dyn Iterator<Item = Event<'static>>) -> String {
    let html = write_as_is(events);
    if html.contains('\0') {
        let html = html.replace("\n\0", "\n");
        return html.strip_prefix('\0').unwrap_or(&html).replace('\0', "\n");
    }
    html
}

/// As [`write`], where no footnote begins. Of the renderer, one copy is enough: whatever the events come from.
pub fn write_as_is(events: &mut dyn Iterator<Item = Event<'static>>) -> String {
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, events);
    html
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // Writing to a string does not fail.
    let _ = pulldown_cmark_escape::escape_html(&mut out, text);
    out
}
