//! What is said to a reader while no text comes: in English, and as a code for a page that has words of its own.

use std::time::Duration;

use riacho_protocol::{ErrorCode, Failure};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    pub code: &'static str,
    /// Whom it is about.
    pub provider: Option<String>,
    /// Seconds until it goes on.
    pub retry_after: Option<u64>,
    pub words: String,
}

impl Detail {
    /// Behind a rate limit.
    pub fn waiting(provider: &str) -> Self {
        Self::about("waiting", provider, format!("Waiting: {provider} takes no more requests for now."))
    }

    pub fn asking_again(provider: &str, code: ErrorCode, pause: Duration) -> Self {
        let why = match code {
            ErrorCode::ProviderRateLimited => "takes no more requests for now",
            ErrorCode::ProviderUnreachable => "can't be reached",
            ErrorCode::ProviderTimeout => "said nothing",
            _ => "failed",
        };
        let seconds = whole(pause);
        let words = format!("{provider} {why}; asking again in {seconds} s.");
        Self { retry_after: Some(seconds), ..Self::about("asking_again", provider, words) }
    }

    /// The provider keeps the answer, and goes on with it.
    pub fn taking_up(provider: &str, pause: Duration) -> Self {
        let seconds = whole(pause);
        let words = format!("{provider} broke off; taking the answer up again in {seconds} s.");
        Self { retry_after: Some(seconds), ..Self::about("taking_up", provider, words) }
    }

    /// One failed, and this one is asked.
    pub fn next_provider(failure: &Failure, provider: &str) -> Self {
        Self::about("next_provider", provider, format!("{} Asking {provider}.", failure.message))
    }

    /// A command that takes its time.
    pub fn working(words: &str) -> Self {
        Self { code: "working", provider: None, retry_after: None, words: words.to_owned() }
    }

    fn about(code: &'static str, provider: &str, words: String) -> Self {
        Self { code, provider: Some(provider.to_owned()), retry_after: None, words }
    }
}

/// A wait is never said to be shorter than it is.
fn whole(pause: Duration) -> u64 {
    pause.as_secs() + u64::from(pause.subsec_nanos() > 0)
}
