//! From the tree that is on the page to the one that shall be: what stays is not touched.

use crate::core::policy::Element;

use super::batch::{Pen, units};
use super::tree::{Kind, Node, Role};

/// Makes the page's kids of `parent` what `new` says. `prev` is what is before them there. The ids of what stays go
/// from `old` to `new`. Gives back the id of the last one, or `prev`.
#[cfg_attr(riacho_module, optimize(speed))]
pub fn kids(pen: &mut Pen, parent: u32, prev: u32, old: Vec<Node>, new: &mut [Node]) -> u32 {
    let common = old.len().min(new.len());
    let head = old.iter().zip(new.iter()).take(common).take_while(|(a, b)| same(a, b)).count();
    let most = common - head;
    let tail = old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(a, b)| same(a, b)).count();
    let (old_end, new_end) = (old.len() - tail, new.len() - tail);
    let mut prev = prev;
    let mut old_kids = old.into_iter().enumerate();
    let mut new_kids = new.iter_mut().enumerate().peekable();
    for (_, old) in old_kids.by_ref().take(head) {
        let Some((_, new)) = new_kids.next() else { break };
        prev = update(pen, parent, prev, old, new);
    }
    for (_, old) in old_kids.by_ref().take(old_end - head) {
        remove(pen, old);
    }
    while let Some((_, new)) = new_kids.next_if(|(at, _)| *at < new_end) {
        prev = create(pen, parent, prev, new);
    }
    for (_, old) in old_kids {
        let Some((_, new)) = new_kids.next() else { break };
        prev = update(pen, parent, prev, old, new);
    }
    prev
}

/// Whether one can become the other in its place.
#[cfg_attr(riacho_module, optimize(speed))]
fn same(old: &Node, new: &Node) -> bool {
    if old.spine || new.spine {
        return old.spine && new.spine && old.id == new.id;
    }
    match (&old.kind, &new.kind) {
        (Kind::Element(old), Kind::Element(new)) => old.tag() == new.tag(),
        (Kind::Text { .. }, Kind::Text { .. }) => true,
        (Kind::Virtual, Kind::Virtual) => old.role == new.role,
        // A list turns loose: the same paragraph gets its element.
        (Kind::Virtual, Kind::Element(_)) => {
            old.role == Role::Paragraph && new.role == Role::Paragraph && old.first_id() != 0
        }
        _ => false,
    }
}

#[cfg_attr(riacho_module, optimize(speed))]
fn update(pen: &mut Pen, parent: u32, prev: u32, old: Node, new: &mut Node) -> u32 {
    pen.work.compared += 1;
    match (&old.kind, &mut new.kind) {
        (Kind::Element(before), Kind::Element(after)) => {
            new.id = old.id;
            if !new.spine {
                attributes(pen, old.id, before, after);
            }
            kids(pen, new.id, new.before, old.kids, &mut new.kids);
            new.id
        }
        (Kind::Text { text: before, gone }, Kind::Text { text: after, gone: new_gone }) => {
            new.id = old.id;
            *new_gone = *gone;
            text(pen, old.id, *gone, before, after);
            new.id
        }
        (Kind::Virtual, Kind::Element(element)) => {
            new.id = pen.wrap(element.name(), old.first_id(), old.last_id());
            for (name, value) in element.attrs() {
                pen.attribute(new.id, name, value);
            }
            kids(pen, new.id, 0, old.kids, &mut new.kids);
            new.id
        }
        _ => kids(pen, parent, prev, old.kids, &mut new.kids),
    }
}

/// Gives an element on the page the attributes of `after`.
#[cfg_attr(riacho_module, optimize(speed))]
pub fn attributes(pen: &mut Pen, id: u32, before: &Element, after: &Element) {
    if before == after {
        return;
    }
    for (name, _) in before.attrs() {
        if after.attr(name).is_none() {
            pen.no_attribute(id, name);
        }
    }
    for (name, value) in after.attrs() {
        if before.attr(name) != Some(value) {
            pen.attribute(id, name, value);
        }
    }
}

/// Makes a text on the page say `after`.
#[cfg_attr(riacho_module, optimize(speed))]
pub fn text(pen: &mut Pen, id: u32, gone: u32, before: &str, after: &str) {
    if before == after {
        return;
    }
    if let Some(more) = after.strip_prefix(before) {
        pen.append(id, more);
        return;
    }
    let mut at = before.bytes().zip(after.bytes()).take_while(|(a, b)| a == b).count();
    while !after.is_char_boundary(at) || !before.is_char_boundary(at) {
        at -= 1;
    }
    let (keep, more) = after.split_at(at);
    pen.splice(id, gone + units(keep), more);
}

/// Puts a node on the page, behind `prev`. Gives back the id of the last thing there.
#[cfg_attr(riacho_module, optimize(speed))]
pub fn create(pen: &mut Pen, parent: u32, prev: u32, new: &mut Node) -> u32 {
    pen.work.compared += 1;
    match &new.kind {
        Kind::Element(element) => {
            new.id = pen.element(element.name(), parent, prev);
            for (name, value) in element.attrs() {
                pen.attribute(new.id, name, value);
            }
            let mut last = 0;
            for kid in &mut new.kids {
                last = create(pen, new.id, last, kid);
            }
            new.id
        }
        Kind::Text { text, .. } => {
            new.id = pen.text(text, parent, prev);
            new.id
        }
        Kind::Virtual => {
            let mut last = prev;
            for kid in &mut new.kids {
                last = create(pen, parent, last, kid);
            }
            last
        }
    }
}

/// Takes a node out of the page.
pub fn remove(pen: &mut Pen, old: Node) {
    match old.kind {
        Kind::Virtual => old.kids.into_iter().for_each(|kid| remove(pen, kid)),
        _ => {
            pen.remove(old.id);
            forget(pen, old);
        }
    }
}

fn forget(pen: &mut Pen, old: Node) {
    pen.work.compared += 1;
    if old.id != 0 {
        pen.forget(old.id);
    }
    old.kids.into_iter().for_each(|kid| forget(pen, kid));
}
