//! What the policy adds to an element once all that is in it is known.

use crate::core::policy::{Policy, Verdict};

use super::tree::{Kind, Node, push};

/// To be called for each element when it is closed, by whoever builds nodes: from events, or from raw HTML.
pub fn finish(policy: &Policy, id_prefix: &str, node: &mut Node) {
    let Kind::Element(element) = &mut node.kind else { return };
    match element.name() {
        "a" if element.attr("href").is_some() => {
            // An image may be as small as nothing, or not be there: the letters around it are read without its text, and
            // that is read too.
            let (mut shown, mut images) = (String::new(), String::new());
            collect(&node.kids, &mut shown, Some(&mut images));
            shown.push_str(&images);
            match policy.destination(element, &shown) {
                Some(Verdict::KeepWithText(element, text)) => {
                    let mut note = Node::new(Kind::Element(element));
                    push(&mut note.kids, Node::text(text));
                    push(&mut node.kids, note);
                }
                Some(Verdict::Text(text)) => push(&mut node.kids, Node::text(text)),
                _ => {}
            }
        }
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
            let mut shown = String::new();
            collect(&node.kids, &mut shown, None);
            policy.heading(element, &shown, id_prefix);
        }
        _ => {}
    }
}

/// The text in these nodes, without the numbers of footnotes: they may still move. That of images goes where it is wanted,
/// word for word, or stays where it is.
fn collect(nodes: &[Node], out: &mut String, mut images: Option<&mut String>) {
    for node in nodes {
        match &node.kind {
            Kind::Text { text, .. } => out.push_str(text),
            Kind::Element(element) if element.attr("class") == Some("footnote-reference") => {}
            Kind::Element(element)
                if element.name() == "img" || element.attr("class") == Some("riacho-image") =>
            {
                match &mut images {
                    Some(images) => {
                        images.push_str(&[" ", element.attr("alt").unwrap_or_default()].concat());
                        collect(&node.kids, images, None);
                    }
                    None => collect(&node.kids, out, None),
                }
            }
            _ => collect(&node.kids, out, images.as_deref_mut()),
        }
    }
}
