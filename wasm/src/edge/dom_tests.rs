//! The engine on the real DOM: it ends on the model's page, selections and opened elements survive, and what is
//! finished is not touched.

use js_sys::Function;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test as test;
use web_sys::{Element, Node};

use super::oracle::{oracle, sanitizer};
use super::render::Renderer;
use super::tests::{element, frame};
use crate::core::engine::Engine;
use crate::core::policy::Policy;

/// An engine that draws into an element, at once.
struct Live {
    engine: Engine,
    renderer: Renderer,
    container: Element,
}

impl Live {
    fn new() -> Live {
        let container = element();
        let renderer = Renderer::new(&container, &wasm_bindgen::memory());
        Live { engine: Engine::new(Policy::default().into(), "m"), renderer, container }
    }

    fn piece(&mut self, piece: &str) {
        self.engine.push(piece);
        self.engine.flush(Some(&sanitizer()));
        self.draw();
    }

    fn end(&mut self) {
        self.engine.end(Some(&sanitizer()));
        self.draw();
    }

    fn draw(&mut self) {
        let batch = self.engine.batch();
        self.renderer.paint(batch);
        self.engine.clear_batch();
    }

    fn find(&self, selector: &str) -> Element {
        self.container.query_selector(selector).unwrap().unwrap()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.container.remove();
    }
}

/// The page after the pieces and the end, in the oracle's notation.
fn streamed<'a>(pieces: impl IntoIterator<Item = &'a str>) -> String {
    let mut live = Live::new();
    pieces.into_iter().for_each(|piece| live.piece(piece));
    live.end();
    shown(&live.container)
}

fn shown(container: &Element) -> String {
    let mut out = String::new();
    show_kids(container, &mut out);
    out
}

fn show_kids(node: &Node, out: &mut String) {
    let kids = node.child_nodes();
    for kid in (0..kids.length()).filter_map(|at| kids.item(at)) {
        let Some(element) = kid.dyn_ref::<Element>() else {
            let text = kid.text_content().unwrap();
            out.push_str(&text.replace('&', "&amp;").replace('<', "&lt;"));
            continue;
        };
        // What the edge adds is not the text's.
        if element.has_attribute("data-riacho-ui") {
            continue;
        }
        let mut names: Vec<String> =
            element.get_attribute_names().iter().map(|name| name.as_string().unwrap()).collect();
        names.sort_unstable();
        out.push_str(&format!("<{}", element.local_name()));
        for name in names {
            out.push_str(&format!(" {name}={:?}", element.get_attribute(&name).unwrap()));
        }
        out.push('>');
        show_kids(element, out);
        out.push_str(&format!("</{}>", element.local_name()));
    }
}

/// Pieces of so many characters.
fn pieces(text: &str, size: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest.char_indices().nth(size).map_or(rest.len(), |(at, _)| at);
        let (head, tail) = rest.split_at(end);
        rest = tail;
        (!head.is_empty()).then_some(head)
    })
}

/// Where an image that waits would come from is kept beside the DOM.
fn without_sources(shown: &str) -> String {
    let mut parts = shown.split(" data-riacho-src=\"");
    let mut out = parts.next().unwrap().to_owned();
    parts.for_each(|part| out.push_str(part.split_once('"').unwrap().1));
    out
}

fn differs(text: &str, size: usize) -> Option<String> {
    let expected = without_sources(&oracle(text, &Policy::default(), "m"));
    [("in one piece", text.len().max(1)), ("cut", size)].into_iter().find_map(|(what, size)| {
        let shown = streamed(pieces(text, size));
        (shown != expected).then(|| format!("{what}\n  expected {expected:.600}\n  shown    {shown:.600}"))
    })
}

#[cfg(riacho_corpora)]
#[test]
async fn every_example_by_character_is_the_models_page() {
    let corpus = include_str!(concat!(env!("RIACHO_CORPORA"), "/conformance.jsonl"));
    let (mut count, mut wrong) = (0, Vec::new());
    for line in corpus.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = case["data"].as_str().unwrap();
        count += 1;
        wrong.extend(differs(text, 1).map(|how| format!("{} {} {how}", case["src"], case["n"])));
        if count % 100 == 0 {
            frame().await;
        }
    }
    assert!(count > 1000);
    assert!(
        wrong.is_empty(),
        "{} of {count} differ\n{}",
        wrong.len(),
        wrong[..wrong.len().min(5)].join("\n")
    );
}

/// Says so when the examples were not there to be built in.
#[cfg(not(riacho_corpora))]
#[test]
fn every_example_by_character_is_the_models_page() {
    wasm_bindgen_test::console_log!("skipped: RIACHO_CORPORA was not set");
}

/// Documents that are repetitions, without late definitions but for those named so.
const SHAPES: [(&str, &str, &str); 10] = [
    ("paragraph", "", "word is *here* and `there`, with an & and a ü. "),
    ("paragraphs", "", "A paragraph with **strong** words and a [link](https://a.example/).\n\n"),
    ("fence", "```rust\n", "let x = \"<b>\"; // code\n"),
    ("flat list", "", "- item with *some* text\n"),
    ("nested list", "", "- one\n  1. two\n     - three\n  2. four\n"),
    ("quote", "", "> a line of a quote\n>\n"),
    ("table", "| a | b | c |\n|---|:-:|--:|\n", "| 1 | *x* | `y` |\n"),
    ("links, defined at the end", "", "See [the thing][l] now.\n\n"),
    ("details", "", "<details>\n<summary>s</summary>\n\n- a\n- b\n\n</details>\n\n"),
    (
        "mixed prose",
        "",
        "## Part\n\nSome *text* with `code` and **more**.\n\n1. one\n2. two\n   - deep\n\n\
         ```py\nprint(1)\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n",
    ),
];

fn document(shape: (&str, &str, &str), size: usize) -> String {
    let (name, head, line) = shape;
    let end = if name.contains("defined") { "\n[l]: https://a.example/\n" } else { "" };
    head.to_owned() + &line.repeat(size / line.len()) + end
}

#[test]
async fn documents_of_40_kb_are_the_models_page() {
    for shape in SHAPES {
        if let Some(how) = differs(&document(shape, 40_000), 1) {
            panic!("{}: {how}", shape.0);
        }
        frame().await;
    }
}

fn script(arguments: &str, body: &str) -> Function {
    Function::new_with_args(arguments, body)
}

#[test]
fn a_selection_survives_the_rest_of_the_stream() {
    let rest = "more of *it*\n\n- a list\n- of two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<b>raw</b> and [late]\n\n\
                ```\ncode\n```\n\n[late]: /x\n";
    for head in [
        "One line with **strong** words. ",
        "- One line with **strong** words.\n- ",
        "> One with **strong** words ",
    ] {
        let mut live = Live::new();
        live.piece(head);
        let select = script(
            "strong",
            "const range = document.createRange();
             const first = strong.previousSibling, last = strong.firstChild;
             range.setStart(first, 1);
             range.setEnd(last, 3);
             const selection = getSelection();
             selection.removeAllRanges();
             selection.addRange(range);
             const text = range.toString();
             return () => {
               const now = selection.getRangeAt(0);
               return strong.isConnected && now.startContainer === first && now.startOffset === 1
                 && now.endContainer === last && now.endOffset === 3
                 && now.toString() === text && selection.toString() === text;
             };",
        );
        let holds: Function = select.call1(&JsValue::NULL, &live.find("strong")).unwrap().unchecked_into();
        let check = |at: &str| {
            assert!(holds.call0(&JsValue::NULL).unwrap().is_truthy(), "{head:?} lost it at {at:?}");
        };
        check("the start");
        for piece in pieces(rest, 1) {
            live.piece(piece);
            check(piece);
        }
        live.end();
        check("the end");
    }
}

#[test]
fn details_that_the_reader_opened_stay_open() {
    let mut live = Live::new();
    live.piece("<details>\n<summary>s</summary>\n\nA first paragraph");
    let details = live.find("details");
    details.set_attribute("open", "").unwrap();
    let rest = " goes on.\n\n- a\n- b\n\n```\ncode\n```\n\n</details>\n\nAfter it <i>raw</i>.\n\n<details>\n\nx\n\n</details>\n";
    for piece in pieces(rest, 1) {
        live.piece(piece);
        assert!(details.is_connected() && details.has_attribute("open"), "closed at {piece:?}");
    }
    live.end();
    assert!(live.find("details") == details && details.has_attribute("open"));
}

#[test]
fn nothing_that_is_finished_is_removed() {
    // Takes the records of a batch: elements that went from a block with a block after it.
    let observe = script(
        "container",
        "const observer = new MutationObserver(() => {});
         observer.observe(container, { childList: true, subtree: true });
         const block = (node) => node !== null && node.nodeType === 1
           && /^(p|h[1-6]|hr|ul|ol|li|pre|blockquote|table|tr|div|details)$/.test(node.localName);
         const followed = (node) => {
           for (let next = node; next !== null; next = next.nextSibling) if (block(next)) return true;
           return false;
         };
         return () => {
           let count = 0;
           for (const { target, removedNodes, nextSibling } of observer.takeRecords()) {
             for (const node of removedNodes) {
               if (node.nodeType !== 1 || node.isConnected) continue;
               let finished = block(node) && followed(nextSibling);
               for (let at = target; at !== container && at !== null && !finished; at = at.parentNode) {
                 finished = block(at) && followed(at.nextSibling);
               }
               if (finished) count += 1 + node.querySelectorAll('*').length;
             }
           }
           return count;
         };",
    );
    for shape in SHAPES.into_iter().filter(|shape| !shape.0.contains("defined")) {
        let mut live = Live::new();
        let taken: Function = observe.call1(&JsValue::NULL, &live.container).unwrap().unchecked_into();
        for piece in pieces(&document(shape, 8_000), 1) {
            live.piece(piece);
            let removed = taken.call0(&JsValue::NULL).unwrap();
            assert_eq!(removed.as_f64(), Some(0.0), "{}: at {piece:?}", shape.0);
        }
        live.end();
        assert_eq!(taken.call0(&JsValue::NULL).unwrap().as_f64(), Some(0.0), "{}: at the end", shape.0);
    }
}
