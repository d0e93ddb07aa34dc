//! Streams recorded from real providers, with what an official SDK reads from them. They are not part of the repository: the folder is
//! named by `RIACHO_CORPORA`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use riacho_protocol::{PartKind, Usage};
use riacho_relay::providers::anthropic::AnthropicDecoder;
use riacho_relay::providers::chat::ChatDecoder;
use riacho_relay::providers::gemini::GeminiDecoder;
use riacho_relay::providers::responses::ResponsesDecoder;
use riacho_relay::providers::{Event, decode};
use serde_json::Value;

struct Recorded {
    name: String,
    bytes: Vec<u8>,
    text: String,
    expected: Value,
}

/// What a decoder made of a stream.
#[derive(Debug, Default, PartialEq)]
struct Read {
    text: String,
    reasoning: String,
    refusal: String,
    calls: u64,
    usage: Option<Usage>,
    finish: Option<String>,
    end: &'static str,
    error: String,
}

/// Those of one wire; none, said on stderr, without the folder.
fn recorded(wire: &str) -> Vec<Recorded> {
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

fn read<'a>(wire: &str, pieces: impl IntoIterator<Item = &'a [u8]>) -> Read {
    let mut events = Vec::new();
    let result = match wire {
        "chat" => decode(pieces, ChatDecoder::default(), &mut events),
        "responses" => decode(pieces, ResponsesDecoder::default(), &mut events),
        "anthropic" => decode(pieces, AnthropicDecoder::default(), &mut events),
        "gemini" => decode(pieces, GeminiDecoder::default(), &mut events),
        other => panic!("no decoder for {other}"),
    };
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
            Event::Detail(_) | Event::State(_) | Event::NextProvider { .. } => {}
        }
    }
    match result {
        Ok(()) => read.end = "complete",
        Err(failure) if failure.code.as_str() == "provider_truncated" => read.end = "truncated",
        Err(failure) => (read.end, read.error) = ("error", failure.message),
    }
    read
}

fn check(wire: &str, stream: &Recorded) {
    let Recorded { name, bytes, text, expected } = stream;
    let whole = read(wire, [bytes.as_slice()]);
    let accepted = |key: &str, got: &str, want: &str| {
        got == want || expected[key].as_array().is_some_and(|list| list.iter().any(|other| other == got))
    };
    assert!(accepted("accept_text", &whole.text, text), "{name}: text\n{}\n---\n{text}", whole.text);
    assert!(accepted("accept_end", whole.end, expected["end"].as_str().expect("end")), "{name}: {whole:?}");
    assert_eq!(whole.reasoning, expected["reasoning"].as_str().unwrap_or_default(), "{name}: reasoning");
    assert_eq!(whole.refusal, expected["refusal"].as_str().unwrap_or_default(), "{name}: refusal");
    // Where several responses were put into one file, the count there goes by index and takes two calls for one.
    let responses = String::from_utf8_lossy(bytes).matches("\"type\":\"response.created\"").count();
    let calls = if responses > 1 { whole.calls.min(2) } else { whole.calls };
    assert_eq!(calls, expected["tool_calls"].as_u64().unwrap_or_default(), "{name}: tool calls");
    assert_eq!(whole.finish.as_deref(), expected["finish"].as_str(), "{name}: finish");
    let usage = &expected["usage"];
    let counts = whole.usage.map(|usage| (usage.input_tokens, usage.output_tokens));
    let want = usage.is_object().then(|| (usage["input"].as_u64(), usage["output"].as_u64()));
    assert_eq!(counts, want, "{name}: usage");
    if let Some(message) = expected["error"]["message"].as_str() {
        assert!(whole.error.contains(message), "{name}: {:?} does not say {message:?}", whole.error);
    }

    assert_eq!(read(wire, bytes.chunks(1)), whole, "{name}: byte by byte");
    // A byte order mark, and other line ends, change nothing.
    let marked = [b"\xEF\xBB\xBF", bytes.as_slice()].concat();
    assert_eq!(read(wire, [marked.as_slice()]), whole, "{name}: byte order mark");
    for end in ["\r\n", "\r"] {
        let ends = String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace('\n', end).into_bytes();
        assert_eq!(read(wire, [ends.as_slice()]), whole, "{name}: line ends {end:?}");
        assert_eq!(read(wire, ends.chunks(3)), whole, "{name}: line ends {end:?} in threes");
    }
    // Every cut of a short one, and some of a long one.
    let step = if bytes.len() <= 8192 { 1 } else { bytes.len() / 61 };
    for cut in (0..=bytes.len()).step_by(step) {
        let (before, after) = bytes.split_at(cut);
        assert_eq!(read(wire, [before, after]), whole, "{name}: cut at {cut}");
    }
}

fn check_all(wire: &str) {
    let streams = recorded(wire);
    streams.iter().for_each(|stream| check(wire, stream));
    eprintln!("{wire}: {} streams", streams.len());
}

#[test]
fn chat_completions() {
    check_all("chat");
}

#[test]
fn responses() {
    check_all("responses");
}

#[test]
fn anthropic() {
    check_all("anthropic");
}

#[test]
fn gemini() {
    check_all("gemini");
}
