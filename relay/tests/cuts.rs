//! Each wire over real HTTP, in two pieces that are cut at every byte: what is written by a server as one transfer chunk and the
//! next is what the provider's client hands on as two.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::net::SocketAddr;
use std::sync::Arc;

use common::streams::{Read, fold, marked, read, recorded};
use futures_util::StreamExt;
use riacho_protocol::{Options, Role};
use riacho_relay::providers::{Events, Provider, Remote, Request, Turn};
use riacho_relay::{RemoteSettings, Timeouts, Wire};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A recording is brought to about so many bytes: every one of them is a request.
const LONG: usize = 14_000;
/// Requests at a time.
const AT_ONCE: usize = 8;

/// Answers each request with the stream, cut where the request's text says, on connections that stay open.
async fn serve(stream: Arc<[u8]>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let _ = socket.set_nodelay(true);
            tokio::spawn(answer(socket, Arc::clone(&stream)));
        }
    });
    address
}

async fn answer(mut socket: TcpStream, stream: Arc<[u8]>) -> std::io::Result<()> {
    let mut request = String::new();
    let mut buffer = [0; 4096];
    loop {
        let read = socket.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        request.push_str(&String::from_utf8_lossy(&buffer[..read]));
        let Some(cut) = request.split_once("<cut ").and_then(|(_, rest)| rest.split_once('>')) else {
            continue;
        };
        let (before, after) = stream.split_at(cut.0.parse().expect("a number"));
        let mut bytes =
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
                .to_vec();
        for piece in [before, after] {
            // An empty one would be the end.
            if !piece.is_empty() {
                bytes.extend(format!("{:x}\r\n", piece.len()).into_bytes());
                bytes.extend(piece);
                bytes.extend(b"\r\n");
            }
        }
        bytes.extend(b"0\r\n\r\n");
        socket.write_all(&bytes).await?;
        request.clear();
    }
}

/// What the provider makes of the stream when it is cut there.
async fn cut_at(provider: &Remote, cut: usize) -> Read {
    let content = format!("<cut {cut}>");
    let turns = vec![Turn { role: Role::User, text: content.clone() }];
    let request = Request {
        system: None,
        turns,
        question: content,
        model: None,
        options: Options::default(),
        thread: None,
    };
    let (sender, mut receiver) = mpsc::channel(64);
    let answering = provider.answer(request, Events::new(sender));
    let receiving = async {
        let mut all = Vec::new();
        while let Some(events) = receiver.recv().await {
            all.extend(events);
        }
        all
    };
    let (result, events) = tokio::join!(answering, receiving);
    fold(events, result)
}

async fn at_every_byte(name: &str, wire: Wire, stream: &[u8], whole: &Read) {
    let address = serve(stream.into()).await;
    let settings = RemoteSettings {
        name: "remote".into(),
        wire,
        base_url: format!("http://{address}/v1"),
        api_key: None,
        model: "test-model".into(),
        streams: true,
        background: false,
        thread: false,
    };
    let provider = Remote::alone(settings, Timeouts::default()).expect("a client");
    let cuts =
        futures_util::stream::iter(0..=stream.len()).map(async |cut| (cut, cut_at(&provider, cut).await));
    let mut cuts = std::pin::pin!(cuts.buffer_unordered(AT_ONCE));
    while let Some((cut, read)) = cuts.next().await {
        assert_eq!(&read, whole, "{name}: cut at {cut}");
    }
    eprintln!("{name}: cut at each of {} bytes over HTTP", stream.len());
}

/// A recording without some of its events, or with one of them again and again; its end is the last `tail` of them.
fn resized(bytes: &[u8], tail: usize) -> Vec<u8> {
    let text = String::from_utf8(bytes.to_vec()).expect("UTF-8").replace("\r\n", "\n");
    let events: Vec<&str> = text.split_inclusive("\n\n").collect();
    let (start, end) = events.split_at(events.len() - tail);
    let room = LONG.saturating_sub(end.iter().map(|event| event.len()).sum());
    let (mut all, mut more) =
        (String::new(), start.iter().chain(std::iter::repeat(start.last().expect("a start"))));
    while all.len() < room {
        all.push_str(more.next().expect("without end"));
    }
    all.push_str(&end.concat());
    all.into_bytes()
}

/// Each thinks "hm", says "Olá 🌊!" and counts, in the bytes of its own wire.
fn own(wire: &str) -> Vec<u8> {
    let events = match wire {
        "chat" => vec![
            json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
                "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": null}], "usage": null}),
            json!({"choices": [{"index": 0, "delta": {"reasoning_content": "hm"}, "finish_reason": null}]}),
            json!({"choices": [{"index": 0, "delta": {"content": "Olá "}, "finish_reason": null}]}),
            json!({"choices": [{"index": 0, "delta": {"content": "🌊!"}, "finish_reason": null}]}),
            json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
            json!({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 9}}),
        ],
        "responses" => vec![
            json!({"type": "response.created", "sequence_number": 0, "response": {"id": "resp_1", "status": "in_progress"}}),
            json!({"type": "response.output_item.added", "output_index": 0, "item": {"type": "reasoning", "id": "rs_1"}}),
            json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 0, "delta": "hm"}),
            json!({"type": "response.output_item.added", "output_index": 1, "item": {"type": "message", "id": "msg_1"}}),
            json!({"type": "response.output_text.delta", "output_index": 1, "content_index": 0, "delta": "Olá "}),
            json!({"type": "response.output_text.delta", "output_index": 1, "content_index": 0, "delta": "🌊!"}),
            json!({"type": "response.completed", "response": {"id": "resp_1", "status": "completed",
                "usage": {"input_tokens": 7, "output_tokens": 9}}}),
        ],
        "anthropic" => vec![
            json!({"type": "message_start", "message": {"id": "msg_1", "usage": {"input_tokens": 7, "output_tokens": 1}}}),
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}}),
            json!({"type": "content_block_stop", "index": 0}),
            json!({"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}),
            json!({"type": "ping"}),
            json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Olá "}}),
            json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "🌊!"}}),
            json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}),
            json!({"type": "message_stop"}),
        ],
        _ => vec![
            json!({"candidates": [{"content": {"parts": [{"text": "hm", "thought": true}], "role": "model"}, "index": 0}]}),
            json!({"candidates": [{"content": {"parts": [{"text": "Olá "}], "role": "model"}, "index": 0}]}),
            json!({"candidates": [{"content": {"parts": [{"text": "🌊!"}], "role": "model"}, "index": 0}]}),
            json!({"candidates": [{"content": {"parts": [{"text": ""}]}, "finishReason": "STOP", "index": 0}],
                "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 4, "thoughtsTokenCount": 5}}),
        ],
    };
    let line = |event: Value| match event["type"].as_str() {
        Some(name) => format!("event: {name}\ndata: {event}\n\n"),
        None => format!("data: {event}\n\n"),
    };
    let mut stream: String = events.into_iter().map(line).collect();
    if wire == "chat" {
        stream = format!(": keep-alive\n\n{stream}data: [DONE]\n\n");
    }
    stream.into_bytes()
}

async fn check(name: &str, wire: Wire, recording: &str, tail: usize) {
    let own = own(name);
    let whole = read(name, [own.as_slice()]);
    assert_eq!(
        (whole.reasoning.as_str(), whole.text.as_str(), whole.end),
        ("hm", "Olá 🌊!", "complete"),
        "{name}"
    );
    let counts = whole.usage.map(|usage| (usage.input_tokens, usage.output_tokens));
    assert_eq!(counts, Some((Some(7), Some(9))), "{name}");
    at_every_byte(name, wire.clone(), &own, &whole).await;
    at_every_byte(name, wire.clone(), &marked(&own), &whole).await;

    let Some(stream) = recorded(name).into_iter().find(|stream| stream.name == recording) else {
        return assert!(std::env::var_os("RIACHO_CORPORA").is_none(), "no recording {recording}");
    };
    let long = resized(&stream.bytes, tail);
    let whole = read(name, [long.as_slice()]);
    let said = whole.text.len().min(stream.text.len());
    assert!(said > 20 && whole.text[..said] == stream.text[..said], "{recording}: {:?}", whole.text);
    assert_eq!((whole.end, whole.usage.is_some()), ("complete", true), "{recording}");
    at_every_byte(recording, wire, &marked(&long), &whole).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chat_completions() {
    check("chat", Wire::Chat, "compatible-alibaba/alibaba-text", 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn responses() {
    check("responses", Wire::Responses, "compatible-lmstudio/lmstudio-basic-1", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anthropic() {
    check("anthropic", Wire::Anthropic, "anthropic/anthropic-web-fetch-tool-1", 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gemini() {
    check("gemini", Wire::Gemini, "gemini/google-text", 1).await;
}
