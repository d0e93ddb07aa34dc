//! Providers: who answers. Each takes a request and gives events; none knows a socket or the log.

pub mod anthropic;
pub mod chat;
mod demo;
mod failures;
pub mod gemini;
mod http;
mod remote;
pub mod responses;
pub mod sse;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use futures_util::future::BoxFuture;
use riacho_protocol::{Failure, Number, PartInfo, PartKind, Usage};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;

pub(crate) use self::failures::{failure, quote};
pub use self::http::{Decoder, decode};
pub use self::remote::Remote;
use self::sse::SseEvent;
use crate::commands;
pub use crate::request::{Request, Thread, Turn};
use crate::settings::Settings;

/// Who answers.
pub trait Provider: Send + Sync {
    /// Gives the answer to a request as events, and says at last whether it is whole. Dropping the future ends the
    /// request to whoever is behind it.
    fn answer(&self, request: Request, events: Events) -> BoxFuture<'static, Result<(), Failure>>;

    /// Does the one behind it keep its answers, and go on with them without us?
    fn keeps(&self) -> bool {
        false
    }

    /// Does it keep threads, so that a request need not hold what was said before?
    fn threads(&self) -> bool {
        false
    }

    /// Takes an answer up again behind the last [`Event::State`], where the provider keeps it.
    fn take_up(&self, state: &str, events: Events) -> Option<BoxFuture<'static, Result<(), Failure>>> {
        let _ = (state, events);
        None
    }

    /// Ends an answer that would go on without us.
    fn cancel(&self, state: &str) -> Option<BoxFuture<'static, ()>> {
        let _ = state;
        None
    }
}

/// What a provider says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The next part begins: the first is part 0. An answer of plain text needs none.
    Part(PartInfo),
    Text {
        part: u32,
        text: String,
    },
    /// The last one counts.
    Usage(Usage),
    /// Why it ended, in the provider's word.
    Finish(String),
    /// What happens while no text comes, for the reader.
    Detail(String),
    /// With this the answer can be taken up again behind all that came before.
    State(String),
    /// The provider keeps this answer under a name, and can go on behind it.
    Kept(String),
    /// As it came from the provider, for debugging. Only where that is asked for.
    Raw(SseEvent),
    /// This one failed, and another one goes on.
    NextProvider {
        provider: String,
        failure: Failure,
    },
}

/// Where a provider puts its events. Full, it makes the provider wait.
#[derive(Clone)]
pub struct Events {
    sender: mpsc::Sender<Vec<Event>>,
    heard: Heard,
    times: Times,
    /// The number of the first part: those before were someone else's.
    first_part: u32,
    raw: bool,
}

/// When the one that answers was asked, and when its first text was here.
#[derive(Clone, Default)]
pub struct Times(Arc<Mutex<(Option<Instant>, Option<Instant>)>>);

impl Times {
    fn lock(&self) -> MutexGuard<'_, (Option<Instant>, Option<Instant>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[must_use]
    pub fn asked(&self) -> Option<Instant> {
        self.lock().0
    }

    #[must_use]
    pub fn first(&self) -> Option<Instant> {
        self.lock().1
    }
}

/// Knows whether a piece of an answer was handed over, and with what it could be taken up again behind the last one.
#[derive(Clone, Default)]
pub struct Heard(Arc<HeardOf>);

#[derive(Default)]
struct HeardOf {
    anything: AtomicBool,
    state: Mutex<Option<String>>,
}

impl Heard {
    #[must_use]
    pub fn anything(&self) -> bool {
        self.0.anything.load(Ordering::Acquire)
    }

    /// None when the provider keeps nothing, or has said how the answer ended.
    #[must_use]
    pub fn state(&self) -> Option<String> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set_state(&self, state: Option<String>) {
        *self.0.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

impl Events {
    #[must_use]
    pub fn new(sender: mpsc::Sender<Vec<Event>>) -> Self {
        Self { sender, heard: Heard::default(), times: Times::default(), first_part: 0, raw: false }
    }

    /// Also takes each event as it comes from the provider.
    #[must_use]
    pub fn with_raw(self) -> Self {
        Self { raw: true, ..self }
    }

    /// Does anyone want the events as they come?
    #[must_use]
    pub fn wants_raw(&self) -> bool {
        self.raw
    }

    /// The same place, for one provider, and what tells whether it has said anything.
    #[must_use]
    pub fn listening(&self) -> (Self, Heard) {
        let heard = Heard::default();
        (Self { heard: heard.clone(), ..self.clone() }, heard)
    }

    /// For one that goes on after a part of plain text: its first part is the second one.
    #[must_use]
    pub fn after_text(&self) -> Self {
        Self { first_part: self.first_part + 1, ..self.clone() }
    }

    /// What is timed by this and all that came of it.
    #[must_use]
    pub fn times(&self) -> Times {
        self.times.clone()
    }

    /// The provider is asked now; whatever was asked before has failed.
    pub fn asked(&self) {
        *self.times.lock() = (Some(Instant::now()), None);
    }

    /// Hands over what came together. If nobody takes it any more, this future is about to be dropped.
    pub async fn emit(&self, mut events: Vec<Event>) {
        for event in &mut events {
            match event {
                Event::Text { part, .. } => *part = part.saturating_add(self.first_part),
                Event::State(state) => self.heard.set_state(Some(state.clone())),
                Event::Finish(_) => self.heard.set_state(None),
                _ => {}
            }
        }
        if events.iter().any(|event| matches!(event, Event::Part(_) | Event::Text { .. })) {
            self.heard.0.anything.store(true, Ordering::Release);
            self.times.lock().1.get_or_insert_with(Instant::now);
        }
        if !events.is_empty() {
            let _ = self.sender.send(events).await;
        }
    }
}

/// Gives each part of an answer its number, in order of appearance.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Parts {
    parts: Vec<PartInfo>,
    /// The part that `go_on` goes on with.
    current: Option<u32>,
}

impl Parts {
    /// Begins a part of its own, such as a tool call.
    pub fn begin(&mut self, info: PartInfo, out: &mut Vec<Event>) -> u32 {
        let part = u32::try_from(self.parts.len()).unwrap_or(u32::MAX);
        self.current = (info.kind != PartKind::ToolCall).then_some(part);
        self.parts.push(info.clone());
        out.push(Event::Part(info));
        part
    }

    /// Text of the part that was last, if it is of this kind; else a new part begins with it. For providers whose answers
    /// are made of blocks.
    pub fn go_on(&mut self, kind: PartKind, text: &str, out: &mut Vec<Event>) {
        if text.is_empty() {
            return;
        }
        let same =
            self.current.filter(|part| self.parts.get(*part as usize).is_some_and(|info| info.kind == kind));
        let part = same.unwrap_or_else(|| self.begin(PartInfo { kind, ..PartInfo::default() }, out));
        out.push(Event::Text { part, text: text.to_owned() });
    }

    /// What follows is a part of its own.
    pub fn close(&mut self) {
        self.current = None;
    }

    /// Text of the one part of its kind; the part begins with its first text. For providers that know kinds only.
    pub fn say(&mut self, kind: PartKind, text: &str, out: &mut Vec<Event>) {
        if text.is_empty() {
            return;
        }
        let known = self.parts.iter().position(|info| info.kind == kind);
        let part = match known.and_then(|part| u32::try_from(part).ok()) {
            Some(part) => part,
            None => self.begin(PartInfo { kind, ..PartInfo::default() }, out),
        };
        out.push(Event::Text { part, text: text.to_owned() });
    }
}

/// Sets a field of a request, if there is something to set.
fn set(body: &mut Value, name: &str, value: Option<Value>) {
    if let (Some(value), Some(body)) = (value, body.as_object_mut()) {
        body.insert(name.to_owned(), value);
    }
}

/// A number of the wire, as a provider's request holds it.
fn number(number: &Option<Number>) -> Option<Value> {
    number.as_ref().and_then(Number::to_f64).map(Value::from)
}

/// The providers of a relay, by name; the first is the default.
#[derive(Clone)]
pub struct Providers {
    named: Vec<(String, Arc<dyn Provider>)>,
    /// By their names with the slash. They are not in the list that clients choose from.
    commands: Vec<(String, Arc<dyn Provider>)>,
}

impl Providers {
    /// Those that are set up.
    ///
    /// # Errors
    /// When the HTTP client can't be made.
    pub fn from_settings(settings: &Settings) -> Result<Self, reqwest::Error> {
        let mut named: Vec<(String, Arc<dyn Provider>)> = Vec::new();
        let client = http::client(settings.timeouts)?;
        for remote in &settings.remotes {
            let provider = remote::Remote::new(client.clone(), remote.clone(), settings.timeouts);
            named.push((remote.name.clone(), Arc::new(provider)));
        }
        let demo: Arc<dyn Provider> = Arc::new(demo::Demo::new(settings.demo));
        let model = named.first().map_or_else(|| Arc::clone(&demo), |(_, first)| Arc::clone(first));
        named.push(("demo".to_owned(), demo));
        let commands = commands::all(&settings.commands, settings.context_bytes, &model);
        Ok(Self { named, commands })
    }

    /// One alone.
    #[cfg(test)]
    pub fn only(name: &str, provider: impl Provider + 'static) -> Self {
        Self { named: vec![(name.to_owned(), Arc::new(provider))], commands: Vec::new() }
    }

    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.named.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The command that a message is, if it is one.
    #[must_use]
    pub fn command(&self, message: &str) -> Option<String> {
        let (name, _) = commands::parse(message)?;
        self.commands
            .iter()
            .map(|(known, _)| known)
            .find(|known| known.strip_prefix('/') == Some(name))
            .cloned()
    }

    /// By name, or the default.
    #[must_use]
    pub fn get(&self, name: Option<&str>) -> Option<(String, Arc<dyn Provider>)> {
        match name {
            Some(name) => self.named.iter().chain(&self.commands).find(|(known, _)| known == name).cloned(),
            None => self.named.first().cloned(),
        }
    }
}
