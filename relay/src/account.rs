//! Usage and metrics of one run: for its terminal record, and for Prometheus.

use std::sync::Arc;
use std::time::{Duration, Instant};

use prometheus_client::metrics::counter::Counter;
use riacho_protocol::{ErrorCode, Failure, Metrics, PartKind, Usage};

use crate::log::Ending;
use crate::metrics::{self, FirstToken};
use crate::providers::Times;

/// Where one provider's part in a run is counted.
pub struct Meter {
    metrics: Arc<metrics::Metrics>,
    provider: String,
    characters: Counter,
    /// The times to the first piece are on record.
    told: bool,
}

impl Meter {
    pub fn new(metrics: Arc<metrics::Metrics>, provider: &str) -> Self {
        Self { characters: metrics.characters(provider), metrics, provider: provider.to_owned(), told: false }
    }

    fn of(&self, provider: &str) -> Self {
        Self::new(Arc::clone(&self.metrics), provider)
    }
}

/// Usage and metrics of one run. The usage is what the provider reports, or an estimate that says so.
pub struct Account {
    meter: Meter,
    times: Times,
    started: Instant,
    first_token: Option<Duration>,
    request_bytes: usize,
    answer_bytes: usize,
    reasoning_bytes: usize,
    max_answer_bytes: usize,
    pub parts: Vec<PartKind>,
    pub usage: Option<Usage>,
    pub finish_reason: Option<String>,
    /// With this its provider would go on.
    pub state: Option<String>,
}

/// Bytes of text a token, roughly, over languages.
const BYTES_A_TOKEN: usize = 4;

impl Account {
    pub fn new(
        meter: Meter,
        times: Times,
        started: Instant,
        request_bytes: usize,
        max_answer_bytes: usize,
    ) -> Self {
        Self {
            meter,
            times,
            started,
            first_token: None,
            request_bytes,
            answer_bytes: 0,
            reasoning_bytes: 0,
            max_answer_bytes,
            parts: Vec::new(),
            usage: None,
            finish_reason: None,
            state: None,
        }
    }

    /// Goes on behind what is there already.
    pub fn go_on(&mut self, parts: Vec<PartKind>, length: u64, state: String) {
        self.parts = parts;
        self.answer_bytes = usize::try_from(length).unwrap_or(usize::MAX);
        self.state = Some(state);
    }

    /// For the same request, once more, to another provider.
    pub fn again(&self, provider: &str) -> Self {
        Self::new(
            self.meter.of(provider),
            self.times.clone(),
            self.started,
            self.request_bytes,
            self.max_answer_bytes,
        )
    }

    pub fn is_untouched(&self) -> bool {
        self.parts.is_empty() && self.answer_bytes == 0
    }

    pub fn count(&mut self, part: u32, text: &str) -> Result<(), Failure> {
        self.first_token.get_or_insert_with(|| self.started.elapsed());
        self.answer_bytes += text.len();
        self.meter.characters.inc_by(text.chars().count() as u64);
        if self.parts.get(part as usize) == Some(&PartKind::Reasoning) {
            self.reasoning_bytes += text.len();
        }
        if self.answer_bytes <= self.max_answer_bytes {
            return Ok(());
        }
        Err(Failure {
            code: ErrorCode::ProviderMalformed,
            message: format!(
                "The answer is longer than {} bytes, so the relay cut it off.",
                self.max_answer_bytes
            ),
            retry_after: None,
        })
    }

    /// What was counted is stored, and readers can have it.
    pub fn shown(&mut self) {
        if self.first_token.is_none() || std::mem::replace(&mut self.meter.told, true) {
            return;
        }
        let now = Instant::now();
        let asked = self.times.asked().unwrap_or(self.started);
        let first = self.times.first().unwrap_or(now);
        self.meter.metrics.first_token(
            &self.meter.provider,
            FirstToken {
                queue: asked.saturating_duration_since(self.started),
                provider: first.saturating_duration_since(asked),
                relay: now.saturating_duration_since(first),
            },
        );
    }

    pub fn close(self, ending: &Ending) -> (Usage, Metrics) {
        let tokens = |bytes: usize| Some(bytes.div_ceil(BYTES_A_TOKEN) as u64);
        let usage = self.usage.unwrap_or_else(|| Usage {
            input_tokens: tokens(self.request_bytes),
            output_tokens: tokens(self.answer_bytes),
            reasoning_tokens: tokens(self.reasoning_bytes).filter(|tokens| *tokens > 0),
            estimated: true,
        });
        let metrics = Metrics {
            first_token_ms: self.first_token.map(millis),
            duration_ms: millis(self.started.elapsed()),
            finish_reason: self.finish_reason,
        };
        self.meter.metrics.answered(&self.meter.provider, ending, self.started.elapsed(), &usage);
        (usage, metrics)
    }
}

pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
