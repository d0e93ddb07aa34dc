//! A tree for html5ever to build: nodes in one vector, no recursion anywhere, dropped at once.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use html5ever::interface::{ElemName, ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::StrTendril;
use html5ever::{Attribute, LocalName, Namespace, QualName, ns};
use riacho_flat::{Tail, Writer, words};

pub type Id = usize;

#[derive(Debug)]
pub enum Data {
    Document,
    Element {
        name: QualName,
        attrs: Vec<Attribute>,
    },
    Text(String),
    /// Comments, doctypes, processing instructions and template contents: nothing that is shown.
    Nothing,
}

#[derive(Debug)]
pub struct Node {
    pub data: Data,
    pub parent: Option<Id>,
    pub children: Vec<Id>,
    depth: usize,
}

#[derive(Debug)]
pub struct Arena {
    nodes: RefCell<Vec<Node>>,
    /// The depth of the element that is open innermost, as appended and popped elements tell it.
    depth: Cell<usize>,
}

const DOCUMENT: Id = 0;

impl Arena {
    pub fn new() -> Arena {
        let document = Node { data: Data::Document, parent: None, children: Vec::new(), depth: 0 };
        Arena { nodes: RefCell::new(vec![document]), depth: Cell::new(0) }
    }

    pub fn len(&self) -> usize {
        self.nodes.borrow().len()
    }

    pub fn depth(&self) -> usize {
        self.depth.get()
    }

    fn create(&self, data: Data) -> Id {
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(Node { data, parent: None, children: Vec::new(), depth: 0 });
        nodes.len() - 1
    }

    fn detach(nodes: &mut [Node], child: Id) {
        if let Some(parent) = nodes[child].parent.take() {
            nodes[parent].children.retain(|&id| id != child);
        }
    }

    /// Puts text or a node into `parent` at `at`, joining text with text before it.
    fn insert(&self, parent: Id, at: usize, child: NodeOrText<Id>) {
        let nodes = &mut *self.nodes.borrow_mut();
        let id = match child {
            NodeOrText::AppendText(text) => {
                let before = at.checked_sub(1).and_then(|at| nodes[parent].children.get(at).copied());
                if let Some(before) = before
                    && let Data::Text(old) = &mut nodes[before].data
                {
                    old.push_str(&text);
                    return;
                }
                nodes.push(Node {
                    data: Data::Text(text.to_string()),
                    parent: None,
                    children: Vec::new(),
                    depth: 0,
                });
                nodes.len() - 1
            }
            NodeOrText::AppendNode(id) => {
                Self::detach(nodes, id);
                if matches!(nodes[id].data, Data::Element { .. }) {
                    self.depth.set(nodes[parent].depth + 1);
                }
                id
            }
        };
        nodes[id].parent = Some(parent);
        nodes[id].depth = nodes[parent].depth + 1;
        let at = at.min(nodes[parent].children.len());
        nodes[parent].children.insert(at, id);
    }

    /// The tree under the fragment's root element.
    pub fn into_tree(self) -> Tree {
        let nodes = self.nodes.into_inner();
        let root = nodes[DOCUMENT]
            .children
            .iter()
            .copied()
            .find(|&id| matches!(nodes[id].data, Data::Element { .. }))
            .unwrap_or(DOCUMENT);
        Tree { nodes, root }
    }
}

/// An element name, on loan from nowhere: the arena's cell can't be borrowed for as long as html5ever likes.
#[derive(Debug)]
pub struct Name(QualName);

impl ElemName for Name {
    fn ns(&self) -> &Namespace {
        &self.0.ns
    }

    fn local_name(&self) -> &LocalName {
        &self.0.local
    }
}

impl TreeSink for Arena {
    type Handle = Id;
    type Output = Tree;
    type ElemName<'a> = Name;

    fn finish(self) -> Tree {
        self.into_tree()
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Id {
        DOCUMENT
    }

    fn elem_name<'a>(&'a self, target: &'a Id) -> Name {
        match &self.nodes.borrow()[*target].data {
            Data::Element { name, .. } => Name(name.clone()),
            _ => Name(QualName::new(None, ns!(), LocalName::from(""))),
        }
    }

    fn create_element(&self, name: QualName, attrs: Vec<Attribute>, _: ElementFlags) -> Id {
        self.create(Data::Element { name, attrs })
    }

    fn create_comment(&self, _: StrTendril) -> Id {
        self.create(Data::Nothing)
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Id {
        self.create(Data::Nothing)
    }

    fn append(&self, parent: &Id, child: NodeOrText<Id>) {
        let at = self.nodes.borrow()[*parent].children.len();
        self.insert(*parent, at, child);
    }

    fn append_based_on_parent_node(&self, element: &Id, prev_element: &Id, child: NodeOrText<Id>) {
        if self.nodes.borrow()[*element].parent.is_some() {
            self.append_before_sibling(element, child);
        } else {
            self.append(prev_element, child);
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn pop(&self, node: &Id) {
        self.depth.set(self.nodes.borrow()[*node].depth.saturating_sub(1));
    }

    /// A template's content is not shown, so it may live in the template itself, where it goes with it.
    fn get_template_contents(&self, target: &Id) -> Id {
        *target
    }

    fn same_node(&self, x: &Id, y: &Id) -> bool {
        x == y
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &Id, child: NodeOrText<Id>) {
        if let NodeOrText::AppendNode(id) = &child {
            Self::detach(&mut self.nodes.borrow_mut(), *id);
        }
        let place = {
            let nodes = self.nodes.borrow();
            nodes[*sibling].parent.map(|parent| {
                let at = nodes[parent].children.iter().position(|id| id == sibling);
                (parent, at.unwrap_or(nodes[parent].children.len()))
            })
        };
        if let Some((parent, at)) = place {
            self.insert(parent, at, child);
        }
    }

    fn add_attrs_if_missing(&self, target: &Id, new: Vec<Attribute>) {
        if let Data::Element { attrs, .. } = &mut self.nodes.borrow_mut()[*target].data {
            for attr in new {
                if !attrs.iter().any(|old| old.name == attr.name) {
                    attrs.push(attr);
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &Id) {
        Self::detach(&mut self.nodes.borrow_mut(), *target);
    }

    fn reparent_children(&self, node: &Id, new_parent: &Id) {
        let nodes = &mut *self.nodes.borrow_mut();
        let children = std::mem::take(&mut nodes[*node].children);
        let depth = nodes[*new_parent].depth + 1;
        for &child in &children {
            nodes[child].parent = Some(*new_parent);
            nodes[child].depth = depth;
        }
        nodes[*new_parent].children.extend(children);
    }
}

/// What was parsed.
#[derive(Debug)]
pub struct Tree {
    nodes: Vec<Node>,
    root: Id,
}

/// A step of a walk in document order.
pub enum Step<'a> {
    Text(&'a str),
    Start(&'a QualName, &'a [Attribute]),
    End(&'a QualName),
}

impl Tree {
    /// Walks what is under the root, without recursion. `enter` says whether to go into an element; if not, it and
    /// its content are left out.
    pub fn walk(&self, mut enter: impl FnMut(&QualName) -> bool, mut visit: impl FnMut(Step<'_>)) {
        let mut stack: Vec<(Id, usize)> = vec![(self.root, 0)];
        while let Some((id, at)) = stack.pop() {
            let node = &self.nodes[id];
            let Some(&child) = node.children.get(at) else {
                if let Data::Element { name, .. } = &node.data
                    && id != self.root
                {
                    visit(Step::End(name));
                }
                continue;
            };
            stack.push((id, at + 1));
            match &self.nodes[child].data {
                Data::Text(text) => visit(Step::Text(text)),
                Data::Element { name, attrs } if enter(name) => {
                    visit(Step::Start(name, attrs));
                    stack.push((child, 0));
                }
                _ => {}
            }
        }
    }

    /// The names from the root to the one element called `name`, if it is the last thing in each of them, and whether
    /// they came from the caller's context.
    pub fn path_to_last(&self, name: &str) -> Option<Vec<(QualName, bool)>> {
        let mut path = Vec::new();
        let mut id = self.root;
        loop {
            id = *self.nodes[id].children.last()?;
            match &self.nodes[id].data {
                Data::Element { name: found, .. } if &*found.local == name => return Some(path),
                Data::Element { name: found, attrs } => {
                    let given = attrs.iter().any(|attr| &*attr.name.local == words::CONTEXT);
                    path.push((found.clone(), given));
                }
                _ => return None,
            }
        }
    }

    /// As a flat tree.
    pub fn write(&self, tail: &Tail) -> Vec<u8> {
        let mut writer = Writer::new(tail);
        self.walk(
            |_| true,
            |step| match step {
                Step::Text(text) => writer.text(text),
                Step::Start(name, attrs) => {
                    writer.start(&name.local, attrs.iter().map(|a| (&*a.name.local, &*a.value)));
                }
                Step::End(_) => writer.end(),
            },
        );
        writer.finish()
    }

    /// As HTML, only elements of the vocabulary. The shape is kept: what is written parses to the same tree again, as
    /// far as HTML can say it.
    pub fn html(&self) -> String {
        let known = |name: &QualName| name.ns == ns!(html) && words::has(words::ELEMENTS, &name.local);
        let mut out = String::new();
        self.walk(
            |name| !words::has(words::DROPPED_WITH_CONTENT, &name.local),
            |step| match step {
                Step::Text(text) => escape(&mut out, text),
                Step::Start(name, attrs) if known(name) => {
                    out.push('<');
                    out.push_str(&name.local);
                    for attr in attrs {
                        out.push(' ');
                        out.push_str(&attr.name.local);
                        out.push_str("=\"");
                        escape(&mut out, &attr.value);
                        out.push('"');
                    }
                    out.push('>');
                }
                Step::End(name) if known(name) && !words::is_void(&name.local) => {
                    out.push_str("</");
                    out.push_str(&name.local);
                    out.push('>');
                }
                _ => {}
            },
        );
        out
    }
}

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{a0}' => out.push_str("&nbsp;"),
            c => out.push(c),
        }
    }
}
