//! The settings of providers, with their defaults.

use std::time::Duration;

use crate::secret::Secret;

/// How long a provider may be silent.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// Until the connection stands.
    pub connect: Duration,
    /// From the request to the first event of the answer.
    pub first_token: Duration,
    /// From one event to the next. A comment that only keeps the line open is no event.
    pub between_tokens: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_token: Duration::from_secs(30),
            between_tokens: Duration::from_secs(60),
        }
    }
}

/// The embedded provider.
#[derive(Debug, Clone, Copy)]
pub struct DemoSettings {
    /// Between two chunks.
    pub pace: Duration,
    /// Characters a chunk.
    pub chunk_chars: usize,
}

impl Default for DemoSettings {
    fn default() -> Self {
        Self { pace: Duration::from_millis(20), chunk_chars: 6 }
    }
}

/// A provider over HTTP.
#[derive(Debug, Clone)]
pub struct RemoteSettings {
    /// What a client calls it, and what messages call it.
    pub name: String,
    pub wire: Wire,
    pub base_url: String,
    /// Local servers need none.
    pub api_key: Option<Secret>,
    /// For messages that name no model.
    pub model: String,
    /// Some servers can't; their answer comes whole, and is handed on in pieces.
    pub streams: bool,
    /// Responses only: the provider keeps the answer and goes on without us, so that a restart can take it up again.
    pub background: bool,
    /// Responses only: the provider keeps the thread of a conversation, and a request holds only what it does not know yet.
    pub thread: bool,
}

/// What a provider speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wire {
    /// Chat Completions: OpenAI, and every compatible server.
    Chat,
    /// OpenAI Responses.
    Responses,
    /// Anthropic Messages.
    Anthropic,
    /// Gemini `streamGenerateContent`.
    Gemini,
    /// Chat Completions at Azure: by deployment and `api-version`, or without one at the `/openai/v1` address.
    Azure { api_version: Option<String> },
    /// Responses at Azure, at the `/openai/v1` address.
    AzureResponses,
}

impl Wire {
    /// Where it is, unless a setting says something else. Azure and compatible servers have no common address.
    #[must_use]
    pub fn base_url(&self) -> &'static str {
        match self {
            Wire::Chat | Wire::Responses => "https://api.openai.com/v1",
            Wire::Anthropic => "https://api.anthropic.com",
            Wire::Gemini => "https://generativelanguage.googleapis.com/v1beta",
            Wire::Azure { .. } | Wire::AzureResponses => "",
        }
    }

    /// The model, unless a setting or the message says something else.
    #[must_use]
    pub fn model(&self) -> &'static str {
        match self {
            Wire::Chat | Wire::Responses | Wire::Azure { .. } | Wire::AzureResponses => "gpt-5-mini",
            Wire::Anthropic => "claude-sonnet-4-5",
            Wire::Gemini => "gemini-2.5-flash",
        }
    }
}
