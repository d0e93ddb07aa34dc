//! The markdown engine: text in, operations on a safe tree out.
//!
//! What is on the page is a function of the text so far. After [`Engine::end`] it is the tree that rendering the whole
//! text once gives, whatever the chunks were. Nothing here knows a clock, a DOM or JavaScript.
//!
//! The text before the anchor is finished: its nodes are on the page and no longer known here, but for leaves that wait
//! for a definition, and the containers that may still go on (`path`). The text after it is parsed again at each flush,
//! behind a stub that opens those containers, and the tree compared with the one before. So a flush costs what is open,
//! not what was written.

pub mod batch;
mod between;
mod brush;
mod build;
mod diff;
mod finish;
pub mod grammar;
mod group;
mod guess;
mod inline;
mod labels;
mod long;
mod marks;
mod parse;
mod path;
pub mod raw;
mod settle;
pub mod tree;
mod waiting;

use crate::core::pattern::{figures, tail_of};
use std::ops::Range;
use std::rc::Rc;

use crate::core::policy::Policy;

pub use batch::{Batch, Work};
pub use raw::Sanitize;

use batch::Pen;
use group::{Assembled, Assembler};
use guess::Inside;
use labels::Labels;
use long::{LARGE, Long, Plain};
use parse::{Parsed, Slice};
use path::Open;
use settle::Holds;
use tree::{Node, Role};
use waiting::Waiting;

/// Renders one message. Call order: any number of [`push`](Engine::push) and [`flush`](Engine::flush), then
/// [`end`](Engine::end), then, if it is not [final](Engine::is_final), `flush` with a sanitiser or
/// [`sanitizer_failed`](Engine::sanitizer_failed). After each, the [`batch`](Engine::batch) may be taken and cleared.
#[derive(Debug)]
pub struct Engine {
    policy: Rc<Policy>,
    id_prefix: String,
    normaliser: grammar::Normaliser,
    text: String,
    /// How much of the text is on the page.
    shown: usize,
    /// What was true when it was shown.
    shown_ended: bool,
    shown_raw: bool,
    anchor: usize,
    /// The containers that are open at the anchor.
    path: Vec<Open>,
    /// The raw elements that are open there, those that are not shown too.
    context: Vec<String>,
    /// The nodes of the text from the anchor on.
    tail: Vec<Node>,
    /// The last finished node in the container; 0 if none.
    before: u32,
    labels: Labels,
    waiting: Waiting,
    holds: Holds,
    pen: Pen,
    ended: bool,
    failed: bool,
    /// Raw HTML is shown as text, since there is no sanitiser yet.
    raw_waits: bool,
    plain: Option<Plain>,
    long: Option<Long>,
    /// While much is open, it is read again when the text is this long.
    next_read: usize,
}

impl Engine {
    /// `id_prefix` is the message's id: ids in the text can't collide with the page's or another message's.
    pub fn new(policy: Rc<Policy>, id_prefix: &str) -> Engine {
        Engine {
            policy,
            id_prefix: id_prefix.to_owned(),
            normaliser: grammar::Normaliser::default(),
            text: String::new(),
            shown: 0,
            shown_ended: false,
            shown_raw: false,
            anchor: 0,
            path: Vec::new(),
            context: Vec::new(),
            tail: Vec::new(),
            before: 0,
            labels: Labels::default(),
            waiting: Waiting::default(),
            holds: Holds::default(),
            pen: Pen::default(),
            ended: false,
            failed: false,
            raw_waits: false,
            plain: None,
            long: None,
            next_read: 0,
        }
    }

    /// Keeps more text. Nothing is parsed. After [`end`](Engine::end) it does nothing.
    #[cfg_attr(riacho_module, optimize(speed))]
    pub fn push(&mut self, text: &str) {
        if !self.ended {
            self.normaliser.push(text, &mut self.text);
        }
    }

    /// Brings the tree up to date with the text so far.
    #[cfg_attr(riacho_module, optimize(speed))]
    pub fn flush(&mut self, sanitizer: Option<&dyn Sanitize>) {
        let sanitizer = sanitizer.filter(|_| !self.failed);
        let raw = sanitizer.is_some();
        let news = self.text.len() != self.shown || self.ended != self.shown_ended;
        if news || (self.raw_waits && (raw || self.failed)) {
            let more = !self.ended && self.shown_raw == raw && !(self.raw_waits && self.failed);
            if !(more && self.append()) {
                let before = self.pen.work.total();
                let long = self.last_leaf().is_some_and(|leaf| leaf.span.start + LARGE < self.text.len());
                self.render(sanitizer);
                if long {
                    self.pen.work.amortised += self.pen.work.total() - before;
                }
            }
            (self.shown, self.shown_ended, self.shown_raw) = (self.text.len(), self.ended, raw);
        }
    }

    /// The text is whole. Calling it again does nothing more.
    pub fn end(&mut self, sanitizer: Option<&dyn Sanitize>) {
        if !self.ended {
            self.normaliser.end(&mut self.text);
            self.ended = true;
        }
        self.flush(sanitizer);
    }

    /// There will be no sanitiser: raw HTML stays text.
    pub fn sanitizer_failed(&mut self) {
        self.failed = true;
        self.flush(None);
    }

    /// Raw HTML is waiting for a sanitiser.
    pub fn wants_sanitizer(&self) -> bool {
        self.raw_waits && !self.failed
    }

    /// The text is whole and what is on the page will not change.
    pub fn is_final(&self) -> bool {
        self.shown_ended && !self.wants_sanitizer()
    }

    /// The text so far, normalised.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Operations since the batch was cleared.
    pub fn batch(&self) -> &Batch {
        &self.pen.batch
    }

    pub fn clear_batch(&mut self) {
        self.pen.batch.clear();
    }

    /// Takes the batch and leaves an empty one for the next; neither gives its buffers up.
    pub fn swap_batch(&mut self, empty: &mut Batch) {
        std::mem::swap(&mut self.pen.batch, empty);
    }

    /// The engine's effort so far.
    pub fn work(&self) -> Work {
        self.pen.work
    }

    /// Parses the text after the anchor and brings it to the page; then lets go of what is finished.
    fn render(&mut self, sanitizer: Option<&dyn Sanitize>) {
        let range = self.anchor..self.text.len();
        let mut open = self.guessed();
        let mut parsed = self.parse(range.clone(), open, false);
        // Only now it is known whether the text ends in code, where nothing is closed that looks open.
        match (open, ends_in_code(&parsed)) {
            (Some(Inside::Other | Inside::Table), Some(code)) => {
                let in_code = self.guessed_in_code(code);
                let read = self.parse(range.clone(), in_code, false);
                // What was held back is no code if it is none when it is shown.
                if ends_in_code(&read).is_some() {
                    (open, parsed) = (in_code, read);
                }
            }
            (Some(Inside::Fence) | None, None) if !self.ended => {
                open = Some(Inside::Other);
                parsed = self.parse(range.clone(), open, false);
            }
            _ => {}
        }
        if !parsed.loosened.is_empty() {
            // A line that is not whole may still turn out to be no item.
            let whole = self.ended || self.whole() == self.text.len();
            if whole || !self.parse(self.anchor..self.whole(), None, false).loosened.is_empty() {
                self.loosen(&parsed.loosened);
                parsed = self.parse(range.clone(), open, false);
            } else {
                parsed = self.parse(range.clone(), open, true);
            }
        }
        let tops = std::mem::take(&mut parsed.tops);
        let Assembled { kids: mut new, contexts, pieces, limit, raw, scanned } =
            self.assemble(tops, range, &self.path, &self.context, open, sanitizer);
        self.pen.work.scanned += scanned as u64;
        self.raw_waits = raw && !self.failed;
        let old = std::mem::take(&mut self.tail);
        diff::kids(&mut self.pen, 0, self.before, old, &mut new);
        // At the end nothing waits but the sanitiser.
        let limit = limit.filter(|_| !(raw && self.failed) && (self.raw_waits || !self.ended));
        let text_end = parsed.text_end;
        self.finish(new, parsed, &contexts, &pieces, limit, sanitizer);
        self.next_read = 0;
        let open = self.text.len() - self.anchor;
        if open > LARGE {
            self.next_read = self.text.len() + open / 8;
            self.long = self.begin_long();
            if self.long.is_some() {
                // Two readings to each doubling: where a text ends between two of them weighs the same at twice its length.
                self.next_read = self.text.len() + open * 5 / 12;
            }
        }
        self.plain = self.plain_after(text_end);
    }

    /// Shows new text without reading all that is open again, if that is possible.
    #[cfg_attr(riacho_module, optimize(speed))]
    fn append(&mut self) -> bool {
        if self.append_plain() {
            return true;
        }
        if self.long.is_some() {
            return self.append_long();
        }
        self.text.len() < self.next_read
    }

    fn assemble(
        &self,
        tops: Vec<build::Top>,
        range: Range<usize>,
        path: &[Open],
        context: &[String],
        open: Option<Inside>,
        sanitizer: Option<&dyn Sanitize>,
    ) -> Assembled {
        let assembler =
            Assembler { policy: &self.policy, id_prefix: &self.id_prefix, sanitizer, path, context };
        assembler
            .assemble(tops, || Slice { text: &self.text, range, path, labels: &self.labels, open }.html())
    }

    fn parse(&mut self, range: Range<usize>, open: Option<Inside>, keep_tight: bool) -> Parsed {
        let slice = Slice { text: &self.text, range, path: &self.path, labels: &self.labels, open };
        let (parsed, scanned, events) = slice.nodes(&self.policy, &self.id_prefix, keep_tight);
        self.pen.work.scanned += scanned as u64;
        self.pen.work.compared += events as u64;
        parsed
    }

    /// Where the end of the text stands, if it is shown as it will most likely become.
    fn guessed(&self) -> Option<Inside> {
        if self.ended {
            return None;
        }
        match self.last_leaf() {
            Some(leaf) if matches!(leaf.role, Role::Fence | Role::Code) => self.guessed_in_code(leaf),
            _ if self.path.last().is_some_and(|open| open.role == Role::Body) => Some(Inside::Table),
            _ => Some(Inside::Other),
        }
    }

    fn guessed_in_code(&self, leaf: &Node) -> Option<Inside> {
        let begun = leaf.spine || self.text.get(leaf.span.start..)?.contains('\n');
        (leaf.role == Role::Fence && begun).then_some(Inside::Fence)
    }

    /// Where the last line begins that is not whole.
    fn whole(&self) -> usize {
        let tail = tail_of(&self.text, self.anchor);
        tail.rfind('\n').map_or(self.anchor, |at| self.anchor + at + 1)
    }

    fn line_start(&self, at: usize) -> usize {
        self.text.get(..at).and_then(|head| head.rfind('\n')).map_or(0, |at| at + 1)
    }

    /// Where the line ends that this byte is in.
    fn line_end(&self, at: usize) -> usize {
        let at = self.text.floor_char_boundary(at);
        self.text.get(at..).and_then(|tail| tail.find('\n')).map_or(self.text.len(), |len| at + len + 1)
    }

    fn mention(&mut self, label: &str, at: usize) {
        for (id, number) in self.labels.numbers_mut().mention(label, at).texts {
            self.pen.splice(id, 0, &figures(number));
        }
    }
}

fn ends_in_code(parsed: &Parsed) -> Option<&Node> {
    let leaf = parsed.tops.last().and_then(|top| long::last_leaf(&top.node));
    leaf.filter(|leaf| matches!(leaf.role, Role::Fence | Role::Code))
}
