//! What the policy adds to an element once all that is in it is known.

use crate::core::policy::{Policy, Verdict};

use super::tree::{Kind, Node, push};

/// To be called for each element when it is closed, by whoever builds nodes: from events, or from raw HTML.
pub fn finish(policy: &Policy, id_prefix: &str, node: &mut Node) {
    let Kind::Element(element) = &mut node.kind else { return };
    match element.name() {
        "a" if element.attr("href").is_some() => {
            let mut shown = String::new();
            collect(&node.kids, &mut shown);
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
            collect(&node.kids, &mut shown);
            policy.heading(element, &shown, id_prefix);
        }
        _ => {}
    }
}

/// The text in these nodes, without the numbers of footnotes: they may still move.
fn collect(nodes: &[Node], out: &mut String) {
    for node in nodes {
        match &node.kind {
            Kind::Text { text, .. } => out.push_str(text),
            Kind::Element(element) if element.attr("class") == Some("footnote-reference") => {}
            _ => collect(&node.kids, out),
        }
    }
}
