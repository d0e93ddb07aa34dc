//! What is counted and timed, for Prometheus. Labels hold names of the settings and codes, never an id, a user or a text.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use riacho_protocol::{ErrorCode, Preferences, Usage};

use crate::log::Ending;

/// Of the text format (OpenMetrics 1.0).
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Seconds, from what a relay adds to what a reasoning model takes.
const FIRST_TOKEN: [f64; 14] =
    [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0];
const ANSWER: [f64; 10] = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0];

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfProvider {
    provider: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Phase {
    provider: String,
    phase: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    provider: String,
    status: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Tokens {
    provider: String,
    direction: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Code {
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Preference {
    preference: &'static str,
    value: &'static str,
}

/// Where the time to the first piece of an answer went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FirstToken {
    /// Until the provider was asked: what it had asked us to wait, and those that failed before.
    pub queue: Duration,
    /// Until its first piece was here.
    pub provider: Duration,
    /// Until that was stored, and readers could have it.
    pub relay: Duration,
}

/// The metrics of one relay.
pub struct Metrics {
    registry: Registry,
    first_token: Histograms<Phase>,
    answer: Histograms<OfProvider>,
    answers: Family<Outcome, Counter>,
    tokens: Family<Tokens, Counter>,
    characters: Family<OfProvider, Counter>,
    refused: Family<Code, Counter>,
    preferences: Family<Preference, Counter>,
    sockets: Gauge,
    live: Gauge,
    pub sent_bytes: Counter,
    pub sent_frames: Counter,
    pub received_bytes: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("riacho");
        let first_token: Histograms<Phase> = Family::new_with_constructor(|| Histogram::new(FIRST_TOKEN));
        let answer: Histograms<OfProvider> = Family::new_with_constructor(|| Histogram::new(ANSWER));
        let (answers, tokens, characters, refused) =
            (Family::default(), Family::default(), Family::default(), Family::default());
        let preferences: Family<Preference, Counter> = Family::default();
        let (sockets, live) = (Gauge::default(), Gauge::default());
        let (sent_bytes, sent_frames, received_bytes) =
            (Counter::default(), Counter::default(), Counter::default());
        registry.register(
            "first_token_seconds",
            "From the message to the first piece of its answer, by phase",
            first_token.clone(),
        );
        registry.register("answer_seconds", "From the message to the end of its answer", answer.clone());
        registry.register("answers", "Answers that have ended, by how and why", answers.clone());
        registry.register("tokens", "Tokens, as reported or estimated", tokens.clone());
        registry.register("characters", "Characters of answers", characters.clone());
        registry.register("refused", "Requests and frames that were refused, by code", refused.clone());
        registry.register(
            "preferences",
            "What readers prefer, of pages that allow it to be counted",
            preferences.clone(),
        );
        registry.register("sockets", "Sockets and streams that are open", sockets.clone());
        registry.register("answers_live", "Answers that are under way", live.clone());
        registry.register(
            "sent_bytes",
            "Bytes of frames sent, before the WebSocket's head",
            sent_bytes.clone(),
        );
        registry.register("sent_frames", "Frames sent", sent_frames.clone());
        registry.register("received_bytes", "Bytes of frames received", received_bytes.clone());
        Self {
            registry,
            first_token,
            answer,
            answers,
            tokens,
            characters,
            refused,
            preferences,
            sockets,
            live,
            sent_bytes,
            sent_frames,
            received_bytes,
        }
    }
}

impl Metrics {
    pub fn first_token(&self, provider: &str, took: FirstToken) {
        for (phase, took) in [("queue", took.queue), ("provider", took.provider), ("relay", took.relay)] {
            let labels = Phase { provider: provider.to_owned(), phase };
            self.first_token.get_or_create(&labels).observe(took.as_secs_f64());
        }
    }

    /// The end of an answer, or of what one provider gave to it.
    pub fn answered(&self, provider: &str, ending: &Ending, took: Duration, usage: &Usage) {
        let (status, reason) = ending.words();
        let provider = provider.to_owned();
        self.answers.get_or_create(&Outcome { provider: provider.clone(), status, reason }).inc();
        self.answer.get_or_create(&OfProvider { provider: provider.clone() }).observe(took.as_secs_f64());
        for (direction, tokens) in [("input", usage.input_tokens), ("output", usage.output_tokens)] {
            let labels = Tokens { provider: provider.clone(), direction };
            self.tokens.get_or_create(&labels).inc_by(tokens.map_or(0, u64::from));
        }
    }

    /// For one answer: the counter of its provider.
    pub fn characters(&self, provider: &str) -> Counter {
        self.characters.get_or_create(&OfProvider { provider: provider.to_owned() }).clone()
    }

    pub fn refused(&self, code: ErrorCode) {
        self.refused.get_or_create(&Code { code: code.as_str() }).inc();
    }

    pub fn prefers(&self, preferences: &Preferences) {
        for (preference, value) in preferences.iter() {
            self.preferences.get_or_create(&Preference { preference, value }).inc();
        }
    }

    pub fn sent(&self, bytes: usize) {
        self.sent_frames.inc();
        self.sent_bytes.inc_by(bytes as u64);
    }

    /// All of it as text, with what is open now.
    pub fn text(&self, sockets: u32, live: u32) -> String {
        self.sockets.set(sockets.into());
        self.live.set(live.into());
        let mut text = String::new();
        // A String takes everything.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
