//! The markdown engine: text in, operations on a safe tree out.
//!
//! What is on the page is a function of the text so far. After [`Engine::end`] it is the tree that rendering the whole
//! text once gives, whatever the chunks were. Nothing here knows a clock, a DOM or JavaScript.
//!
//! The text before `anchor` is finished: its nodes are on the page and no longer known here, but for blocks that wait
//! for a definition. The text after it is parsed again at each flush, and the tree compared with the one before.

pub mod batch;
mod build;
mod diff;
mod finish;
pub mod grammar;
mod labels;
pub mod raw;
pub mod tree;

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use pulldown_cmark::{BrokenLink, CowStr, Event, Parser, Tag};

use crate::core::policy::Policy;

pub use batch::{Batch, Work};
pub use raw::Sanitize;

use batch::Pen;
use build::{Builder, Context, Top};
use labels::{Key, Labels};
use tree::{Kind, Node, Role};

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
    /// The nodes of the text from the anchor on.
    tail: Vec<Node>,
    /// The last finished node in the container; 0 if none.
    before: u32,
    /// Somebody else may still name it.
    before_pinned: bool,
    labels: Labels,
    waiting: Waiting,
    pen: Pen,
    ended: bool,
    failed: bool,
    /// Raw HTML is shown as text, since there is no sanitiser yet.
    raw_waits: bool,
}

/// Finished blocks with labels that nobody has defined yet.
#[derive(Debug, Default)]
struct Waiting {
    blocks: Vec<Option<WaitingBlock>>,
    index: HashMap<Key, Vec<usize>>,
}

#[derive(Debug)]
struct WaitingBlock {
    span: Range<usize>,
    node: Node,
    before: u32,
}

/// A link definition in the text.
#[derive(Debug)]
struct Definition {
    label: String,
    dest: String,
    title: String,
    span: Range<usize>,
}

#[derive(Debug, Default)]
struct Parsed {
    tops: Vec<Top>,
    /// References that a definition in the parsed text resolved, and where.
    refs: Vec<(String, usize)>,
    /// References that nothing resolved, and where.
    wanted: Vec<(String, usize)>,
    definitions: Vec<Definition>,
    notes: Vec<(String, usize)>,
    /// Footnotes mentioned, in order.
    mentions: Vec<(String, usize)>,
}

struct Known<'a> {
    labels: &'a Labels,
    mentions: Vec<(String, usize)>,
    fresh: Vec<String>,
}

impl Context for Known<'_> {
    fn number(&mut self, label: &str, at: usize) -> usize {
        self.mentions.push((label.to_owned(), at));
        if let Some(number) = self.labels.numbers().get(label) {
            return number;
        }
        let place = self.fresh.iter().position(|known| known == label).unwrap_or_else(|| {
            self.fresh.push(label.to_owned());
            self.fresh.len() - 1
        });
        self.labels.numbers().len() + place + 1
    }

    fn link(&self, label: &str) -> Option<(&str, &str)> {
        self.labels.link(label)
    }
}

/// One entry of the container: a block, or a group of blocks that are one piece of HTML.
struct Entry {
    node: Node,
    span: Range<usize>,
    /// Raw HTML that nobody has sanitised yet.
    raw: bool,
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
            tail: Vec::new(),
            before: 0,
            before_pinned: false,
            labels: Labels::default(),
            waiting: Waiting::default(),
            pen: Pen::default(),
            ended: false,
            failed: false,
            raw_waits: false,
        }
    }

    /// Keeps more text. Nothing is parsed. After [`end`](Engine::end) it does nothing.
    pub fn push(&mut self, text: &str) {
        if !self.ended {
            self.normaliser.push(text, &mut self.text);
        }
    }

    /// Brings the tree up to date with the text so far.
    pub fn flush(&mut self, sanitizer: Option<&dyn Sanitize>) {
        let sanitizer = sanitizer.filter(|_| !self.failed);
        let raw = sanitizer.is_some();
        let news = self.text.len() != self.shown || self.ended != self.shown_ended;
        if news || (self.raw_waits && (raw || self.failed)) {
            self.render(sanitizer);
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

    /// The engine's effort so far.
    pub fn work(&self) -> Work {
        self.pen.work
    }

    fn render(&mut self, sanitizer: Option<&dyn Sanitize>) {
        let parsed = self.parse(self.anchor..self.text.len());
        let Parsed { tops, refs, wanted, definitions, notes, mentions } = parsed;
        let entries = self.entries(tops, sanitizer);
        self.raw_waits = !self.failed && entries.iter().any(|entry| entry.raw);

        let spans: Vec<(Range<usize>, bool)> = entries.iter().map(|e| (e.span.clone(), e.raw)).collect();
        let mut new: Vec<Node> = entries.into_iter().map(|entry| entry.node).collect();
        let old = std::mem::take(&mut self.tail);
        diff::kids(&mut self.pen, 0, self.before, old, &mut new);

        let (count, anchor) = self.settled(&spans, &definitions);
        let mut defined = Vec::new();
        for definition in definitions.iter().filter(|d| d.span.start < anchor) {
            if self.labels.define_link(&definition.label, &definition.dest, &definition.title) {
                defined.push(Key::link(&definition.label));
            }
        }
        for (label, _) in notes.iter().filter(|(_, at)| *at < anchor) {
            if self.labels.define_note(label) {
                defined.push(Key::note(label));
            }
        }
        for (label, _) in mentions.iter().filter(|(_, at)| *at < anchor) {
            let at = mentions.iter().find(|(l, _)| l == label).map_or(0, |(_, at)| *at);
            self.mention(label, at);
        }
        let rest = new.split_off(count);
        for (node, (span, _)) in new.into_iter().zip(spans) {
            let mut keys: Vec<Key> = Vec::new();
            for (label, _) in wanted.iter().chain(&refs).filter(|(_, at)| span.contains(at)) {
                keys.push(Key::link(label));
            }
            keys.extend(footnote_labels(self.text.get(span.clone()).unwrap_or_default()).map(Key::note));
            keys.retain(|key| !self.labels.knows(key));
            self.settle(node, span, keys);
        }
        self.tail = rest;
        self.anchor = anchor;
        self.wake(defined, sanitizer);
    }

    fn mention(&mut self, label: &str, at: usize) {
        for (id, number) in self.labels.numbers_mut().mention(label, at).texts {
            self.pen.splice(id, 0, &number.to_string());
        }
    }

    /// How many entries are finished, and where the rest begins. Only a whole line, or the end, finishes a block.
    fn settled(&self, entries: &[(Range<usize>, bool)], definitions: &[Definition]) -> (usize, usize) {
        let first_raw = entries.iter().position(|(_, raw)| *raw).filter(|_| !self.failed);
        if self.ended && first_raw.is_none() {
            return (entries.len(), self.text.len());
        }
        let whole = self.text.rfind('\n').map_or(0, |at| at + 1);
        let last = entries.iter().rposition(|(span, _)| span.start < whole).unwrap_or(0);
        let mut count = last.min(first_raw.unwrap_or(usize::MAX));
        // A block that begins this far in would be code if it came first.
        while count > 0
            && entries.get(count).is_some_and(|(span, _)| {
                let indent = self.text.get(self.line_start(span.start)..span.start).unwrap_or_default();
                indent.len() > 3 || indent.contains('\t')
            })
        {
            count -= 1;
        }
        let mut anchor = match entries.get(count) {
            Some((span, _)) => self.line_start(span.start),
            None => return (0, self.anchor),
        };
        // A definition directly before may go on: its title may be on a later line.
        if let Some(definition) = definitions.iter().rfind(|d| {
            d.span.end <= anchor
                && self
                    .text
                    .get(d.span.end..anchor)
                    .is_some_and(|gap| gap.trim_matches([' ', '\n']).is_empty())
                && self.text.get(d.span.end..anchor).is_some_and(|gap| gap.matches('\n').count() <= 1)
        }) {
            anchor = self.line_start(definition.span.start);
        }
        // Never in the middle of something that is still there.
        while count > 0 && entries.get(count - 1).is_some_and(|(span, _)| span.start >= anchor) {
            count -= 1;
        }
        (count, anchor.max(self.anchor))
    }

    fn line_start(&self, at: usize) -> usize {
        self.text.get(..at).and_then(|head| head.rfind('\n')).map_or(0, |at| at + 1)
    }

    /// A block is finished.
    fn settle(&mut self, node: Node, span: Range<usize>, keys: Vec<Key>) {
        let last = node.last_id();
        let before = self.before;
        let waits = !keys.is_empty();
        if last != 0 {
            let pinned = self.before_pinned || (waits && matches!(node.kind, Kind::Virtual));
            if before != 0 && !pinned {
                self.pen.forget(before);
            }
            (self.before, self.before_pinned) = (last, waits);
        }
        if waits {
            numbers(&node, &mut |label, id| self.labels.numbers_mut().show(label, id));
            let at = self.waiting.blocks.len();
            self.waiting.blocks.push(Some(WaitingBlock { span, node, before }));
            for key in keys {
                self.waiting.index.entry(key).or_default().push(at);
            }
            return;
        }
        let labels = &mut self.labels;
        diff::settle(&mut self.pen, node, &mut |id, label| match label {
            Some(label) => {
                labels.numbers_mut().show(label, id);
                true
            }
            None => id == last,
        });
    }

    /// Renders the blocks again that waited for these labels.
    fn wake(&mut self, defined: Vec<Key>, sanitizer: Option<&dyn Sanitize>) {
        let mut woken: Vec<usize> =
            defined.iter().filter_map(|key| self.waiting.index.remove(key)).flatten().collect();
        woken.sort_unstable();
        woken.dedup();
        for at in woken {
            let Some(mut block) = self.waiting.blocks.get_mut(at).and_then(Option::take) else { continue };
            let lines = self.line_start(block.span.start)..block.span.end;
            let mentions = self.parse(lines.clone()).mentions;
            for (label, at) in mentions {
                self.mention(&label, at);
            }
            let parsed = self.parse(lines);
            let mut new: Vec<Node> =
                self.entries(parsed.tops, sanitizer).into_iter().map(|entry| entry.node).collect();
            numbers(&block.node, &mut |label, id| self.labels.numbers_mut().hide(label, id));
            renumber(&mut block.node, &self.labels);
            diff::kids(&mut self.pen, 0, block.before, vec![block.node], &mut new);
            let mut group = Node::new(Kind::Virtual);
            group.kids = new;
            block.node = if group.kids.len() == 1 { group.kids.remove(0) } else { group };
            numbers(&block.node, &mut |label, id| self.labels.numbers_mut().show(label, id));
            if let Some(place) = self.waiting.blocks.get_mut(at) {
                *place = Some(block);
            }
        }
    }

    /// Blocks that are pieces of the same HTML become one.
    fn entries(&mut self, tops: Vec<Top>, sanitizer: Option<&dyn Sanitize>) -> Vec<Entry> {
        let Some(sanitizer) = sanitizer.filter(|_| tops.iter().any(|top| top.html)) else {
            return tops.into_iter().map(|t| Entry { node: t.node, span: t.span, raw: t.html }).collect();
        };
        let mut entries = Vec::new();
        let mut tops = tops.into_iter().peekable();
        while let Some(top) = tops.next() {
            if !top.html {
                entries.push(Entry { node: top.node, span: top.span, raw: false });
                continue;
            }
            let mut span = top.span.clone();
            let mut html = self.html(top.span);
            loop {
                self.pen.work.scanned += html.len() as u64;
                let made = raw::nodes(&self.policy, &self.id_prefix, &sanitizer.sanitize(&html));
                let closed = made.as_ref().is_ok_and(|(nodes, tail)| {
                    tail.plain && tail.open.is_empty() && nodes.last().is_none_or(Node::is_block)
                });
                if let Some(next) = tops.next_if(|_| !closed) {
                    span.end = next.span.end;
                    html.push_str(&self.html(next.span));
                    continue;
                }
                let mut node = Node::new(Kind::Virtual);
                node.role = Role::Block;
                node.span = span.clone();
                // What can't be read is shown as it came.
                node.kids = made.map_or_else(|_| vec![Node::text(html)], |(nodes, _)| nodes);
                entries.push(Entry { node, span, raw: false });
                break;
            }
        }
        entries
    }

    /// The HTML that pulldown-cmark writes for a stretch of the text.
    fn html(&mut self, range: Range<usize>) -> String {
        let mut collector = raw::Collector::default();
        let mut known = Known { labels: &self.labels, mentions: Vec::new(), fresh: Vec::new() };
        let mut scanned = 0;
        let lines = self.line_start(range.start)..self.text.len();
        self.events(lines, &mut scanned, &mut Vec::new(), &mut Vec::new(), |event, at| {
            if at.start >= range.end {
                return;
            }
            let number = match &event {
                Event::FootnoteReference(label) | Event::Start(Tag::FootnoteDefinition(label)) => {
                    Some(known.number(label, at.start))
                }
                _ => None,
            };
            let link = match &event {
                Event::Start(Tag::Link { id, .. } | Tag::Image { id, .. }) if !id.is_empty() => {
                    self.labels.link(id)
                }
                _ => None,
            };
            collector.event(event, number, link);
        });
        let mut out = String::new();
        collector.write(&mut out);
        self.pen.work.scanned += scanned;
        out
    }

    fn parse(&mut self, range: Range<usize>) -> Parsed {
        let mut parsed = Parsed::default();
        let known = Known { labels: &self.labels, mentions: Vec::new(), fresh: Vec::new() };
        let mut builder = Builder::new(&self.policy, &self.id_prefix, known);
        let (mut scanned, mut notes) = (0, Vec::new());
        let mut wanted = Vec::new();
        self.events(range, &mut scanned, &mut wanted, &mut parsed.definitions, |event, at| {
            if let Event::Start(Tag::FootnoteDefinition(label)) = &event {
                notes.push((label.to_string(), at.start));
            }
            builder.event(event, at);
        });
        let built = builder.finish();
        parsed.tops = built.tops;
        parsed.refs = built.refs;
        parsed.mentions = built.context.mentions;
        parsed.notes = notes;
        parsed.wanted = wanted;
        self.pen.work.scanned += scanned;
        self.pen.work.compared += built.nodes;
        parsed
    }

    /// Parses a stretch of the text that begins with a block, in the light of what was defined before it.
    fn events(
        &self,
        range: Range<usize>,
        scanned: &mut u64,
        wanted: &mut Vec<(String, usize)>,
        definitions: &mut Vec<Definition>,
        mut visit: impl FnMut(Event<'_>, Range<usize>),
    ) {
        let slice = self.text.get(range.clone()).unwrap_or_default();
        // pulldown-cmark makes a footnote of a reference only if it sees the definition.
        let mut preamble = String::new();
        if self.labels.has_notes() {
            for label in footnote_labels(slice).filter(|label| self.labels.has_note(label)) {
                preamble.push_str("[^");
                preamble.push_str(label);
                preamble.push_str("]: x\n");
            }
        }
        let joined;
        let input = if preamble.is_empty() {
            slice
        } else {
            // The heading ends the last footnote, whatever comes.
            preamble.push_str("# x\n");
            joined = format!("{preamble}{slice}");
            &joined
        };
        let skip = preamble.len();
        let place = |at: Range<usize>| {
            let shift = |at: usize| at.saturating_sub(skip) + range.start;
            shift(at.start)..shift(at.end)
        };
        *scanned += input.len() as u64;
        let unresolved = RefCell::new(wanted);
        let callback = |link: BrokenLink<'_>| -> Option<(CowStr<'_>, CowStr<'_>)> {
            match self.labels.link(&link.reference) {
                Some((dest, title)) => Some((dest.to_owned().into(), title.to_owned().into())),
                None => {
                    unresolved.borrow_mut().push((link.reference.to_string(), place(link.span).start));
                    None
                }
            }
        };
        let parser = Parser::new_with_broken_link_callback(input, grammar::OPTIONS, Some(callback));
        definitions.extend(parser.reference_definitions().iter().filter(|(_, d)| d.span.start >= skip).map(
            |(label, definition)| Definition {
                label: label.to_owned(),
                dest: definition.dest.to_string(),
                title: definition.title.as_deref().unwrap_or_default().to_owned(),
                span: place(definition.span.clone()),
            },
        ));
        definitions.sort_unstable_by_key(|d| d.span.start);
        let events = parser.into_offset_iter().filter(|(_, at)| at.start >= skip);
        for (event, at) in grammar::adapt(events) {
            visit(event, place(at));
        }
    }
}

/// The footnote numbers in a node.
fn numbers(node: &Node, visit: &mut impl FnMut(&str, u32)) {
    if let Role::Number(label) = &node.role {
        visit(label, node.id);
    }
    for kid in &node.kids {
        numbers(kid, visit);
    }
}

/// Brings the numbers in a node that is kept to what the page shows.
fn renumber(node: &mut Node, labels: &Labels) {
    if let (Role::Number(label), Kind::Text { text, .. }) = (&node.role, &mut node.kind)
        && let Some(number) = labels.numbers().get(label)
    {
        *text = number.to_string();
    }
    for kid in &mut node.kids {
        renumber(kid, labels);
    }
}

/// What may be a reference to a footnote, or its definition.
fn footnote_labels(text: &str) -> impl Iterator<Item = &str> {
    text.split("[^").skip(1).filter_map(|rest| {
        let (label, _) = rest.split_once(']')?;
        (!label.is_empty() && label.len() < 1000 && !label.contains(['\n', '['])).then_some(label)
    })
}
