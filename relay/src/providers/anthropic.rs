//! Anthropic Messages: the request, and the stream that becomes events. No I/O.

use riacho_protocol::{ErrorCode, Failure, PartInfo, PartKind, Role, Usage};
use serde_json::{Value, json};

use super::body::{number, set};
use super::event::Event;
use super::failures::{error_in, event_json, failure, no_error, quote, whole_json};
use super::http::Decoder;
use super::parts::Parts;
use super::settings::RemoteSettings;
use super::sse::SseEvent;
use crate::request::Request;

/// The API asks for a limit; this one is for messages that name none.
const MAX_TOKENS: u32 = 8192;

/// The request. A model's name is passed through as it is.
pub fn body(request: &Request, settings: &RemoteSettings) -> Value {
    let turns = request.turns.iter().map(|turn| {
        let role = match turn.role {
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        json!({"role": role, "content": turn.text})
    });
    let mut body = json!({
        "model": request.model.as_ref().unwrap_or(&settings.model),
        "max_tokens": request.options.max_tokens.unwrap_or(MAX_TOKENS),
        "messages": turns.collect::<Vec<Value>>(),
        "stream": settings.streams,
    });
    set(&mut body, "system", request.system.clone().map(Value::from));
    set(&mut body, "temperature", number(&request.options.temperature));
    set(&mut body, "top_p", number(&request.options.top_p));
    body
}

/// Decodes one answer. What its own tools do is left out; the calls that the page's tools are to answer are not.
#[derive(Debug, Default)]
pub struct AnthropicDecoder {
    parts: Parts,
    /// The call whose arguments are coming, by the index of its block.
    call: Option<(u64, u32)>,
    usage: Usage,
    finished: bool,
    over: bool,
}

impl Decoder for AnthropicDecoder {
    fn event(&mut self, event: &SseEvent, out: &mut Vec<Event>) -> Result<(), Failure> {
        let data = event.data.trim();
        if data.is_empty() {
            return Ok(());
        }
        let value = event_json(data)?;
        match value.get("type").and_then(Value::as_str).unwrap_or(&event.name) {
            "error" => return Err(error_in(&value)),
            "message_start" => self.usage(value.pointer("/message/usage"), out),
            "content_block_start" => {
                if let Some(block) = value.get("content_block") {
                    self.start(index(&value), block, out);
                }
            }
            "content_block_delta" => {
                if let Some(delta) = value.get("delta") {
                    self.delta(index(&value), delta, out);
                }
            }
            "message_delta" => {
                self.usage(value.get("usage"), out);
                self.stop(value.get("delta").unwrap_or(&Value::Null), out)?;
            }
            "message_stop" => self.over = true,
            _ => {} // `ping`, `content_block_stop`, and what is new.
        }
        Ok(())
    }

    fn whole(&mut self, body: &str, out: &mut Vec<Event>) -> Result<(), Failure> {
        let value = whole_json(body)?;
        no_error(&value)?;
        for (at, block) in (0..).zip(value.get("content").and_then(Value::as_array).into_iter().flatten()) {
            self.start(at, block, out);
            if let (Some((_, part)), Some(input)) = (self.call.take(), block.get("input")) {
                out.push(Event::Text { part, text: input.to_string() });
            }
        }
        self.usage(value.get("usage"), out);
        self.stop(&value, out)?;
        self.over = value.get("content").is_some();
        Ok(())
    }

    fn is_whole(&self) -> bool {
        self.finished || self.over
    }

    fn is_over(&self) -> bool {
        self.over
    }
}

fn index(value: &Value) -> u64 {
    value.get("index").and_then(Value::as_u64).unwrap_or(0)
}

impl AnthropicDecoder {
    /// A block begins; some bring text at once.
    fn start(&mut self, index: u64, block: &Value, out: &mut Vec<Event>) {
        let text = |name: &str| block.get(name).and_then(Value::as_str);
        self.call = None;
        match text("type") {
            // Citations cut one paragraph into many blocks: neighbours are one part.
            Some("text") => self.parts.go_on(PartKind::Text, text("text").unwrap_or_default(), out),
            Some("thinking") => {
                self.parts.go_on(PartKind::Reasoning, text("thinking").unwrap_or_default(), out)
            }
            Some("tool_use") => {
                let info = PartInfo {
                    kind: PartKind::ToolCall,
                    id: text("id").map(str::to_owned),
                    name: text("name").map(str::to_owned),
                };
                self.call = Some((index, self.parts.begin(info, out)));
            }
            _ => self.parts.close(), // What follows is a text of its own.
        }
    }

    fn delta(&mut self, index: u64, delta: &Value, out: &mut Vec<Event>) {
        let text = |name: &str| delta.get(name).and_then(Value::as_str).unwrap_or_default();
        match delta.get("type").and_then(Value::as_str) {
            Some("text_delta") => self.parts.go_on(PartKind::Text, text("text"), out),
            Some("thinking_delta") => self.parts.go_on(PartKind::Reasoning, text("thinking"), out),
            Some("input_json_delta") => {
                let call = self.call.filter(|(block, _)| *block == index);
                if let Some((_, part)) = call.filter(|_| !text("partial_json").is_empty()) {
                    out.push(Event::Text { part, text: text("partial_json").to_owned() });
                }
            }
            _ => {} // Signatures and citations.
        }
    }

    fn stop(&mut self, delta: &Value, out: &mut Vec<Event>) -> Result<(), Failure> {
        let Some(reason) = delta.get("stop_reason").and_then(Value::as_str) else { return Ok(()) };
        out.push(Event::Finish(quote(reason)));
        self.finished = true;
        if reason != "refusal" {
            return Ok(());
        }
        let why = delta.pointer("/stop_details/explanation").and_then(Value::as_str);
        Err(failure(
            ErrorCode::ProviderRejected,
            format!("the model declined to answer. {}", quote(why.unwrap_or_default())).trim_end(),
        ))
    }

    /// Each report says only what it knows; the last one of each count stands.
    fn usage(&mut self, usage: Option<&Value>, out: &mut Vec<Event>) {
        let count = |name: &str| usage.and_then(|usage| usage.get(name)).and_then(Value::as_u64);
        let before = self.usage;
        self.usage.input_tokens = count("input_tokens").or(before.input_tokens);
        self.usage.output_tokens = count("output_tokens").or(before.output_tokens);
        if self.usage != before {
            out.push(Event::Usage(self.usage));
        }
    }
}
