//! Any provider over HTTP: where it is, how it is asked, and who decodes its answer.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::{Client, RequestBuilder};
use riacho_protocol::Failure;
use serde_json::Value;

use super::anthropic::{self, AnthropicDecoder};
use super::chat::{self, ChatDecoder};
use super::events::Events;
use super::gemini::{self, GeminiDecoder};
use super::http::{Callee, stream};
use super::provider::Provider;
use super::responses::{self, ResponsesDecoder};
use super::settings::{RemoteSettings, Timeouts, Wire};
use crate::request::Request;
use crate::secret::Secret;

/// The version of Anthropic's API that its decoder was written for.
const ANTHROPIC_VERSION: &str = "2023-06-01";

/// A response that nobody wants any more is told so, for so long.
const CANCEL_WITHIN: Duration = Duration::from_secs(10);

/// A provider over HTTP.
pub struct Remote {
    client: Client,
    settings: RemoteSettings,
    timeouts: Timeouts,
}

impl Remote {
    pub(crate) fn new(client: Client, settings: RemoteSettings, timeouts: Timeouts) -> Self {
        Self { client, settings, timeouts }
    }

    /// One by itself, without a relay around it.
    ///
    /// # Errors
    /// When the HTTP client can't be made.
    pub fn alone(settings: RemoteSettings, timeouts: Timeouts) -> Result<Self, reqwest::Error> {
        Ok(Self::new(super::http::client(timeouts)?, settings, timeouts))
    }

    /// The address of a response that the provider keeps.
    fn response(&self, id: &str) -> String {
        format!("{}/{}", responses_at(&self.settings), in_path(id))
    }

    fn call(&self, request: &Request) -> RequestBuilder {
        let (url, body) = address(request, &self.settings);
        self.signed(self.client.post(url).json(&body))
    }

    fn signed(&self, call: RequestBuilder) -> RequestBuilder {
        let key = self.settings.api_key.as_ref().map(Secret::expose);
        match (&self.settings.wire, key) {
            (Wire::Anthropic, key) => {
                let call = call.header("anthropic-version", ANTHROPIC_VERSION);
                key.map_or(call.try_clone(), |key| call.try_clone().map(|call| call.header("x-api-key", key)))
                    .unwrap_or(call)
            }
            (_, None) => call,
            (Wire::Chat | Wire::Responses, Some(key)) => call.bearer_auth(key),
            (Wire::Gemini, Some(key)) => call.header("x-goog-api-key", key),
            (Wire::Azure { .. } | Wire::AzureResponses, Some(key)) => call.header("api-key", key),
        }
    }
}

/// Where responses are made and kept.
fn responses_at(settings: &RemoteSettings) -> String {
    let base = settings.base_url.trim_end_matches('/');
    let version = if settings.wire == Wire::AzureResponses { "/openai/v1" } else { "" };
    format!("{base}{version}/responses")
}

/// Where a request goes, and what it says.
fn address(request: &Request, settings: &RemoteSettings) -> (String, Value) {
    let base = settings.base_url.trim_end_matches('/');
    let model = request.model.as_ref().unwrap_or(&settings.model);
    match &settings.wire {
        Wire::Chat => (format!("{base}/chat/completions"), chat::body(request, settings)),
        Wire::Responses | Wire::AzureResponses => {
            (responses_at(settings), responses::body(request, settings))
        }
        Wire::Anthropic => {
            // With and without the version: both are in use.
            let base = base.strip_suffix("/v1").unwrap_or(base);
            (format!("{base}/v1/messages"), anthropic::body(request, settings))
        }
        Wire::Gemini => {
            let model = in_path(model.strip_prefix("models/").unwrap_or(model));
            let method = if settings.streams { "streamGenerateContent?alt=sse" } else { "generateContent" };
            (format!("{base}/models/{model}:{method}"), gemini::body(request))
        }
        Wire::Azure { api_version: None } => {
            (format!("{base}/openai/v1/chat/completions"), chat::body(request, settings))
        }
        Wire::Azure { api_version: Some(version) } => {
            let (model, version) = (in_path(model), in_path(version));
            let url = format!("{base}/openai/deployments/{model}/chat/completions?api-version={version}");
            (url, chat::body(request, settings))
        }
    }
}

/// A name as one step of a path: a client names the model, and must not choose the address with it.
fn in_path(name: &str) -> String {
    use std::fmt::Write;
    name.bytes().fold(String::new(), |mut path, byte| {
        if byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_' | b'~')
            || (byte == b'.' && !path.is_empty())
        {
            path.push(char::from(byte));
        } else {
            let _ = write!(path, "%{byte:02X}");
        }
        path
    })
}

impl Provider for Remote {
    fn answer(&self, request: Request, events: Events) -> BoxFuture<'static, Result<(), Failure>> {
        let call = self.call(&request);
        let (settings, timeouts) = (self.settings.clone(), self.timeouts);
        async move {
            let callee = Callee { name: &settings.name, timeouts, secret: settings.api_key.as_ref() };
            match settings.wire {
                Wire::Chat | Wire::Azure { .. } => {
                    stream(callee, call, ChatDecoder::default(), &events).await
                }
                Wire::Responses | Wire::AzureResponses if settings.background => {
                    stream(callee, call, ResponsesDecoder::in_background(), &events).await
                }
                Wire::Responses | Wire::AzureResponses => {
                    stream(callee, call, ResponsesDecoder::default(), &events).await
                }
                Wire::Anthropic => stream(callee, call, AnthropicDecoder::default(), &events).await,
                Wire::Gemini => stream(callee, call, GeminiDecoder::default(), &events).await,
            }
        }
        .boxed()
    }

    fn keeps(&self) -> bool {
        matches!(self.settings.wire, Wire::Responses | Wire::AzureResponses) && self.settings.background
    }

    fn threads(&self) -> bool {
        matches!(self.settings.wire, Wire::Responses | Wire::AzureResponses) && self.settings.thread
    }

    fn take_up(&self, state: &str, events: Events) -> Option<BoxFuture<'static, Result<(), Failure>>> {
        let (decoder, id, after) = ResponsesDecoder::again(state).filter(|_| self.settings.background)?;
        let call = self.client.get(format!("{}?stream=true&starting_after={after}", self.response(&id)));
        let call = self.signed(call);
        let (settings, timeouts) = (self.settings.clone(), self.timeouts);
        let answer = async move {
            let callee = Callee { name: &settings.name, timeouts, secret: settings.api_key.as_ref() };
            stream(callee, call, decoder, &events).await
        };
        Some(answer.boxed())
    }

    fn cancel(&self, state: &str) -> Option<BoxFuture<'static, ()>> {
        let (_, id, _) = ResponsesDecoder::again(state).filter(|_| self.settings.background)?;
        let call =
            self.signed(self.client.post(format!("{}/cancel", self.response(&id)))).timeout(CANCEL_WITHIN);
        let name = self.settings.name.clone();
        let cancel = async move {
            if call.send().await.is_err() {
                tracing::warn!(provider = name, "a response in the background could not be cancelled");
            }
        };
        Some(cancel.boxed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::Turn;
    use riacho_protocol::{Options, Role};
    use serde_json::json;

    fn ask(wire: Wire, base_url: &str, model: &str) -> (String, Value) {
        let settings = RemoteSettings {
            name: "test".into(),
            wire,
            base_url: base_url.into(),
            api_key: None,
            model: "default".into(),
            streams: true,
            background: false,
            thread: false,
        };
        let turn = |role, text: &str| Turn { role, text: text.into() };
        let request = Request {
            system: Some("be brief".into()),
            turns: vec![turn(Role::User, "Olá"), turn(Role::Assistant, "Oi"), turn(Role::User, "?")],
            question: "?".into(),
            model: Some(model.into()),
            options: Options {
                temperature: riacho_protocol::Number::new("0.5"),
                top_p: None,
                max_tokens: Some(9),
            },
            thread: None,
        };
        address(&request, &settings)
    }

    #[test]
    fn each_request_is_what_its_api_documents() {
        let (url, body) = ask(Wire::Chat, "https://api.openai.com/v1/", "vendor/Model:tag");
        assert_eq!(url, "https://api.openai.com/v1/chat/completions");
        let messages = json!([{"role": "system", "content": "be brief"}, {"role": "user", "content": "Olá"},
            {"role": "assistant", "content": "Oi"}, {"role": "user", "content": "?"}]);
        assert_eq!(
            body,
            json!({"model": "vendor/Model:tag", "messages": messages, "stream": true,
            "stream_options": {"include_usage": true}, "temperature": 0.5, "max_completion_tokens": 9})
        );

        let (url, body) = ask(Wire::Responses, "https://api.openai.com/v1", "m");
        assert_eq!(url, "https://api.openai.com/v1/responses");
        let turns = json!([{"role": "user", "content": "Olá"}, {"role": "assistant", "content": "Oi"},
            {"role": "user", "content": "?"}]);
        assert_eq!(
            body,
            json!({"model": "m", "input": turns, "instructions": "be brief", "store": false,
            "stream": true, "temperature": 0.5, "max_output_tokens": 9})
        );

        let (url, body) = ask(Wire::Anthropic, "https://api.anthropic.com", "m");
        assert_eq!(url, "https://api.anthropic.com/v1/messages");
        assert_eq!(
            body,
            json!({"model": "m", "messages": turns, "system": "be brief", "max_tokens": 9,
            "stream": true, "temperature": 0.5})
        );

        let (url, body) = ask(Wire::Gemini, Wire::Gemini.base_url(), "models/gemini-x");
        assert_eq!(
            url,
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-x:streamGenerateContent?alt=sse"
        );
        assert_eq!(
            body,
            json!({"contents": [{"role": "user", "parts": [{"text": "Olá"}]},
            {"role": "model", "parts": [{"text": "Oi"}]}, {"role": "user", "parts": [{"text": "?"}]}],
            "systemInstruction": {"parts": [{"text": "be brief"}]},
            "generationConfig": {"temperature": 0.5, "maxOutputTokens": 9}})
        );

        let classic = Wire::Azure { api_version: Some("2024-10-21".into()) };
        let (url, _) = ask(classic, "https://x.openai.azure.com/", "d");
        assert_eq!(
            url,
            "https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21"
        );
        let (url, body) = ask(Wire::Azure { api_version: None }, "https://x.openai.azure.com", "d");
        assert_eq!(url, "https://x.openai.azure.com/openai/v1/chat/completions");
        assert_eq!((&body["model"], &body["max_completion_tokens"]), (&json!("d"), &json!(9)));
    }

    #[test]
    fn a_model_is_no_way_to_another_address() {
        for model in ["../../evil", "a/b?c#d", "..", "x:y"] {
            let (url, _) = ask(Wire::Gemini, "https://g.example/v1", model);
            let rest = url.strip_prefix("https://g.example/v1/models/").expect("the same base");
            let step = rest.strip_suffix(":streamGenerateContent?alt=sse").expect("the same method");
            assert!(!step.contains(['/', '?', '#', ':']) && !step.starts_with('.'), "{step}");
        }
    }
}
