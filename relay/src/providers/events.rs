//! Where a provider puts its events, and what is known of it by them: when, whether anything, and how to take it up again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::mpsc;

use super::event::Event;

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
