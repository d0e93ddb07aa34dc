//! Chat Completions, as OpenAI wrote it and as everyone else speaks it: the request, and the stream that becomes events.
//! No I/O.
//!
//! Lenient where servers differ: `[DONE]` may be missing, usage may come in each chunk or in one of its own, `content` may be
//! an array, reasoning has three names, a tool call may come whole. Not lenient where it would lose text: what is no
//! JSON is an error.

use riacho_protocol::{Failure, PartInfo, PartKind, Role, Usage};
use serde_json::{Value, json};

use super::body::{number, set};
use super::event::Event;
use super::failures::{error_in, event_json, no_error, quote, said_error, whole_json};
use super::http::Decoder;
use super::parts::Parts;
use super::settings::RemoteSettings;
use super::sse::SseEvent;
use crate::request::Request;

/// The request. A model's name is passed through as it is.
pub fn body(request: &Request, settings: &RemoteSettings) -> Value {
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
        "stream": settings.streams,
    });
    let options = &request.options;
    // OpenAI's newer models refuse the old name; other servers know only that.
    let new_name = settings.base_url.contains("api.openai.com") || settings.base_url.contains(".azure.com");
    let max_tokens = if new_name { "max_completion_tokens" } else { "max_tokens" };
    set(&mut body, "stream_options", settings.streams.then(|| json!({"include_usage": true})));
    set(&mut body, "temperature", number(&options.temperature));
    set(&mut body, "top_p", number(&options.top_p));
    set(&mut body, max_tokens, options.max_tokens.map(Value::from));
    body
}

/// Decodes one answer: choice 0 of it.
#[derive(Debug, Default)]
pub struct ChatDecoder {
    parts: Parts,
    calls: Vec<Call>,
    finished: bool,
    done: bool,
}

/// A tool call whose arguments are still coming.
#[derive(Debug)]
struct Call {
    index: Option<u64>,
    id: Option<String>,
    part: u32,
}

impl Decoder for ChatDecoder {
    fn event(&mut self, event: &SseEvent, out: &mut Vec<Event>) -> Result<(), Failure> {
        let data = event.data.trim();
        if data.is_empty() {
            return Ok(());
        }
        if data == "[DONE]" {
            self.done = true;
            return Ok(());
        }
        let value = event_json(data)?;
        if event.name == "error" {
            return Err(error_in(&value));
        }
        self.chunk(&value, out)
    }

    fn whole(&mut self, body: &str, out: &mut Vec<Event>) -> Result<(), Failure> {
        let value = whole_json(body)?;
        let value = value.get(0).unwrap_or(&value);
        self.chunk(value, out)?;
        // A whole answer is whole, whatever it calls its end.
        self.done = value.get("choices").is_some();
        Ok(())
    }

    fn is_whole(&self) -> bool {
        self.finished || self.done
    }

    fn is_over(&self) -> bool {
        self.done
    }
}

impl ChatDecoder {
    fn chunk(&mut self, value: &Value, out: &mut Vec<Event>) -> Result<(), Failure> {
        no_error(value)?;
        if value.get("object").and_then(Value::as_str) == Some("error") {
            return Err(said_error(value));
        }
        let choices = value.get("choices").and_then(Value::as_array);
        let first = choices
            .into_iter()
            .flatten()
            .find(|choice| choice.get("index").and_then(Value::as_u64).unwrap_or(0) == 0);
        if let Some(choice) = first {
            self.choice(choice, out);
        }
        let usage = value.get("usage").filter(|usage| usage.is_object());
        if let Some(usage) = usage.or_else(|| value.pointer("/x_groq/usage")) {
            out.push(Event::Usage(read_usage(usage)));
        }
        Ok(())
    }

    fn choice(&mut self, choice: &Value, out: &mut Vec<Event>) {
        if let Some(delta) = choice.get("delta").filter(|delta| delta.is_object()).or(choice.get("message")) {
            // Some send the same reasoning under two names.
            let reasoning = ["reasoning_content", "reasoning", "thinking"]
                .iter()
                .find_map(|name| delta.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()));
            if let Some(text) = reasoning {
                self.parts.say(PartKind::Reasoning, text, out);
            }
            match delta.get("content") {
                Some(Value::String(text)) => self.parts.say(PartKind::Text, text, out),
                Some(Value::Array(blocks)) => blocks.iter().for_each(|block| self.block(block, out)),
                _ => {}
            }
            if let Some(text) = delta.get("refusal").and_then(Value::as_str) {
                self.parts.say(PartKind::Refusal, text, out);
            }
            for call in delta.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
                self.call(call, call.get("function").unwrap_or(call), out);
            }
            if let Some(function) = delta.get("function_call").filter(|call| call.is_object()) {
                self.call(&Value::Null, function, out);
            }
        }
        // Some send "" in each chunk.
        let reason = choice.get("finish_reason").and_then(Value::as_str).filter(|reason| !reason.is_empty());
        if let Some(reason) = reason {
            self.finished = true;
            out.push(Event::Finish(quote(reason)));
        }
    }

    /// A block of `content`, where it is an array: text, or thinking that holds text.
    fn block(&mut self, block: &Value, out: &mut Vec<Event>) {
        match block.get("type").and_then(Value::as_str) {
            Some("thinking" | "reasoning") => {
                let thinking = block.get("thinking").or(block.get("text"));
                match thinking {
                    Some(Value::String(text)) => self.parts.say(PartKind::Reasoning, text, out),
                    Some(Value::Array(inner)) => {
                        for text in inner.iter().filter_map(|inner| inner.get("text")?.as_str()) {
                            self.parts.say(PartKind::Reasoning, text, out);
                        }
                    }
                    _ => {}
                }
            }
            Some("refusal") => {
                if let Some(text) = block.get("refusal").and_then(Value::as_str) {
                    self.parts.say(PartKind::Refusal, text, out);
                }
            }
            _ => {
                if let Some(text) = block.as_str().or(block.get("text").and_then(Value::as_str)) {
                    self.parts.say(PartKind::Text, text, out);
                }
            }
        }
    }

    /// A piece of a tool call. It belongs to the call of its index; where there is none, to that of its id, or the last.
    fn call(&mut self, call: &Value, function: &Value, out: &mut Vec<Event>) {
        let index = call.get("index").and_then(Value::as_u64);
        let id = call.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
        let name = function.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
        let known = self.calls.iter().rev().find(|known| match (index, id) {
            (Some(index), _) => known.index == Some(index),
            (None, Some(id)) => known.id.as_deref() == Some(id),
            (None, None) => name.is_none(),
        });
        let part = match known {
            Some(known) => known.part,
            None => {
                let info = PartInfo {
                    kind: PartKind::ToolCall,
                    id: id.map(str::to_owned),
                    name: name.map(str::to_owned),
                };
                let part = self.parts.begin(info, out);
                self.calls.push(Call { index, id: id.map(str::to_owned), part });
                part
            }
        };
        let text = match function.get("arguments") {
            Some(Value::String(text)) => text.clone(),
            // Some send the arguments as what they stand for.
            Some(arguments @ Value::Object(_)) => arguments.to_string(),
            _ => return,
        };
        if !text.is_empty() {
            out.push(Event::Text { part, text });
        }
    }
}

fn read_usage(usage: &Value) -> Usage {
    let count = |path: &str| usage.pointer(path).and_then(Value::as_u64);
    Usage {
        input_tokens: count("/prompt_tokens").or(count("/input_tokens")),
        output_tokens: count("/completion_tokens").or(count("/output_tokens")),
        reasoning_tokens: count("/completion_tokens_details/reasoning_tokens").or(count("/reasoning_tokens")),
        estimated: false,
    }
}
