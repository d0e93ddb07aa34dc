//! The embedded provider: needs no key and no network, and says the same to the same question.
//!
//! What it says is in [`scripts`]; how it is said, piece by piece, is here.

mod scripts;

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use riacho_protocol::{Failure, PartInfo};

use self::scripts::{Pace, Script, script};
use super::event::Event;
use super::events::Events;
use super::provider::Provider;
use super::settings::DemoSettings;
use crate::request::Request;

pub struct Demo {
    settings: DemoSettings,
}

impl Demo {
    pub fn new(settings: DemoSettings) -> Self {
        Self { settings }
    }
}

impl Provider for Demo {
    fn answer(&self, request: Request, events: Events) -> BoxFuture<'static, Result<(), Failure>> {
        let DemoSettings { pace: every, chunk_chars } = self.settings;
        let Script { parts, pace, ending } = script(&request.question);
        let (slower, larger) = match pace {
            Pace::Usual => (1, 1),
            Pace::Slower(times) => (times, 1),
            Pace::Larger(times) => (1, times),
        };
        async move {
            let mut clock = tokio::time::interval(every.max(Duration::from_micros(1)) * slower);
            clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let plain = matches!(parts.as_slice(), [only] if only.info == PartInfo::default());
            for (part, said) in (0u32..).zip(parts) {
                // An answer of plain text needs no part.
                if !plain {
                    events.emit(vec![Event::Part(said.info)]).await;
                }
                let mut rest = said.text.as_str();
                while !rest.is_empty() {
                    clock.tick().await;
                    let chars = chunk_chars.saturating_mul(larger);
                    let end = rest.char_indices().nth(chars).map_or(rest.len(), |(at, _)| at);
                    let (chunk, after) = rest.split_at(end);
                    events.emit(vec![Event::Text { part, text: chunk.to_owned() }]).await;
                    rest = after;
                }
            }
            let reason = ending?;
            events.emit(vec![Event::Finish(reason.to_owned())]).await;
            Ok(())
        }
        .boxed()
    }
}
