//! The provider `openai` against a real HTTP server that writes exact bytes, cut where the test says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::Duration;

use common::{Act, Held, Relay, Upstream, delta, done, finish, head, sse_head, streaming};
use serde_json::{Value, json};
use tokio::time::timeout;

/// One question to an upstream that acts so: the terminal frame, and what the client holds.
async fn ask(acts: Vec<Act>) -> (Value, Held) {
    ask_with(acts, |_| {}).await
}

async fn ask_with(acts: Vec<Act>, change: impl FnOnce(&mut riacho_relay::Settings)) -> (Value, Held) {
    let upstream = Upstream::start(vec![acts]).await;
    let mut settings = upstream.settings();
    change(&mut settings);
    let relay = Relay::start(settings).await;
    let ([mut client], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    let end = client.until_end(&reply).await;
    let held = client.held(&reply);
    assert_eq!(held.terminal_frames, 1);
    let message = end["message"].as_str().unwrap_or_default();
    assert!(!message.contains("sk-secret-of-the-test"), "the key is in a message: {message}");
    (end, held)
}

fn chunk(value: &Value) -> Vec<u8> {
    format!("data: {value}\n\n").into_bytes()
}

fn usage() -> Value {
    json!({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 4}}})
}

#[tokio::test]
async fn the_done_line_or_a_finish_reason_is_the_end() {
    for last in [vec![finish(), done()], vec![finish()], vec![done()], vec![b"data:[DONE]".to_vec()]] {
        let (end, held) = ask(streaming([delta("Olá, "), delta("mundo")].into_iter().chain(last))).await;
        assert_eq!((&end["status"], held.text.as_str()), (&json!("completed"), "Olá, mundo"));
    }
}

#[tokio::test]
async fn a_connection_that_just_ends_is_no_answer() {
    let (end, held) = ask(streaming([delta("half an ans")])).await;
    assert_eq!((&end["code"], held.text.as_str()), (&json!("provider_truncated"), "half an ans"));
    let (end, _) = ask(streaming([])).await;
    assert_eq!(end["code"], "provider_truncated");
    // Cut inside an event, and with a reset.
    let (end, held) = ask(streaming([delta("half"), b"data: {\"choi".to_vec()])).await;
    assert_eq!((&end["type"], held.text.as_str()), (&json!("stream_error"), "half"));
    let reset = vec![
        Act::Write(sse_head()),
        Act::Write(delta("half")),
        Act::Wait(Duration::from_millis(200)),
        Act::Reset,
    ];
    let (end, held) = ask(reset).await;
    assert_eq!((&end["code"], held.text.as_str()), (&json!("provider_truncated"), "half"));
}

#[tokio::test]
async fn a_short_stream_reads_the_same_at_every_cut() {
    let mut stream = "\u{feff}: OPENROUTER PROCESSING\r\n\r\n".as_bytes().to_vec();
    stream.extend(
        b"data:{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\xF0\x9F\x8C\x8A \xC3\xA9\"}}]}\r\n\r\n",
    );
    stream.extend(b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" b\"},\r\ndata: \"finish_reason\":\"stop\"}]}\r\r");
    stream.extend(chunk(&usage()));
    let acts = (1..stream.len())
        .map(|cut| {
            let (before, after) = stream.split_at(cut);
            let pause = Act::Wait(Duration::from_millis(2));
            vec![Act::Write(sse_head()), Act::Write(before.to_vec()), pause, Act::Write(after.to_vec())]
        })
        .collect::<Vec<_>>();
    let cuts = acts.len();
    let upstream = Upstream::start(acts).await;
    let relay = Relay::asking(&upstream).await;
    let ([mut client], room) = relay.tabs().await;
    for cut in 1..=cuts {
        let (_, reply) = client.say(&room, "hi").await;
        let end = client.until_end(&reply).await;
        assert_eq!(end["status"], "completed", "cut at {cut}: {end}");
        assert_eq!(client.text(&reply), "🌊 é b", "cut at {cut}");
        assert_eq!(
            end["usage"],
            json!({"input_tokens": 7, "output_tokens": 9, "reasoning_tokens": 4}),
            "cut at {cut}"
        );
    }
}

#[tokio::test]
async fn byte_by_byte_it_reads_the_same() {
    let stream: Vec<u8> = [delta("água "), delta("🌊"), finish(), chunk(&usage()), done()].concat();
    let (end, held) = ask(streaming(stream.iter().map(|byte| vec![*byte]))).await;
    assert_eq!((&end["status"], held.text.as_str()), (&json!("completed"), "água 🌊"));
    assert_eq!(end["usage"]["output_tokens"], 9);
}

#[tokio::test]
async fn a_transfer_in_chunks_and_one_of_a_known_length() {
    let body = [delta("one"), finish(), done()].concat();
    let mut chunked = head("200 OK", "transfer-encoding: chunked\r\n");
    for piece in body.chunks(7) {
        chunked.extend(format!("{:x}\r\n", piece.len()).into_bytes());
        chunked.extend(piece);
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\n\r\n");
    assert_eq!(ask(vec![Act::Write(chunked)]).await.1.text, "one");
    let mut known = head("200 OK", &format!("content-length: {}\r\n", body.len()));
    known.extend(&body);
    assert_eq!(ask(vec![Act::Write(known)]).await.1.text, "one");
    // It promised more than it sent, but all was said.
    let mut short = head("200 OK", &format!("content-length: {}\r\n", body.len() + 100));
    short.extend([delta("one"), finish()].concat());
    assert_eq!(ask(vec![Act::Write(short)]).await.0["status"], "completed");
}

#[tokio::test]
async fn an_error_in_the_stream_is_an_error() {
    let table = [
        (json!({"error": {"message": "it broke", "type": "server_error"}}), "provider_failed"),
        (json!({"error": {"message": "it broke", "code": "context_length_exceeded"}}), "provider_rejected"),
        (json!({"error": {"message": "it broke", "code": 429}}), "provider_rate_limited"),
        (json!({"error": {"message": "it broke", "type": "authentication_error"}}), "provider_auth"),
        (json!({"error": "it broke"}), "provider_failed"),
        (json!({"object": "error", "message": "it broke", "code": 400}), "provider_rejected"),
    ];
    for (error, code) in table {
        let (end, held) = ask(streaming([delta("so far"), chunk(&error), done()])).await;
        assert_eq!((&end["code"], held.text.as_str()), (&json!(code), "so far"), "{error}");
        assert!(end["message"].as_str().expect("words").contains("it broke"), "{end}");
    }
    let named = b"event: error\ndata: {\"message\":\"it broke\"}\n\n".to_vec();
    assert_eq!(ask(streaming([named])).await.0["code"], "provider_failed");
    let (end, held) = ask(streaming([delta("so far"), b"data: <html>\n\n".to_vec(), done()])).await;
    assert_eq!((&end["code"], held.text.as_str()), (&json!("provider_malformed"), "so far"));
}

#[tokio::test]
async fn a_plain_json_body_is_read() {
    let body = json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": "whole", "reasoning_content": "hm"},
        "finish_reason": "stop"}], "usage": {"prompt_tokens": 1, "completion_tokens": 2}});
    for kind in ["application/json", "text/event-stream"] {
        let mut bytes = head("200 OK", &format!("content-type: {kind}\r\n"));
        bytes.extend(format!("\r\n {body}").into_bytes());
        let (end, held) = ask(vec![Act::Write(bytes)]).await;
        assert_eq!(held.parts, [("reasoning".into(), "hm".into()), ("text".into(), "whole".into())]);
        assert_eq!(
            (&end["usage"]["output_tokens"], &end["metrics"]["finish_reason"]),
            (&json!(2), &json!("stop"))
        );
    }
    let mut error = head("200 OK", "content-type: application/json\r\n");
    error.extend(json!({"error": {"message": "no such model", "code": 404}}).to_string().into_bytes());
    assert_eq!(ask(vec![Act::Write(error)]).await.0["code"], "provider_rejected");
}

#[tokio::test]
async fn gzip_is_read() {
    // python3: gzip.compress(b'data: {"choices":[{"delta":{"content":"zipped"},"finish_reason":"stop"}]}\n\n', mtime=0)
    let zipped: &[u8] = include_bytes!("zipped.sse.gz");
    let mut bytes = head("200 OK", "content-type: text/event-stream\r\ncontent-encoding: gzip\r\n");
    bytes.extend(zipped);
    assert_eq!(ask(vec![Act::Write(bytes)]).await.1.text, "zipped");
}

#[tokio::test]
async fn each_status_is_said_in_words() {
    let table = [
        ("401 Unauthorized", "provider_auth", "API key"),
        ("403 Forbidden", "provider_auth", "API key"),
        ("404 Not Found", "provider_rejected", "model"),
        ("400 Bad Request", "provider_rejected", "refused"),
        ("429 Too Many Requests", "provider_rate_limited", "quota"),
        ("500 Internal Server Error", "provider_failed", "Try again"),
        ("503 Service Unavailable", "provider_failed", "Try again"),
        ("302 Found", "provider_rejected", "redirect"),
    ];
    for (status, code, word) in table {
        let mut bytes = head(status, "retry-after: 3\r\nlocation: http://127.0.0.1:9/\r\n");
        bytes.extend(br#"{"error":{"message":"their words, not sk-secret-of-the-test"}}"#);
        let (end, held) = ask(vec![Act::Write(bytes)]).await;
        let message = end["message"].as_str().expect("words");
        assert_eq!((&end["code"], held.text.as_str()), (&json!(code), ""), "{status}");
        assert!(message.contains(word) && message.starts_with("openai"), "{status}: {message}");
        assert_eq!(end["retry_after"], 3);
    }
}

#[tokio::test]
async fn nobody_listens_there() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let free = listener.local_addr().expect("an address");
    drop(listener);
    let (end, _) = ask_with(vec![], |settings| {
        settings.remotes[0].base_url = format!("http://{free}/v1");
    })
    .await;
    assert_eq!(end["code"], "provider_unreachable", "{end}");
    assert!(end["message"].as_str().expect("words").contains("refused"), "{end}");
}

#[tokio::test]
async fn a_silent_provider_is_given_up() {
    let quick = |settings: &mut riacho_relay::Settings| {
        settings.timeouts.first_token = Duration::from_millis(400);
        settings.timeouts.between_tokens = Duration::from_millis(400);
    };
    // Never a byte; a head and no event; comments and no event; an event and then nothing but comments.
    let comments =
        || (0..40).flat_map(|_| [Act::Write(b": ping\n\n".to_vec()), Act::Wait(Duration::from_millis(50))]);
    let before = [
        vec![Act::Gate],
        vec![Act::Write(sse_head()), Act::Gate],
        std::iter::once(Act::Write(sse_head())).chain(comments()).chain([Act::Gate]).collect(),
    ];
    for acts in before {
        let (end, held) = ask_with(acts, quick).await;
        assert_eq!((&end["code"], held.text.as_str()), (&json!("provider_timeout"), ""));
    }
    let acts = [Act::Write(sse_head()), Act::Write(delta("so far"))]
        .into_iter()
        .chain(comments())
        .chain([Act::Gate]);
    let (end, held) = ask_with(acts.collect(), quick).await;
    assert_eq!((&end["code"], held.text.as_str()), (&json!("provider_timeout"), "so far"));
}

#[tokio::test]
async fn parts_keep_their_order_and_kind() {
    let part = |delta: Value| chunk(&json!({"choices": [{"delta": delta}]}));
    let (end, held) = ask(streaming([
        part(json!({"reasoning_content": "let me "})),
        part(json!({"reasoning": "think"})),
        part(json!({"content": [{"type": "text", "text": "I "}]})),
        part(json!({"content": "call"})),
        part(json!({"tool_calls": [{"index": 0, "id": "call_1", "function": {"name": "clock", "arguments": ""}}]})),
        part(json!({"tool_calls": [{"index": 1, "id": "call_2", "function": {"name": "rain", "arguments": "{\"at\":"}}]})),
        part(json!({"tool_calls": [{"index": 1, "function": {"arguments": "\"Rio\"}"}}]})),
        part(json!({"refusal": "but no"})),
        chunk(&json!({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]})),
    ]))
    .await;
    let part = |kind: &str, text: &str| (kind.to_owned(), text.to_owned());
    assert_eq!(
        held.parts,
        [
            part("reasoning", "let me think"),
            part("text", "I call"),
            part("tool_call", ""),
            part("tool_call", "{\"at\":\"Rio\"}"),
            part("refusal", "but no"),
        ]
    );
    assert_eq!(end["metrics"]["finish_reason"], "tool_calls");
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let acts = std::iter::once(Act::Write(sse_head()))
        .chain((0..100).map(|_| Act::Write(delta(&"x".repeat(1000)))))
        .chain([Act::Gate])
        .collect();
    let (end, held) = ask_with(acts, |settings| settings.max_answer_bytes = 10_000).await;
    assert_eq!(end["code"], "provider_malformed");
    assert!(held.text.len() <= 10_000 && held.text.len() > 5_000, "{}", held.text.len());
}

#[tokio::test]
async fn the_key_goes_nowhere_else_after_a_redirect() {
    let mut elsewhere = Upstream::start(vec![streaming([delta("caught")])]).await;
    let to = head("307 Temporary Redirect", &format!("location: http://{}/\r\n", elsewhere.address));
    assert_eq!(ask(vec![Act::Write(to)]).await.0["code"], "provider_rejected");
    assert!(timeout(Duration::from_millis(300), elsewhere.requests.recv()).await.is_err());
}
