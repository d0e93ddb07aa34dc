//! Raw HTML: what the sanitiser is asked, and the safe nodes made from what comes back.

use std::ops::Range;

use pulldown_cmark::Event;
use riacho_flat::{Error, Item, Reader, Tail, question};

use crate::core::pattern::find;
use crate::core::policy::{Policy, Verdict, text};

use super::finish::finish;
use super::tree::{Kind, Node, push, tidy};

/// Turns the bytes of a [`question`] into those of a flat tree. The engine doesn't know how; it believes nothing that
/// comes back.
pub trait Sanitize {
    fn sanitize(&self, question: &[u8]) -> Vec<u8>;
}

impl<F: Fn(&[u8]) -> Vec<u8>> Sanitize for F {
    fn sanitize(&self, question: &[u8]) -> Vec<u8> {
        self(question)
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
                    match node.tag() {
                        // A browser shows nothing of it, and it would be copied.
                        Some(tag) if tag.name() == "rp" && is_bracket(&node.kids) => {}
                        Some(tag) if tag.name() != "rp" => {
                            tidy(Some(tag), &mut node.kids);
                            finish(policy, id_prefix, &mut node);
                            push(&mut parent.kids, node);
                        }
                        _ => node.kids.into_iter().for_each(|kid| push(&mut parent.kids, kid)),
                    }
                }
            }
        }
    }
    let mut kids = stack.pop().flatten().map(|root| root.kids).unwrap_or_default();
    tidy(None, &mut kids);
    Ok((kids, reader.tail().clone()))
}

/// What is meant for browsers without ruby. Anything longer than that would be text that nobody sees.
fn is_bracket(kids: &[Node]) -> bool {
    match kids {
        [] => true,
        [Node { kind: Kind::Text { text, .. }, .. }] => text.chars().nth(1).is_none(),
        _ => false,
    }
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

/// The events of a text as the sanitiser reads them, by their place.
#[derive(Debug, Default)]
pub struct Events {
    bytes: Vec<u8>,
    /// Where the bytes of each place end, and whether a raw tag there works on the table that it is in.
    places: Vec<(usize, bool)>,
}

impl Events {
    /// Puts an event to the place that is next. `number` is that of a footnote that is mentioned in it, or begins.
    pub fn put(&mut self, event: &Event<'_>, number: usize) {
        question::put_event(&mut self.bytes, event, number);
    }

    /// That was the place; its last event was this one.
    pub fn end_place(&mut self, event: &Event<'_>) {
        self.places.push((self.bytes.len(), is_of_table(event)));
    }

    pub fn get(&self, range: &Range<usize>) -> &[u8] {
        let end =
            |place: usize| place.checked_sub(1).and_then(|at| self.places.get(at)).map_or(0, |&(end, _)| end);
        self.bytes.get(end(range.start)..end(range.end)).unwrap_or_default()
    }

    pub fn has_table_tag(&self, range: &Range<usize>) -> bool {
        self.places.get(range.clone()).unwrap_or_default().iter().any(|&(_, of_table)| of_table)
    }
}

fn is_of_table(event: &Event<'_>) -> bool {
    let Event::InlineHtml(html) = event else { return false };
    let html = html.to_ascii_lowercase();
    ["table", "tbody", "thead", "tfoot", "caption", "colgroup"].iter().any(|name| find(&html, name).is_some())
}
