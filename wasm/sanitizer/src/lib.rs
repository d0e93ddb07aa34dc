//! ammonia as a second, small wasm module: raw HTML among the markdown around it in, a flat tree out, never HTML.
//!
//! What comes out is `html5ever(ammonia(pulldown_cmark(events)))` with nesting capped before anything that walks the open elements sees
//! it. The lists are wide on purpose: which elements, attributes and URLs a page really allows is the policy's
//! decision, and the policy sees everything that leaves here.

mod arena;
mod html;
mod parse;

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use riacho_flat::words;

/// Answers a [`question`](riacho_flat::question) with the bytes of a flat tree; with nothing, which is none, what is no
/// question.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen::prelude::wasm_bindgen)]
pub fn sanitize(question: &[u8]) -> Vec<u8> {
    html::written(question).map_or_else(|_| Vec::new(), |html| sanitize_html(&html))
}

/// Sanitises one fragment of HTML into the bytes of a flat tree.
pub fn sanitize_html(html: &str) -> Vec<u8> {
    let raw = parse::raw(html);
    let clean = match &raw.capped {
        Some(capped) => builder().clean(capped),
        None => builder().clean(html),
    };
    parse::clean(&clean.to_string()).write(&raw.tail)
}

fn builder() -> &'static ammonia::Builder<'static> {
    static BUILDER: OnceLock<ammonia::Builder<'static>> = OnceLock::new();
    BUILDER.get_or_init(|| {
        let set = |words: &'static str| words.split(' ').collect::<HashSet<_>>();
        let mut builder = ammonia::Builder::empty();
        builder
            .tags(set(words::ELEMENTS))
            .clean_content_tags(set(words::DROPPED_WITH_CONTENT))
            .generic_attributes(set(words::ATTRIBUTES))
            .tag_attributes(
                words::ELEMENT_ATTRIBUTES
                    .iter()
                    .map(|&(name, attrs)| (name, set(attrs)))
                    .collect::<HashMap<_, _>>(),
            )
            .url_schemes(set(words::SCHEMES))
            // The policy writes `rel` and prefixes ids; done here too it would be done twice.
            .link_rel(None)
            .strip_comments(true);
        builder
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use riacho_flat::{Item, Reader};

    fn shown(html: &str) -> String {
        let bytes = sanitize_html(html);
        let mut reader = Reader::new(&bytes).unwrap();
        let mut out = String::new();
        let mut names = Vec::new();
        while let Some(item) = reader.step().unwrap() {
            match item {
                Item::Text(text) => out.push_str(text),
                Item::Start { name, attrs } => {
                    out.push_str(&format!("<{name}"));
                    for (name, value) in attrs {
                        out.push_str(&format!(" {name}={value:?}"));
                    }
                    out.push('>');
                    names.push(name);
                }
                Item::End => out.push_str(&format!("</{}>", names.pop().unwrap())),
            }
        }
        out
    }

    fn tail(html: &str) -> riacho_flat::Tail {
        Reader::new(&sanitize_html(html)).unwrap().tail().clone()
    }

    #[test]
    fn script_goes_with_its_content() {
        assert_eq!(shown("a<script>alert(1)</script>b"), "ab");
        assert_eq!(shown("<b onclick=x()>a</b>"), "<b>a</b>");
        assert_eq!(shown("<a href=\"javascript:x()\">a</a>"), "<a>a</a>");
        assert_eq!(shown("<form>a</form>"), "a");
        assert_eq!(shown("<a href=\"https://ü.example\">a</a>"), "<a href=\"https://ü.example\">a</a>");
        assert_eq!(shown("<a href=\"https://Aü.example\">a</a>"), "<a href=\"https://Aü.example\">a</a>");
    }

    #[test]
    fn the_tail_names_what_is_open() {
        assert!(tail("<p>a</p>").plain);
        assert!(tail("<p>a</p>").open.is_empty());
        assert_eq!(tail("<details><summary>a</summary>").open, ["details"]);
        assert_eq!(tail("<form><div>").open, ["form", "div"]);
        for opaque in [
            "<div><form></div>",
            "<b>",
            "<table>",
            "<!-- ",
            "<a href=\"",
            "<script>",
            "<p>a <i></p>",
            "<select>",
        ] {
            let tail = tail(opaque);
            assert!(!tail.plain || tail.open.iter().any(|n| n == "table"), "{opaque}");
        }
    }

    #[test]
    fn nesting_is_capped_before_it_costs() {
        let bytes = sanitize_html(&"<ul><li>".repeat(64_000));
        let mut reader = Reader::new(&bytes).unwrap();
        let (mut depth, mut deepest) = (0usize, 0usize);
        while let Some(item) = reader.step().unwrap() {
            match item {
                Item::Start { .. } => depth += 1,
                Item::End => depth -= 1,
                Item::Text(_) => {}
            }
            deepest = deepest.max(depth);
        }
        assert!((50..=parse::MAX_DEPTH).contains(&deepest), "{deepest}");
    }

    #[test]
    fn formatting_is_not_multiplied_without_bound() {
        let open: String = (0..90).map(|n| format!("<b title={n}>")).collect();
        let html = open + &"<p>".repeat(10_000);
        assert!(sanitize_html(&html).len() < 20 * html.len());
    }

    #[test]
    fn what_is_no_question_has_no_answer() {
        assert!(sanitize(&[0, 9, b'<']).is_empty());
        assert!(sanitize(&[]).starts_with(b"RF"));
    }
}
