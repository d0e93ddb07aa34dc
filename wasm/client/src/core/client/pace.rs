//! A steady pace to read at: text that came in a rush is shown a few characters a frame.
//!
//! Only the display is paced: text, events and offsets are where they were. An element says that its answer has ended when
//! all of its text is shown.

use riacho_protocol::{MessageId, Role};

use super::Client;
use crate::core::Millis;

#[derive(Debug, Default)]
pub(super) struct Pace {
    per_second: Option<u32>,
    /// Up to when characters were given out; `None` while nothing waits.
    paid: Option<Millis>,
}

impl Pace {
    /// How many characters may be shown now. What is less than one is kept for the next time.
    fn allowance(&mut self, now: Millis) -> usize {
        let Some(per_second) = self.per_second else { return usize::MAX };
        let paid = *self.paid.get_or_insert(now.saturating_sub(1_000 / Millis::from(per_second)));
        let characters = now.saturating_sub(paid) * Millis::from(per_second) / 1_000;
        self.paid = Some(paid + characters * 1_000 / Millis::from(per_second));
        usize::try_from(characters).unwrap_or(usize::MAX)
    }
}

impl Client {
    /// At most so many characters a second of each answer are shown; `None`: as they come.
    pub fn set_pace(&mut self, per_second: Option<u32>) {
        self.pace = Pace { per_second: per_second.map(|n| n.clamp(1, 100_000)), paid: None };
        if self.pace.per_second.is_none() {
            for id in self.behind() {
                self.catch_up(&id);
            }
        }
    }

    pub(super) fn is_paced(&self, id: &MessageId) -> bool {
        self.pace.per_second.is_some()
            && self.registry.get(id).is_some_and(|message| message.role == Role::Assistant)
    }

    /// Messages on screen that have more text than is shown, but for those that the reader has stopped.
    fn behind(&self) -> Vec<MessageId> {
        let mut behind = Vec::new();
        for (id, view) in self.views.iter() {
            if view.behind && self.registry.get(id).is_some_and(|message| !message.paused) {
                behind.push(id.clone());
            }
        }
        behind
    }

    /// A frame has come: each answer that is behind gets its part of the time since the last one.
    pub(super) fn advance(&mut self, now: Millis) {
        let behind = self.behind();
        if behind.is_empty() {
            self.pace.paid = None;
            return;
        }
        let allowance = self.pace.allowance(now);
        for id in behind {
            self.catch_up_by(&id, allowance);
        }
        if self.behind().is_empty() {
            self.pace.paid = None;
        } else {
            self.request_frame();
        }
    }
}
