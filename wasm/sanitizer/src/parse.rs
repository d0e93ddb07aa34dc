//! Parsing with html5ever: once as it comes, to cap the nesting and to see what is left open; once after ammonia.

use std::cell::{Cell, RefCell};

use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};
use html5ever::{LocalName, QualName, local_name, ns};
use riacho_flat::{Tail, words};

use crate::arena::{Arena, Id, Tree};

/// html5ever looks through its open elements at each tag, so deep nesting costs the square of its depth.
pub const MAX_DEPTH: usize = 100;

/// Written after the input. Where it lands tells what state the parser was in.
const HERE: &str = "riacho-here";

/// What is known of HTML as it came.
pub struct Raw {
    /// The same HTML again, less deep, if it was too deep.
    pub capped: Option<String>,
    pub tail: Tail,
}

fn context() -> QualName {
    QualName::new(None, ns!(html), local_name!("div"))
}

fn options() -> TokenizerOpts {
    // A byte order mark at the start of a fragment is a character like any other: a fragment starts anywhere.
    TokenizerOpts { discard_bom: false, ..TokenizerOpts::default() }
}

/// Parses what ammonia wrote.
pub fn clean(html: &str) -> Tree {
    let (tokenizer, input) = parser(html, Capped::No);
    feed(&tokenizer, &input);
    tokenizer.end();
    tokenizer.sink.builder.sink.into_tree()
}

/// The one kind of parser here: every other would be another copy of html5ever to download.
fn parser(html: &str, capped: Capped) -> (Tokenizer<Cap>, BufferQueue) {
    let arena = Arena::new();
    let element = html5ever::interface::create_element(&arena, context(), Vec::new());
    let builder = TreeBuilder::new_for_fragment(arena, element, None, TreeBuilderOpts::default());
    let cap = Cap {
        builder,
        dropped: RefCell::default(),
        tokens: Cell::new(0),
        form: Cell::new(false),
        capped: Cell::new(capped),
    };
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    (Tokenizer::new(cap, options()), input)
}

/// Parses what nobody has looked at yet.
pub fn raw(html: &str) -> Raw {
    let (tokenizer, input) = parser(html, Capped::NotYet);
    feed(&tokenizer, &input);
    // The tokenizer must have seen everything before the mark, or the mark would change what is before it.
    let capped = tokenizer.sink.capped.get() == Capped::Yes;
    let form = tokenizer.sink.form.get();
    input.push_back(StrTendril::from(format!("<{HERE}>")));
    feed(&tokenizer, &input);
    tokenizer.end();
    let tree = tokenizer.sink.builder.sink.into_tree();
    let tail = match tree.path_to_last(HERE) {
        Some(path)
            if path.iter().all(|(name, _)| is_plain(name))
                && form == path.iter().any(|(name, _)| &*name.local == "form") =>
        {
            Tail {
                plain: true,
                open: path.into_iter().map(|(name, given)| open_name(&name, given)).collect(),
            }
        }
        _ => Tail::default(),
    };
    Raw { capped: capped.then(|| tree.html()), tail }
}

/// Feeding stops at each script; there is nobody to run it.
fn feed(tokenizer: &Tokenizer<Cap>, input: &BufferQueue) {
    while !input.is_empty() {
        let _ = tokenizer.feed(input);
    }
}

/// See [`Tail::open`].
fn open_name(name: &QualName, given: bool) -> String {
    if given { format!("{}*", name.local) } else { name.local.to_string() }
}

/// An element that is nothing but itself while it is open: it is not formatting, changes no insertion mode and is not
/// closed by what comes next.
fn is_plain(name: &QualName) -> bool {
    name.ns == ns!(html)
        && matches!(
            &*name.local,
            "address"
                | "article"
                | "aside"
                | "blockquote"
                | "center"
                | "dd"
                | "details"
                | "div"
                | "dl"
                | "dt"
                | "figcaption"
                | "figure"
                | "footer"
                | "form"
                | "header"
                | "li"
                | "main"
                | "nav"
                | "ol"
                | "section"
                | "ul"
        )
}

/// Between tokenizer and tree builder: start tags that would nest too deep are left out, with their end tags.
struct Cap {
    builder: TreeBuilder<Id, Arena>,
    /// Names of start tags that were left out at the present depth.
    dropped: RefCell<Vec<LocalName>>,
    tokens: Cell<usize>,
    /// A form has begun, and no end tag of one came since. Whatever ended it, the parser ignores the next start tag.
    form: Cell<bool>,
    capped: Cell<Capped>,
}

/// Whether too deep a start tag is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Capped {
    /// It would be, and none was.
    NotYet,
    /// One was.
    Yes,
    /// Nothing is left out: ammonia wrote what is read.
    No,
}

impl Cap {
    fn drops(&self, tag: &Tag) -> bool {
        let arena = &self.builder.sink;
        let mut dropped = self.dropped.borrow_mut();
        // The fragment's own root counts one.
        let full = arena.depth() > MAX_DEPTH;
        // Waiting formatting elements are opened again in each new block: a bound on that, too.
        let flooded = arena.len() > 4 * self.tokens.get() + 1024;
        if !full && !flooded {
            dropped.clear();
            return false;
        }
        match tag.kind {
            TagKind::StartTag if &*tag.name == HERE || words::is_void(&tag.name) && !flooded => false,
            TagKind::StartTag => {
                self.capped.set(Capped::Yes);
                dropped.push(tag.name.clone());
                true
            }
            TagKind::EndTag => match dropped.iter().rposition(|name| *name == tag.name) {
                Some(at) => {
                    dropped.remove(at);
                    true
                }
                None => false,
            },
        }
    }
}

impl TokenSink for Cap {
    type Handle = Id;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<Id> {
        self.tokens.set(self.tokens.get() + 1);
        if let Token::TagToken(tag) = &token
            && &*tag.name == "form"
        {
            self.form.set(tag.kind == TagKind::StartTag);
        }
        if let Token::TagToken(tag) = &token
            && self.capped.get() != Capped::No
            && self.drops(tag)
        {
            return TokenSinkResult::Continue;
        }
        self.builder.process_token(token, line)
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder.adjusted_current_node_present_but_not_in_html_namespace()
    }
}
