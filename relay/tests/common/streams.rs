//! Streams of providers: those that were recorded, and what a decoder makes of any.

use std::path::{Path, PathBuf};

use riacho_protocol::{Failure, PartKind, Usage};
use riacho_relay::providers::anthropic::AnthropicDecoder;
use riacho_relay::providers::chat::ChatDecoder;
use riacho_relay::providers::gemini::GeminiDecoder;
use riacho_relay::providers::responses::ResponsesDecoder;
use riacho_relay::providers::{Event, decode};
use serde_json::Value;

/// The same with a byte order mark, and with CRLF at each line's end.
pub fn marked(stream: &[u8]) -> Vec<u8> {
    let lines = String::from_utf8_lossy(stream).replace("\r\n", "\n").replace('\n', "\r\n");
    format!("\u{feff}{lines}").into_bytes()
}

/// A stream, and what an official SDK reads from it.
pub struct Recorded {
    pub name: String,
    pub bytes: Vec<u8>,
    pub text: String,
    pub expected: Value,
}

/// What a decoder made of a stream.
#[derive(Debug, Default, PartialEq)]
pub struct Read {
    pub text: String,
    pub reasoning: String,
    pub refusal: String,
    pub calls: u64,
    pub usage: Option<Usage>,
    pub finish: Option<String>,
    pub end: &'static str,
    pub error: String,
}

/// Those of one wire; none, said on stderr, without the folder.
pub fn recorded(wire: &str) -> Vec<Recorded> {
    let Some(corpora) = std::env::var_os("RIACHO_CORPORA").map(PathBuf::from) else {
        eprintln!("skipped: RIACHO_CORPORA is not set");
        return Vec::new();
    };
    let folder = corpora.join("providers");
    let read =
        |path: &Path| std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let expected: Value = serde_json::from_slice(&read(&folder.join("expected.json"))).expect("JSON");
    let list = expected.as_object().expect("an object").iter();
    let all: Vec<Recorded> = list
        .filter(|(_, expected)| expected["wire"] == wire)
        .map(|(name, expected)| Recorded {
            name: name.clone(),
            bytes: read(&folder.join(format!("{name}.sse"))),
            text: String::from_utf8(read(&folder.join(format!("{name}.txt")))).expect("UTF-8"),
            expected: expected.clone(),
        })
        .collect();
    assert!(!all.is_empty(), "no stream of the wire {wire}");
    all
}

pub fn read<'a>(wire: &str, pieces: impl IntoIterator<Item = &'a [u8]>) -> Read {
    let mut events = Vec::new();
    let result = match wire {
        "chat" => decode(pieces, ChatDecoder::default(), &mut events),
        "responses" => decode(pieces, ResponsesDecoder::default(), &mut events),
        "anthropic" => decode(pieces, AnthropicDecoder::default(), &mut events),
        "gemini" => decode(pieces, GeminiDecoder::default(), &mut events),
        other => panic!("no decoder for {other}"),
    };
    fold(events, result)
}

/// What a reader makes of the events of one answer.
pub fn fold(events: Vec<Event>, result: Result<(), Failure>) -> Read {
    let mut read = Read::default();
    let mut kinds = Vec::new();
    for event in events {
        match event {
            Event::Part(info) => {
                read.calls += u64::from(info.kind == PartKind::ToolCall);
                kinds.push(info.kind);
            }
            Event::Text { part, text } => match kinds.get(part as usize).expect("an announced part") {
                PartKind::Text => read.text.push_str(&text),
                PartKind::Reasoning => read.reasoning.push_str(&text),
                PartKind::Refusal => read.refusal.push_str(&text),
                PartKind::ToolCall => {}
            },
            Event::Usage(usage) => read.usage = Some(usage),
            Event::Finish(reason) => read.finish = Some(reason),
            Event::Detail(_)
            | Event::State(_)
            | Event::Kept(_)
            | Event::Raw(_)
            | Event::NextProvider { .. } => {}
        }
    }
    match result {
        Ok(()) => read.end = "complete",
        Err(failure) if failure.code.as_str() == "provider_truncated" => read.end = "truncated",
        Err(failure) => (read.end, read.error) = ("error", failure.message),
    }
    read
}
