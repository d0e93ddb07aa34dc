//! OpenAI Responses: the request, and the stream that becomes events. No I/O.

use std::collections::HashMap;

use riacho_protocol::{ErrorCode, Failure, PartInfo, PartKind, Role, Usage};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::body::{number, set};
use super::event::Event;
use super::failures::{error_in, event_json, failure, no_error, quote, said_error, whole_json};
use super::http::Decoder;
use super::parts::Parts;
use super::settings::RemoteSettings;
use super::sse::SseEvent;
use crate::request::Request;

/// The request. The turns go with each one, and nothing is kept at the provider's; unless it is to work in the background, or
/// keeps the thread: then it holds what was said before, and only the rest is sent.
pub fn body(request: &Request, settings: &RemoteSettings) -> Value {
    let turns = request.thread.as_ref().map_or(&request.turns, |thread| &thread.turns);
    let turns = turns.iter().map(|turn| {
        let role = match turn.role {
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        json!({"role": role, "content": turn.text})
    });
    let mut body = json!({
        "model": request.model.as_ref().unwrap_or(&settings.model),
        "input": turns.collect::<Vec<Value>>(),
        "store": settings.background || settings.thread,
        "stream": settings.streams,
    });
    set(&mut body, "background", settings.background.then_some(Value::Bool(true)));
    set(&mut body, "previous_response_id", request.thread.as_ref().map(|thread| thread.after.clone().into()));
    // Not part of the thread: it is said each time.
    set(&mut body, "instructions", request.system.clone().map(Value::from));
    set(&mut body, "temperature", number(&request.options.temperature));
    set(&mut body, "top_p", number(&request.options.top_p));
    set(&mut body, "max_output_tokens", request.options.max_tokens.map(Value::from));
    body
}

/// Decodes one answer. What the provider's own tools do is left out; function calls are not.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ResponsesDecoder {
    /// In the background the response goes on without us, and can be read again behind an event.
    background: Option<Place>,
    parts: Parts,
    /// The parts of calls, by the index of their item.
    calls: HashMap<u64, u32>,
    /// Where in a reasoning item the last text was: its summaries are paragraphs.
    summary: Option<(u64, u64)>,
    /// An error was said; `response.failed` may follow, with more about it.
    failed: Option<Failure>,
    finished: bool,
}

/// Where in a response that is kept we are.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Place {
    id: String,
    sequence_number: u64,
}

impl ResponsesDecoder {
    /// For a response in the background.
    #[must_use]
    pub fn in_background() -> Self {
        Self { background: Some(Place::default()), ..Self::default() }
    }

    /// As it was when it gave this state, and the id of its response and the number of the last event.
    #[must_use]
    pub fn again(state: &str) -> Option<(Self, String, u64)> {
        let decoder: Self = serde_json::from_str(state).ok()?;
        let place = decoder.background.as_ref()?;
        let (id, number) = (place.id.clone(), place.sequence_number);
        Some((decoder, id, number))
    }

    /// Notes where we are. `false`: the event was read before.
    fn is_new(&mut self, value: &Value) -> bool {
        let Some(place) = &mut self.background else { return true };
        if let Some(id) = value.pointer("/response/id").and_then(Value::as_str) {
            id.clone_into(&mut place.id);
        }
        let Some(number) = value.get("sequence_number").and_then(Value::as_u64) else { return true };
        let new = number > place.sequence_number || number == 0;
        place.sequence_number = place.sequence_number.max(number);
        new
    }
}

impl Decoder for ResponsesDecoder {
    fn event(&mut self, event: &SseEvent, out: &mut Vec<Event>) -> Result<(), Failure> {
        let data = event.data.trim();
        if data.is_empty() || data == "[DONE]" {
            return Ok(());
        }
        let value = event_json(data)?;
        if !self.is_new(&value) {
            return Ok(());
        }
        let number = |name: &str| value.get(name).and_then(Value::as_u64).unwrap_or(0);
        let delta = value.get("delta").and_then(Value::as_str).unwrap_or_default();
        let item = number("output_index");
        match value.get("type").and_then(Value::as_str).unwrap_or(&event.name) {
            "response.created" => self.finished = false,
            "response.output_item.added" => self.added(item, value.get("item"), out),
            "response.output_text.delta" => self.parts.go_on(PartKind::Text, delta, out),
            "response.refusal.delta" => self.parts.go_on(PartKind::Refusal, delta, out),
            "response.reasoning_text.delta" => self.parts.go_on(PartKind::Reasoning, delta, out),
            "response.reasoning_summary_text.delta" => {
                let at = (item, number("summary_index"));
                if self.summary.replace(at).is_some_and(|before| before.0 == at.0 && before.1 != at.1) {
                    self.parts.go_on(PartKind::Reasoning, "\n\n", out);
                }
                self.parts.go_on(PartKind::Reasoning, delta, out);
            }
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                if let Some(part) = self.calls.get(&item).filter(|_| !delta.is_empty()) {
                    out.push(Event::Text { part: *part, text: delta.to_owned() });
                }
            }
            "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled" => {
                return self.finish(
                    value.get("response").unwrap_or(&Value::Null),
                    type_of(&value, event),
                    out,
                );
            }
            "error" => self.failed = Some(error_in(&value)),
            // A server that knows only errors of another kind.
            _ if value.get("type").is_none() && value.get("error").is_some_and(|error| !error.is_null()) => {
                return Err(error_in(&value));
            }
            _ => {} // Progress of the provider's own tools, and what is new.
        }
        Ok(())
    }

    fn whole(&mut self, body: &str, out: &mut Vec<Event>) -> Result<(), Failure> {
        let value = whole_json(body)?;
        no_error(&value)?;
        for (at, item) in (0..).zip(value.get("output").and_then(Value::as_array).into_iter().flatten()) {
            self.added(at, Some(item), out);
            self.contents(at, item, out);
        }
        match value.get("status").and_then(Value::as_str) {
            Some(_) => self.finish(&value, "response.completed", out),
            None => Ok(()),
        }
    }

    fn end(&mut self, _: &mut Vec<Event>) -> Result<(), Failure> {
        self.failed.take().map_or(Ok(()), Err)
    }

    fn state(&self) -> Option<String> {
        self.background.as_ref().filter(|place| !place.id.is_empty() && !self.is_whole())?;
        serde_json::to_string(self).ok()
    }

    fn is_whole(&self) -> bool {
        self.finished || self.failed.is_some()
    }

    /// Nothing says so: the connection ends. A gateway that works in steps sends one response after another.
    fn is_over(&self) -> bool {
        false
    }
}

fn type_of<'a>(value: &'a Value, event: &'a SseEvent) -> &'a str {
    value.get("type").and_then(Value::as_str).unwrap_or(&event.name)
}

impl ResponsesDecoder {
    fn added(&mut self, at: u64, item: Option<&Value>, out: &mut Vec<Event>) {
        let text =
            |name: &str| item.and_then(|item| item.get(name)).and_then(Value::as_str).map(str::to_owned);
        self.parts.close(); // Each item is a part of its own.
        if let Some("function_call" | "custom_tool_call") = text("type").as_deref() {
            let info =
                PartInfo { kind: PartKind::ToolCall, id: text("call_id").or(text("id")), name: text("name") };
            self.calls.insert(at, self.parts.begin(info, out));
        }
    }

    /// An item that came whole.
    fn contents(&mut self, at: u64, item: &Value, out: &mut Vec<Event>) {
        let lists = ["summary", "content"].map(|name| item.get(name).and_then(Value::as_array));
        for content in lists.into_iter().flatten().flatten() {
            let text = |name: &str| content.get(name).and_then(Value::as_str).unwrap_or_default();
            match text("type") {
                "output_text" => self.parts.go_on(PartKind::Text, text("text"), out),
                "refusal" => self.parts.go_on(PartKind::Refusal, text("refusal"), out),
                "summary_text" | "reasoning_text" => self.parts.go_on(PartKind::Reasoning, text("text"), out),
                _ => {}
            }
        }
        let arguments = item.get("arguments").or(item.get("input")).and_then(Value::as_str);
        if let (Some(part), Some(text)) = (self.calls.get(&at), arguments.filter(|text| !text.is_empty())) {
            out.push(Event::Text { part: *part, text: text.to_owned() });
        }
    }

    fn finish(&mut self, response: &Value, kind: &str, out: &mut Vec<Event>) -> Result<(), Failure> {
        if let Some(usage) = response.get("usage").filter(|usage| usage.is_object()) {
            let count = |path: &str| usage.pointer(path).and_then(Value::as_u64);
            out.push(Event::Usage(Usage {
                input_tokens: count("/input_tokens"),
                output_tokens: count("/output_tokens"),
                reasoning_tokens: count("/output_tokens_details/reasoning_tokens"),
                estimated: false,
            }));
        }
        let kind = kind.strip_prefix("response.").unwrap_or(kind);
        let status = response.get("status").and_then(Value::as_str).unwrap_or(kind);
        let why = response.pointer("/incomplete_details/reason").and_then(Value::as_str);
        out.push(Event::Finish(quote(&why.map_or(status.to_owned(), |why| format!("{status}:{why}")))));
        self.finished = true;
        let error = response.get("error").filter(|error| !error.is_null());
        match (status, self.failed.take(), error) {
            ("completed" | "incomplete", None, None) => {
                let id = response.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
                let stored = response.get("store").and_then(Value::as_bool) == Some(true);
                // A thread that waits for the result of a call takes nothing else.
                if let Some(id) = id.filter(|_| stored && self.calls.is_empty()) {
                    out.push(Event::Kept(id.to_owned()));
                }
                Ok(())
            }
            (_, Some(failed), _) => Err(failed),
            (_, None, Some(error)) => Err(said_error(error)),
            (status, None, None) => Err(failure(
                ErrorCode::ProviderFailed,
                format!("the response ended with the status {}", quote(status)),
            )),
        }
    }
}
