//! Parsing a stretch of the text in the light of what came before it: open containers, link and footnote definitions.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;

use pulldown_cmark::{BrokenLink, CowStr, Event, Tag, TagEnd};

use crate::core::pattern::figures;
use crate::core::policy::Policy;

use super::between::Between;
use super::build::{Builder, Context, Source, Top, bare_task};
use super::grammar;
use super::guess::{Inside, guess};
use super::labels::Labels;
use super::path::{self, Open};
use super::raw::Events;
use super::tree::Role;

/// The first definition of a link's label in the text.
#[derive(Debug)]
pub struct Definition {
    pub label: String,
    pub dest: String,
    pub title: String,
    pub span: Range<usize>,
}

#[derive(Debug, Default)]
pub struct Parsed {
    pub tops: Vec<Top>,
    /// Labels of references that a definition resolved, and where.
    pub refs: Vec<(String, usize)>,
    /// Labels of references that nothing resolved, and where.
    pub wanted: Vec<(String, usize)>,
    pub definitions: Vec<Definition>,
    /// Where definitions stand, in order, those too that come too late to mean anything.
    pub defined: Vec<Range<usize>>,
    /// Footnotes that are defined, and where.
    pub notes: Vec<(String, usize)>,
    /// Footnotes mentioned, in order.
    pub mentions: Vec<(String, usize)>,
    /// Lists of the path that have turned loose.
    pub loosened: Vec<u32>,
    /// Where the first task is that has its text on the next line, in a list that is tight so far.
    pub tasks: Option<usize>,
    /// Where the last text ends.
    pub text_end: usize,
}

/// Where to parse, and what is open there.
#[derive(Debug, Clone)]
pub struct Slice<'a> {
    pub text: &'a str,
    pub range: Range<usize>,
    pub path: &'a [Open],
    pub labels: &'a Labels,
    /// The text goes on behind it, from in there: its end is shown as it will most likely become.
    pub open: Option<Inside>,
}

struct Known<'a> {
    labels: &'a Labels,
    mentions: Vec<(String, usize)>,
    fresh: Vec<String>,
}

impl Known<'_> {
    fn new(labels: &Labels) -> Known<'_> {
        Known { labels, mentions: Vec::new(), fresh: Vec::new() }
    }
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

impl Slice<'_> {
    /// Parses into safe nodes. `keep_tight` shows the path's lists as they were. Gives back the bytes scanned and the
    /// events seen, too.
    #[cfg_attr(riacho_module, optimize(speed))]
    pub fn nodes(&self, policy: &Policy, id_prefix: &str, keep_tight: bool) -> (Parsed, usize, usize) {
        let mut parsed = Parsed::default();
        // Raw elements are not markdown's.
        let raws = self.path.iter().take_while(|open| open.role == Role::Raw).count();
        let path = self.path.get(raws..).unwrap_or_default();
        let mut builder =
            Builder::new(policy, id_prefix, (self.lines(), self.range.start), path, Known::new(self.labels));
        if keep_tight {
            builder.keep_tight();
        }
        let mut notes = Vec::new();
        let (mut wanted, mut definitions, mut defined) = (Vec::new(), Vec::new(), Vec::new());
        let scanned = self.events(&mut wanted, &mut definitions, &mut |seen| {
            let (event, at, source) = match seen {
                Seen::Event(event, at, source) => (event, at, source),
                Seen::Definition(at) => {
                    builder.definition(at.start);
                    defined.push(at);
                    return;
                }
            };
            if let Event::Start(Tag::FootnoteDefinition(label)) = &event
                && source != Source::Stub
            {
                notes.push(((**label).to_owned(), at.start));
            }
            if matches!(event, Event::Text(_)) {
                parsed.text_end = at.end;
            }
            builder.event(event, at, source);
        });
        let built = builder.finish();
        (parsed.wanted, parsed.definitions, parsed.defined) = (wanted, definitions, defined);
        parsed.tops = built.tops;
        parsed.refs = built.refs;
        parsed.mentions = built.context.mentions;
        (parsed.loosened, parsed.tasks) = (built.loosened, built.tasks);
        parsed.notes = notes;
        (parsed, scanned, built.events)
    }

    /// The lines that are whole.
    fn lines(&self) -> &str {
        let whole = self.open.map_or(Some(self.text.len()), |_| self.text.rfind('\n').map(|at| at + 1));
        whole.and_then(|at| self.text.get(..at)).unwrap_or_default()
    }

    /// The same events, for the sanitiser; those of the stub are only what opens its containers.
    pub fn html(&self) -> Events {
        let mut known = Known::new(self.labels);
        let mut images = 0usize;
        let mut out = Events::default();
        let mut ignored = 0usize;
        // A list that was loose before may look tight from here.
        let path: Vec<&Open> = self.path.iter().filter(|open| open.role != Role::Raw).collect();
        let (mut begun, mut open, mut paragraph) = (0, Vec::new(), false);
        self.events(&mut Vec::new(), &mut Vec::new(), &mut |seen| {
            let Seen::Event(mut event, at, source) = seen else { return };
            let stub = source == Source::Stub;
            let container = matches!(
                event,
                Event::Start(
                    Tag::BlockQuote(_)
                        | Tag::List(_)
                        | Tag::Item
                        | Tag::FootnoteDefinition(_)
                        | Tag::Table(_)
                        | Tag::TableHead
                )
            );
            if stub && (ignored > 0 || matches!(event, Event::Start(_)) && !container) {
                match event {
                    Event::Start(_) => ignored += 1,
                    Event::End(_) => ignored -= 1,
                    _ => {}
                }
                out.end_place(&Event::SoftBreak);
                return;
            }
            let in_item = open.last() == Some(&Around::LooseItem);
            let bare = matches!(event, Event::TaskListMarker(_)) && bare_task(self.lines(), at.end);
            if in_item && !paragraph && is_inline(&event) && !bare {
                paragraph = true;
                out.put(&Event::Start(Tag::Paragraph), 0);
            } else if in_item && paragraph && !is_inline(&event) {
                paragraph = false;
                out.put(&Event::End(TagEnd::Paragraph), 0);
            }
            match &event {
                Event::Start(Tag::Item) if open.last() == Some(&Around::LooseList) => {
                    open.push(Around::LooseItem)
                }
                Event::Start(tag) => {
                    let here = path.get(begun).filter(|_| {
                        stub && *tag != Tag::TableHead
                            || begun + 1 == path.len() && matches!(tag, Tag::List(_))
                    });
                    begun += usize::from(here.is_some());
                    let loose = here.is_some_and(|here| here.role == Role::List { loose: true });
                    open.push(if loose { Around::LooseList } else { Around::Other });
                }
                Event::End(_) => drop(open.pop()),
                _ => {}
            }
            let number = match &event {
                Event::FootnoteReference(label) | Event::Start(Tag::FootnoteDefinition(label)) => {
                    known.number(label, at.start)
                }
                _ => 0,
            };
            match &mut event {
                // In an image only its text counts.
                Event::FootnoteReference(_) if images > 0 => {
                    event = Event::Text(["[", &figures(number), "]"].concat().into())
                }
                Event::Start(
                    Tag::Link { id, dest_url, title, .. } | Tag::Image { id, dest_url, title, .. },
                ) => {
                    if let Some((dest, named)) = self.labels.link(id) {
                        (*dest_url, *title) = (dest.to_owned().into(), named.to_owned().into());
                    }
                }
                _ => {}
            }
            match &event {
                Event::Start(Tag::Image { .. }) => images += 1,
                Event::End(TagEnd::Image) => images -= 1,
                _ => {}
            }
            // A footnote that was begun before has its number already.
            out.put(&event, if stub { 0 } else { number });
            out.end_place(&event);
        });
        out
    }

    /// Gives each event with its place in the text, and what it comes from, and the definitions between them. Says how much
    /// was scanned.
    #[cfg_attr(riacho_module, optimize(speed))]
    fn events(
        &self,
        wanted: &mut Vec<(String, usize)>,
        definitions: &mut Vec<Definition>,
        visit: &mut dyn FnMut(Seen<'_>),
    ) -> usize {
        let slice = self.text.get(self.range.clone()).unwrap_or_default();
        let slice = self.open.map_or(Cow::Borrowed(slice), |inside| guess(slice, inside));
        let slice = slice.as_ref();
        // pulldown-cmark makes a footnote of a reference only if it sees the definition.
        let mut preamble = String::new();
        if self.labels.has_notes() {
            for label in footnote_labels(slice).filter(|label| self.labels.has_note(label)) {
                preamble.push_str("[^");
                preamble.push_str(label);
                preamble.push_str("]: x\n");
            }
            if !preamble.is_empty() {
                // The heading ends the last footnote, whatever comes.
                preamble.push_str("# x\n");
            }
        }
        let hidden = preamble.len();
        preamble.push_str(&path::stub(self.path));
        let skip = preamble.len();
        let joined;
        let input = if skip == 0 {
            slice
        } else {
            joined = preamble + slice;
            &joined
        };
        let place = |at: Range<usize>| {
            let shift = |at: usize| (at.saturating_sub(skip) + self.range.start).min(self.range.end);
            shift(at.start)..shift(at.end)
        };
        let unresolved = RefCell::new(wanted);
        let mut callback = |link: BrokenLink<'_>| -> Option<(CowStr<'_>, CowStr<'_>)> {
            match self.labels.link(&link.reference) {
                Some((dest, title)) => Some((dest.to_owned().into(), title.to_owned().into())),
                None => {
                    unresolved.borrow_mut().push((link.reference.into_string(), place(link.span).start));
                    None
                }
            }
        };
        let parser = grammar::parser(input, Some(&mut callback));
        // In the order in which they stand.
        let mut named: Vec<Range<usize>> = Vec::new();
        for (label, definition) in parser.reference_definitions().iter() {
            if definition.span.start < skip {
                continue;
            }
            named.push(definition.span.clone());
            definitions.push(Definition {
                label: label.to_owned(),
                dest: (*definition.dest).to_owned(),
                title: definition.title.as_deref().unwrap_or_default().to_owned(),
                span: place(definition.span.clone()),
            });
        }
        debug_assert!(named.is_sorted_by_key(|span| span.start));
        let mut between = Between::new(input, named);
        let events = parser.into_offset_iter().filter(|(_, at)| at.start >= hidden);
        let mut adapted = grammar::adapt(input, events);
        while let Some((event, at)) = adapted.next() {
            let source = match at.start < skip {
                true => Source::Stub,
                false if adapted.in_text_block() => Source::TextBlock,
                false => Source::Markdown,
            };
            let here = if matches!(event, Event::End(_)) { at.end } else { at.start };
            between.until(here).into_iter().for_each(|at| visit(Seen::Definition(place(at))));
            between.cover(&event, &at);
            visit(Seen::Event(event, place(at), source));
        }
        between.until(input.len()).into_iter().for_each(|at| visit(Seen::Definition(place(at))));
        input.len()
    }
}

/// What the parser has found, in order.
enum Seen<'a> {
    Event(Event<'a>, Range<usize>, Source),
    /// A link's definition stands here.
    Definition(Range<usize>),
}

/// What an event stands in, as far as its looseness goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Around {
    LooseList,
    LooseItem,
    Other,
}

/// Whether an event that comes right in an item is part of a tight paragraph.
fn is_inline(event: &Event<'_>) -> bool {
    match event {
        Event::Start(tag) => matches!(
            tag,
            Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::Link { .. } | Tag::Image { .. }
        ),
        Event::End(_) | Event::Html(_) | Event::Rule => false,
        _ => true,
    }
}

/// What may be a reference to a footnote, or its definition.
pub fn footnote_labels(text: &str) -> impl Iterator<Item = &str> {
    text.split('[').skip(1).filter_map(|rest| {
        let (label, _) = rest.strip_prefix('^')?.split_once(']')?;
        (!label.is_empty() && label.len() < 1000 && !label.contains('\n')).then_some(label)
    })
}
