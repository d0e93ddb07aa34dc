//! What the engine must end on: pulldown-cmark's HTML for the whole text, through ammonia and html5ever, under the
//! policy. And a page that is only a model: it does what a batch says, and refuses what makes no sense.

use std::collections::HashMap;
use std::rc::Rc;

use pulldown_cmark::{Event, Parser, Tag};
use riacho_wasm::core::engine::batch::op;
use riacho_wasm::core::engine::tree::{Kind, Node};
use riacho_wasm::core::engine::{Batch, Engine, Sanitize, grammar, raw};
use riacho_wasm::core::policy::Policy;

/// The finished page for a text, in the notation of [`Page::shown`].
pub fn oracle(text: &str, policy: &Policy, id_prefix: &str) -> String {
    let mut out = String::new();
    tree(text, policy, id_prefix).iter().for_each(|node| show(node, &mut out));
    out
}

/// The finished tree for a text.
pub fn tree(text: &str, policy: &Policy, id_prefix: &str) -> Vec<Node> {
    let text = grammar::normalise(text);
    let mut html = String::new();
    let events = Parser::new_ext(&text, grammar::OPTIONS).into_offset_iter();
    let events = grammar::adapt(&text, events).map(|(event, _)| event).map(note_ids);
    pulldown_cmark::html::push_html(&mut html, events);
    let bytes = riacho_sanitizer::sanitize_html(&html);
    raw::nodes(policy, id_prefix, &bytes).expect("the sanitiser writes flat trees").0
}

/// The ids of footnotes, which pulldown-cmark makes of their labels alone.
fn note_ids(event: Event<'_>) -> Event<'_> {
    match event {
        Event::FootnoteReference(label) => Event::FootnoteReference(format!("fn-{label}").into()),
        Event::Start(Tag::FootnoteDefinition(label)) => {
            Event::Start(Tag::FootnoteDefinition(format!("fn-{label}").into()))
        }
        event => event,
    }
}

fn show(node: &Node, out: &mut String) {
    match &node.kind {
        Kind::Text { text, .. } => show_text(text, out),
        Kind::Virtual => node.kids.iter().for_each(|kid| show(kid, out)),
        Kind::Element(element) => {
            show_start(element.name(), element.attrs(), out);
            node.kids.iter().for_each(|kid| show(kid, out));
            out.push_str(&format!("</{}>", element.name()));
        }
    }
}

fn show_start<'a>(name: &str, attrs: impl Iterator<Item = (&'static str, &'a str)>, out: &mut String) {
    out.push_str(&format!("<{name}"));
    attrs.for_each(|(name, value)| out.push_str(&format!(" {name}={value:?}")));
    out.push('>');
}

fn show_text(text: &str, out: &mut String) {
    out.push_str(&text.replace('&', "&amp;").replace('<', "&lt;"));
}

/// The sanitiser of the browser's second module, natively.
pub fn sanitizer() -> impl Sanitize {
    riacho_sanitizer::sanitize
}

#[derive(Debug)]
enum Data {
    Element { name: String, attrs: HashMap<String, String> },
    Text(String),
}

#[derive(Debug)]
struct PageNode {
    data: Data,
    parent: usize,
    kids: Vec<usize>,
}

/// What follows a block of this kind leaves it finished.
const BLOCKS: &[&str] = &[
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "ul",
    "ol",
    "li",
    "pre",
    "blockquote",
    "table",
    "tr",
    "div",
    "details",
];

/// A page that only remembers. It stands for `wasm/src/edge/render.js`, which the browser tests hold to the same.
#[derive(Debug)]
pub struct Page {
    /// The first one is the container.
    nodes: Vec<PageNode>,
    table: HashMap<u32, usize>,
    names: HashMap<u32, String>,
    pub operations: usize,
    pub removed_elements: usize,
    /// Those of them that were in a block with another block after it.
    pub removed_from_finished: usize,
    pub made_elements: usize,
}

impl Default for Page {
    fn default() -> Page {
        let root = PageNode {
            data: Data::Element { name: "root".into(), attrs: HashMap::new() },
            parent: 0,
            kids: vec![],
        };
        Page {
            nodes: vec![root],
            table: HashMap::from([(0, 0)]),
            names: HashMap::new(),
            operations: 0,
            removed_elements: 0,
            removed_from_finished: 0,
            made_elements: 0,
        }
    }
}

impl Page {
    /// How many nodes can still be named, apart from the container.
    pub fn known(&self) -> usize {
        self.table.len() - 1
    }

    pub fn apply(&mut self, batch: &Batch) {
        let units: Vec<u16> = batch.strings.encode_utf16().collect();
        let mut ops = batch.ops.iter().copied();
        let mut at = 0;
        while let Some(code) = ops.next() {
            self.operations += 1;
            let mut next = || ops.next().expect("an operand");
            let mut cut = |len: u32| {
                let part = &units[at..at + len as usize];
                at += len as usize;
                String::from_utf16(part).expect("no half pairs")
            };
            match code {
                op::NAME => {
                    let (code, len) = (next(), next());
                    assert!(self.names.insert(code, cut(len)).is_none(), "a name is given once");
                }
                op::ELEMENT => {
                    let (id, name, parent, prev) = (next(), next(), next(), next());
                    let name = self.names[&name].clone();
                    self.made_elements += 1;
                    self.insert(id, Data::Element { name, attrs: HashMap::new() }, parent, prev);
                }
                op::TEXT => {
                    let (id, parent, prev, len) = (next(), next(), next(), next());
                    self.insert(id, Data::Text(cut(len)), parent, prev);
                }
                op::APPEND => {
                    let (id, len) = (next(), next());
                    let more = cut(len);
                    self.text(id).push_str(&more);
                }
                op::SPLICE => {
                    let (id, keep, len) = (next(), next(), next());
                    let more = cut(len);
                    let text = self.text(id);
                    let kept: Vec<u16> = text.encode_utf16().collect();
                    *text =
                        String::from_utf16(&kept[..keep as usize]).expect("no half pairs") + more.as_str();
                }
                op::ATTRIBUTE => {
                    let (id, name, len) = (next(), next(), next());
                    let (name, value) = (self.names[&name].clone(), cut(len));
                    self.attrs(id).insert(name, value);
                }
                op::NO_ATTRIBUTE => {
                    let (id, name) = (next(), next());
                    let name = self.names[&name].clone();
                    assert!(self.attrs(id).remove(&name).is_some());
                }
                op::REMOVE => {
                    let node = self.table[&next()];
                    let parent = self.nodes[node].parent;
                    if self.is_finished(node) {
                        self.removed_from_finished += self.elements(node);
                    }
                    let place =
                        self.nodes[parent].kids.iter().position(|&kid| kid == node).expect("still there");
                    self.nodes[parent].kids.remove(place);
                    self.removed_elements += self.elements(node);
                }
                op::FORGET => assert!(self.table.remove(&next()).is_some(), "forgotten twice"),
                op::WRAP => {
                    let (id, name, first, last) = (next(), next(), next(), next());
                    let name = self.names[&name].clone();
                    let (first, last) = (self.table[&first], self.table[&last]);
                    let parent = self.nodes[first].parent;
                    let place = |node| {
                        self.nodes[parent].kids.iter().position(|&kid| kid == node).expect("in its parent")
                    };
                    let (from, to) = (place(first), place(last));
                    let new = self.nodes.len();
                    self.made_elements += 1;
                    let moved: Vec<usize> = self.nodes[parent].kids.splice(from..=to, [new]).collect();
                    moved.iter().for_each(|&kid| self.nodes[kid].parent = new);
                    let data = Data::Element { name, attrs: HashMap::new() };
                    self.nodes.push(PageNode { data, parent, kids: moved });
                    assert!(self.table.insert(id, new).is_none(), "an id in use");
                }
                code => panic!("operation {code}"),
            }
        }
        assert_eq!(at, units.len(), "all text of a batch is used");
    }

    fn insert(&mut self, id: u32, data: Data, parent: u32, prev: u32) {
        let parent = self.table[&parent];
        let place = match prev {
            0 => 0,
            prev => {
                let prev = self.table[&prev];
                1 + self.nodes[parent]
                    .kids
                    .iter()
                    .position(|&kid| kid == prev)
                    .expect("prev is in the parent")
            }
        };
        let new = self.nodes.len();
        self.nodes.push(PageNode { data, parent, kids: vec![] });
        self.nodes[parent].kids.insert(place, new);
        assert!(self.table.insert(id, new).is_none(), "an id in use");
    }

    fn text(&mut self, id: u32) -> &mut String {
        match &mut self.nodes[self.table[&id]].data {
            Data::Text(text) => text,
            Data::Element { .. } => panic!("not a text"),
        }
    }

    fn attrs(&mut self, id: u32) -> &mut HashMap<String, String> {
        match &mut self.nodes[self.table[&id]].data {
            Data::Element { attrs, .. } => attrs,
            Data::Text(_) => panic!("not an element"),
        }
    }

    fn elements(&self, node: usize) -> usize {
        let own = usize::from(matches!(self.nodes[node].data, Data::Element { .. }));
        own + self.nodes[node].kids.iter().map(|&kid| self.elements(kid)).sum::<usize>()
    }

    /// Whether it is in a block that another block follows, or is one.
    fn is_finished(&self, node: usize) -> bool {
        let mut at = node;
        while at != 0 {
            let kids = &self.nodes[self.nodes[at].parent].kids;
            if self.is_block(at)
                && kids.iter().skip_while(|&&kid| kid != at).skip(1).any(|&kid| self.is_block(kid))
            {
                return true;
            }
            at = self.nodes[at].parent;
        }
        false
    }

    fn is_block(&self, node: usize) -> bool {
        match &self.nodes[node].data {
            Data::Text(_) => false,
            Data::Element { name, .. } => BLOCKS.contains(&name.as_str()),
        }
    }

    /// How many elements there are.
    pub fn elements_now(&self) -> usize {
        self.elements(0) - 1
    }

    /// What is on the page. Adjacent texts are one.
    pub fn shown(&self) -> String {
        let mut out = String::new();
        self.nodes[0].kids.iter().for_each(|&kid| self.show(kid, &mut out));
        out
    }

    /// Only its text.
    pub fn plain(&self) -> String {
        fn collect(page: &Page, node: usize, out: &mut String) {
            match &page.nodes[node].data {
                Data::Text(text) => out.push_str(text),
                Data::Element { .. } => page.nodes[node].kids.iter().for_each(|&kid| collect(page, kid, out)),
            }
        }
        let mut out = String::new();
        collect(self, 0, &mut out);
        out
    }

    fn show(&self, node: usize, out: &mut String) {
        match &self.nodes[node].data {
            Data::Text(text) => show_text(text, out),
            Data::Element { name, attrs } => {
                let mut attrs: Vec<_> = attrs.iter().collect();
                attrs.sort_unstable();
                out.push_str(&format!("<{name}"));
                attrs.iter().for_each(|(name, value)| out.push_str(&format!(" {name}={value:?}")));
                out.push('>');
                self.nodes[node].kids.iter().for_each(|&kid| self.show(kid, out));
                out.push_str(&format!("</{name}>"));
            }
        }
    }
}

/// An engine with a page, fed piece by piece.
pub struct Stream {
    pub engine: Engine,
    pub page: Page,
}

impl Default for Stream {
    fn default() -> Stream {
        Stream { engine: Engine::new(Rc::new(Policy::default()), "m"), page: Page::default() }
    }
}

impl Stream {
    /// Feeds one piece and brings it to the page.
    pub fn piece(&mut self, piece: &str) {
        self.engine.push(piece);
        self.engine.flush(Some(&sanitizer()));
        self.take();
    }

    pub fn end(&mut self) {
        self.engine.end(Some(&sanitizer()));
        self.take();
    }

    pub fn take(&mut self) {
        self.page.apply(self.engine.batch());
        self.engine.clear_batch();
    }
}

/// The page after all pieces and the end.
pub fn streamed<'a>(pieces: impl IntoIterator<Item = &'a str>) -> Stream {
    let mut stream = Stream::default();
    pieces.into_iter().for_each(|piece| stream.piece(piece));
    stream.end();
    stream
}
