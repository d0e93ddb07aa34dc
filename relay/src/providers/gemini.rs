//! Gemini `streamGenerateContent`: the request, and the stream that becomes events. No I/O.

use riacho_protocol::{ErrorCode, Failure, PartInfo, PartKind, Role, Usage};
use serde_json::{Map, Value, json};

use super::body::{number, set};
use super::event::Event;
use super::failures::{event_json, failure, no_error, quote, whole_json};
use super::http::Decoder;
use super::parts::Parts;
use super::sse::SseEvent;
use crate::request::Request;

/// Steps in the path of one argument, and elements of one list: what a stream may make us build.
const MAX_STEPS: usize = 64;
const MAX_ELEMENTS: usize = 4096;

/// The request; the model is in its address.
pub fn body(request: &Request) -> Value {
    let turns = request.turns.iter().map(|turn| {
        let role = match turn.role {
            Role::User => "user",
            Role::Assistant => "model",
        };
        json!({"role": role, "parts": [{"text": turn.text}]})
    });
    let mut body = json!({"contents": turns.collect::<Vec<Value>>()});
    let system = request.system.as_ref().map(|text| json!({"parts": [{"text": text}]}));
    set(&mut body, "systemInstruction", system);
    let mut config = json!({});
    set(&mut config, "temperature", number(&request.options.temperature));
    set(&mut config, "topP", number(&request.options.top_p));
    set(&mut config, "maxOutputTokens", request.options.max_tokens.map(Value::from));
    set(&mut body, "generationConfig", Some(config).filter(|config| config != &json!({})));
    body
}

/// Decodes one answer: candidate 0 of it.
#[derive(Debug, Default)]
pub struct GeminiDecoder {
    parts: Parts,
    /// A call whose arguments come in pieces, and what they make so far.
    call: Option<(u32, Value)>,
    finished: bool,
}

impl Decoder for GeminiDecoder {
    fn event(&mut self, event: &SseEvent, out: &mut Vec<Event>) -> Result<(), Failure> {
        let data = event.data.trim();
        if data.is_empty() || data == "[DONE]" {
            return Ok(());
        }
        let value = event_json(data)?;
        self.chunk(&value, out)
    }

    /// Without `alt=sse` the stream is one list of the same chunks.
    fn whole(&mut self, body: &str, out: &mut Vec<Event>) -> Result<(), Failure> {
        let value = whole_json(body)?;
        match value {
            Value::Array(chunks) => chunks.iter().try_for_each(|chunk| self.chunk(chunk, out)),
            chunk => self.chunk(&chunk, out),
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) -> Result<(), Failure> {
        self.end_call(out);
        Ok(())
    }

    fn is_whole(&self) -> bool {
        self.finished
    }

    /// Nothing says so: the connection ends.
    fn is_over(&self) -> bool {
        false
    }
}

impl GeminiDecoder {
    fn chunk(&mut self, value: &Value, out: &mut Vec<Event>) -> Result<(), Failure> {
        no_error(value)?;
        let candidates = value.get("candidates").and_then(Value::as_array);
        let first = candidates
            .into_iter()
            .flatten()
            .find(|candidate| candidate.get("index").and_then(Value::as_u64).unwrap_or(0) == 0);
        for part in first
            .and_then(|first| first.pointer("/content/parts"))
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            self.part(part, out);
        }
        self.usage(value.get("usageMetadata"), out);
        if let Some(reason) = first.and_then(|first| first.get("finishReason")).and_then(Value::as_str) {
            self.end_call(out);
            self.finished = true;
            out.push(Event::Finish(quote(reason)));
        }
        let blocked = value.pointer("/promptFeedback/blockReason").and_then(Value::as_str);
        match blocked.filter(|_| first.is_none()) {
            Some(reason) => Err(failure(
                ErrorCode::ProviderRejected,
                format!("the question was blocked ({}).", quote(reason)),
            )),
            None => Ok(()),
        }
    }

    fn part(&mut self, part: &Value, out: &mut Vec<Event>) {
        if let Some(text) = part.get("text").and_then(Value::as_str) {
            let thought = part.get("thought").and_then(Value::as_bool).unwrap_or(false);
            let kind = if thought { PartKind::Reasoning } else { PartKind::Text };
            self.parts.go_on(kind, text, out);
        }
        let Some(call) = part.get("functionCall") else { return };
        if let Some(name) = call.get("name").and_then(Value::as_str) {
            self.end_call(out);
            let info = PartInfo {
                kind: PartKind::ToolCall,
                id: call.get("id").and_then(Value::as_str).map(str::to_owned),
                name: Some(name.to_owned()),
            };
            let args = call.get("args").cloned().unwrap_or_else(|| json!({}));
            self.call = Some((self.parts.begin(info, out), args));
        }
        if let Some((_, args)) = &mut self.call {
            for piece in call.get("partialArgs").and_then(Value::as_array).into_iter().flatten() {
                put(args, piece);
            }
        }
        if call.get("willContinue").and_then(Value::as_bool) != Some(true) {
            self.end_call(out);
        }
    }

    fn end_call(&mut self, out: &mut Vec<Event>) {
        if let Some((part, args)) = self.call.take() {
            out.push(Event::Text { part, text: args.to_string() });
        }
    }

    fn usage(&mut self, usage: Option<&Value>, out: &mut Vec<Event>) {
        let count = |name: &str| usage.and_then(|usage| usage.get(name)).and_then(Value::as_u64);
        let Some(input) = count("promptTokenCount") else { return };
        let thoughts = count("thoughtsTokenCount");
        let output = count("candidatesTokenCount").map(|tokens| tokens + thoughts.unwrap_or(0)).or(thoughts);
        out.push(Event::Usage(Usage {
            input_tokens: Some(input),
            output_tokens: output,
            reasoning_tokens: thoughts,
            estimated: false,
        }));
    }
}

/// Puts a piece of the arguments where its path says, `$.list[0].name`. Pieces of one string are joined.
fn put(args: &mut Value, piece: &Value) {
    let Some(path) = piece.get("jsonPath").and_then(Value::as_str).and_then(|path| path.strip_prefix('$'))
    else {
        return;
    };
    let mut at = args;
    for step in path.split(['.', '[']).filter(|step| !step.is_empty()).take(MAX_STEPS) {
        at = match step.strip_suffix(']').map(|index| index.parse::<usize>()) {
            Some(Ok(index)) if index < MAX_ELEMENTS => {
                if !at.is_array() {
                    *at = Value::Array(Vec::new());
                }
                let Some(list) = at.as_array_mut() else { return };
                if list.len() <= index {
                    list.resize(index + 1, Value::Null);
                }
                let Some(element) = list.get_mut(index) else { return };
                element
            }
            Some(Ok(_)) => return,
            Some(Err(_)) | None => {
                let name = step.trim_end_matches(']').trim_matches(['\'', '"']);
                if !at.is_object() {
                    *at = Value::Object(Map::new());
                }
                let Some(map) = at.as_object_mut() else { return };
                map.entry(name).or_insert(Value::Null)
            }
        };
    }
    if let Some(text) = piece.get("stringValue").and_then(Value::as_str) {
        match at {
            Value::String(before) => before.push_str(text),
            other => *other = Value::from(text),
        }
    } else if let Some(value) = piece.get("numberValue").or(piece.get("boolValue")) {
        *at = value.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_in_pieces_become_one_value() {
        let mut args = json!({});
        for piece in [
            json!({"jsonPath": "$.r.list[1].name", "stringValue": "fo", "willContinue": true}),
            json!({"jsonPath": "$.r.list[1].name", "stringValue": "z"}),
            json!({"jsonPath": "$.n", "numberValue": 2}),
            json!({"jsonPath": "$.list[99999999]", "numberValue": 2}),
            json!({"jsonPath": "nonsense", "numberValue": 2}),
        ] {
            put(&mut args, &piece);
        }
        assert_eq!(args, json!({"r": {"list": [null, {"name": "foz"}]}, "n": 2, "list": null}));
    }
}
