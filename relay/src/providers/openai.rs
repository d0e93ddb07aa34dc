//! OpenAI Chat Completions over HTTP, and every server that speaks it: Ollama, vLLM, llama.cpp, LM Studio.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use reqwest::Client;
use riacho_protocol::{Failure, Role};
use serde_json::{Value, json};

use super::chat::ChatDecoder;
use super::http::{Callee, stream};
use super::{Events, Provider, Request};
use crate::settings::{OpenAiSettings, Timeouts};

pub struct OpenAi {
    client: Client,
    settings: OpenAiSettings,
    timeouts: Timeouts,
}

impl OpenAi {
    pub fn new(client: Client, settings: OpenAiSettings, timeouts: Timeouts) -> Self {
        Self { client, settings, timeouts }
    }
}

impl Provider for OpenAi {
    fn answer(&self, request: Request, events: Events) -> BoxFuture<'static, Result<(), Failure>> {
        let url = format!("{}/chat/completions", self.settings.base_url.trim_end_matches('/'));
        let mut call = self.client.post(url).json(&body(&request, &self.settings));
        let secret = self.settings.api_key.clone();
        if let Some(key) = &secret {
            call = call.bearer_auth(key.expose());
        }
        let timeouts = self.timeouts;
        async move {
            let callee = Callee { name: "openai", timeouts, secret: secret.as_ref() };
            stream(callee, call, ChatDecoder::default(), &events).await
        }
        .boxed()
    }
}

/// The request. A model's name is passed through as it is.
fn body(request: &Request, settings: &OpenAiSettings) -> Value {
    let system = request.system.iter().map(|text| json!({"role": "system", "content": text}));
    let turns = request.turns.iter().map(|turn| {
        let role = match turn.role {
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        json!({"role": role, "content": turn.text})
    });
    let mut body = json!({
        "model": request.model.as_ref().unwrap_or(&settings.model),
        "messages": system.chain(turns).collect::<Vec<Value>>(),
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    let options = &request.options;
    // OpenAI's newer models refuse the old name; other servers know only that.
    let max_tokens =
        if settings.base_url.contains("api.openai.com") { "max_completion_tokens" } else { "max_tokens" };
    let mut set = |name: &str, value: Option<Value>| {
        if let (Some(value), Some(body)) = (value, body.as_object_mut()) {
            body.insert(name.to_owned(), value);
        }
    };
    set("temperature", options.temperature.map(Value::from));
    set("top_p", options.top_p.map(Value::from));
    set(max_tokens, options.max_tokens.map(Value::from));
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::Turn;
    use crate::settings::Secret;
    use riacho_protocol::Options;

    #[test]
    fn the_request_is_what_the_api_documents() {
        let settings = OpenAiSettings {
            base_url: OpenAiSettings::BASE_URL.into(),
            api_key: Some(Secret::new("k")),
            model: "default".into(),
        };
        let request = Request {
            system: Some("be brief".into()),
            turns: vec![Turn { role: Role::User, text: "Olá".into() }],
            model: Some("vendor/Model:tag".into()),
            options: Options { temperature: Some(0.5), top_p: None, max_tokens: Some(9) },
        };
        assert_eq!(
            body(&request, &settings),
            json!({
                "model": "vendor/Model:tag",
                "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "Olá"}],
                "stream": true,
                "stream_options": {"include_usage": true},
                "temperature": 0.5,
                "max_completion_tokens": 9,
            })
        );
    }
}
