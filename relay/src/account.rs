//! Usage and metrics of one run: for its terminal record, and for Prometheus.

use std::sync::Arc;
use std::time::{Duration, Instant};

use prometheus_client::metrics::counter::Counter;
use riacho_protocol::{ErrorCode, Failure, Metrics, PartKind, Usage};

use crate::log::{Ending, Terminal};
use crate::metrics::{self, FirstToken};
use crate::providers::Times;

/// The state of a run whose provider keeps its answers, and has said nothing yet.
pub const NOT_BEGUN: &str = "";

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
    parts: Vec<PartKind>,
    usage: Option<Usage>,
    finish_reason: Option<String>,
    /// With this its provider would go on.
    pub state: Option<String>,
    /// What its provider calls the answer that it keeps.
    kept: Option<String>,
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
            kept: None,
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

    /// The next part begins.
    pub fn begin(&mut self, kind: PartKind) {
        self.parts.push(kind);
    }

    pub fn report(&mut self, usage: Usage) {
        self.usage = Some(usage);
    }

    pub fn finish(&mut self, reason: String) {
        self.finish_reason = Some(reason);
    }

    pub fn keep(&mut self, id: String) {
        self.kept = Some(id);
    }

    /// With what its provider is told to give it up. None when there is nothing that would go on without us.
    pub fn goes_on(&self) -> Option<&str> {
        self.state.as_deref().filter(|state| *state != NOT_BEGUN && self.finish_reason.is_none())
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

    /// The first piece is there, and the time until readers can have it is not on record.
    pub fn waits_to_be_shown(&self) -> bool {
        self.first_token.is_some() && !self.meter.told
    }

    /// What was counted is stored, and readers can have it.
    pub fn shown(&mut self) {
        if !self.waits_to_be_shown() {
            return;
        }
        self.meter.told = true;
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

    /// The terminal record of a run that ends so.
    pub fn close(&self, ending: Ending) -> Terminal {
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
            finish_reason: self.finish_reason.clone(),
        };
        // Of an answer that did not end well the thread at the provider's does not hold what the page shows.
        let kept = self.kept.clone().filter(|_| ending == Ending::Completed);
        Terminal { ending, usage, metrics, kept }
    }

    /// That record stands: it is counted.
    pub fn answered(&self, record: &Terminal) {
        let duration = Duration::from_millis(record.metrics.duration_ms);
        self.meter.metrics.answered(&self.meter.provider, &record.ending, duration, &record.usage);
    }
}

pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use riacho_protocol::InterruptReason;

    fn account() -> Account {
        let mut account =
            Account::new(Meter::new(Arc::default(), "test"), Times::default(), Instant::now(), 40, 100);
        account.state = Some("behind".into());
        account
    }

    #[test]
    fn usage_is_never_missing() {
        let mut estimated = account();
        estimated.begin(PartKind::Reasoning);
        estimated.begin(PartKind::Text);
        assert!(estimated.count(0, "12345678").is_ok() && estimated.count(1, "1234").is_ok());
        let usage = estimated.close(Ending::Completed).usage;
        let counts = (usage.input_tokens, usage.output_tokens, usage.reasoning_tokens, usage.estimated);
        assert_eq!(counts, (Some(10), Some(3), Some(2), true));
        let mut reported = account();
        reported.report(Usage { output_tokens: Some(7), ..Usage::default() });
        assert_eq!(reported.close(Ending::Completed).usage.output_tokens, Some(7));
    }

    #[test]
    fn what_is_longer_than_is_kept_is_cut_off() {
        let mut account = account();
        assert!(account.count(0, &"x".repeat(100)).is_ok());
        assert!(account.count(0, "x").is_err());
    }

    #[test]
    fn what_has_said_its_end_or_has_not_begun_does_not_go_on() {
        let mut account = account();
        assert_eq!(account.goes_on(), Some("behind"));
        account.finish("completed".into());
        assert_eq!(account.goes_on(), None);
        let mut account = account.again("next");
        account.state = Some(NOT_BEGUN.to_owned());
        assert_eq!(account.goes_on(), None);
    }

    #[test]
    fn only_an_answer_that_is_whole_is_gone_on_with() {
        for (ending, kept) in [
            (Ending::Completed, Some("resp_1".to_owned())),
            (Ending::Interrupted(InterruptReason::Stopped), None),
        ] {
            let mut account = account();
            account.keep("resp_1".into());
            assert_eq!(account.close(ending).kept, kept);
        }
    }
}
