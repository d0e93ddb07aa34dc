//! Streams recorded from real providers, with what an official SDK reads from them. They are not part of the repository: the folder is
//! named by `RIACHO_CORPORA`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::Duration;

use common::streams::{Recorded, marked, read, recorded};
use common::{Act, Relay, Upstream, fast, sse_head};
use riacho_relay::{Settings, Wire};

/// Up to so many bytes a stream is cut in two at every one: the cost goes with the square.
const IN_TWO: usize = 14_000;
/// Prime, so that no rhythm of a recording falls in with it.
const PIECE: usize = 61;

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
    // In two at every byte, where that takes no minute.
    if bytes.len() <= IN_TWO {
        for cut in 0..=bytes.len() {
            let (before, after) = bytes.split_at(cut);
            assert_eq!(read(wire, [before, after]), whole, "{name}: cut at {cut}");
        }
    }
    // And however long it is, each of its bytes is once the first of a piece.
    for first in 0..PIECE.min(bytes.len()) {
        let (before, after) = bytes.split_at(first);
        let pieces = std::iter::once(before).chain(after.chunks(PIECE));
        assert_eq!(read(wire, pieces), whole, "{name}: pieces of {PIECE} after the first {first}");
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

/// The longest stream of up to 50 KB that says something, through the whole relay: by single bytes with a byte order mark and CRLF, and
/// cut in two at a spread of places. At every place it is cut in `cuts.rs`.
async fn over_http(name: &str, wire: Wire) {
    let fits = |stream: &Recorded| {
        let says = !stream.text.is_empty() && stream.expected["usage"].is_object();
        says && stream.bytes.len() <= 50_000 && stream.expected["end"] == "complete"
    };
    let Some(stream) = recorded(name).into_iter().filter(fits).max_by_key(|stream| stream.bytes.len()) else {
        return;
    };
    let bytes = &stream.bytes;
    let whole = read(name, [bytes.as_slice()]);
    let marked = marked(bytes);
    let mut ways = vec![
        vec![Act::Write(bytes.clone())],
        bytes.chunks(1).map(|byte| Act::Write(byte.to_vec())).collect(),
        marked.chunks(1).map(|byte| Act::Write(byte.to_vec())).collect(),
    ];
    ways.extend((1..bytes.len()).step_by(bytes.len() / 97).map(|cut| {
        let (before, after) = bytes.split_at(cut);
        let pause = Act::Wait(Duration::from_millis(2));
        vec![Act::Write(before.to_vec()), pause, Act::Write(after.to_vec())]
    }));
    for way in &mut ways {
        way.insert(0, Act::Write(sse_head()));
    }
    let count = ways.len();
    let upstream = Upstream::start(ways).await;
    let relay = Relay::start(Settings { remotes: vec![upstream.remote("remote", wire)], ..fast() }).await;
    for way in 0..count {
        let ([mut client], room) = relay.tabs().await;
        let (_, reply) = client.say(&room, "hi").await;
        let end = client.until_end(&reply).await;
        let held = client.held(&reply);
        let of = |kind: &str| -> String {
            held.parts.iter().filter(|part| part.0 == kind).map(|part| part.1.as_str()).collect()
        };
        assert_eq!(end["status"], "completed", "{}, way {way}: {end}", stream.name);
        assert_eq!(of("text"), whole.text, "{}, way {way}", stream.name);
        assert_eq!(of("reasoning"), whole.reasoning, "{}, way {way}", stream.name);
        assert_eq!(end["metrics"]["finish_reason"].as_str(), whole.finish.as_deref(), "way {way}: {end}");
        let usage = whole.usage.expect("a recording that says its usage");
        assert_eq!(end["usage"]["input_tokens"].as_u64(), usage.input_tokens, "way {way}: {end}");
        assert_eq!(end["usage"]["output_tokens"].as_u64(), usage.output_tokens, "way {way}: {end}");
    }
    eprintln!("{}: {} bytes over HTTP in {count} ways", stream.name, bytes.len());
}

#[tokio::test]
async fn chat_completions_over_http() {
    over_http("chat", Wire::Chat).await;
}

#[tokio::test]
async fn responses_over_http() {
    over_http("responses", Wire::Responses).await;
}

#[tokio::test]
async fn anthropic_over_http() {
    over_http("anthropic", Wire::Anthropic).await;
}

#[tokio::test]
async fn gemini_over_http() {
    over_http("gemini", Wire::Gemini).await;
}
