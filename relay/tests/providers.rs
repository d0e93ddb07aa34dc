//! Each wire over real HTTP: where the request goes, how it is signed, and what is made of the answer, as a stream, byte by byte, and whole.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::Path;

use common::{Act, Held, Process, Relay, Upstream, fast, head, sse_head};
use riacho_relay::{Settings, Wire};
use serde_json::{Value, json};

struct Case {
    wire: Wire,
    /// In the request.
    line: &'static str,
    key: &'static str,
    stream: String,
    whole: Value,
    finish: &'static str,
    refusal: (u16, Value),
}

fn lines(events: &[Value], named: bool) -> String {
    let line = |event: &Value| {
        let name = if named {
            format!("event: {}\n", event["type"].as_str().unwrap_or_default())
        } else {
            String::new()
        };
        format!("{name}data: {event}\n\n")
    };
    events.iter().map(line).collect()
}

/// Each says "hm" to itself, then "Olá 🌊!", with 7 tokens in and 9 out.
fn cases() -> Vec<Case> {
    vec![
        Case {
            wire: Wire::Responses,
            line: "POST /v1/responses ",
            key: "authorization: Bearer sk-secret-of-the-test",
            stream: lines(
                &[
                    json!({"type": "response.created", "response": {"id": "r", "status": "in_progress"}}),
                    json!({"type": "response.output_item.added", "output_index": 0, "item": {"type": "reasoning", "id": "rs"}}),
                    json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 0, "delta": "hm"}),
                    json!({"type": "response.output_item.added", "output_index": 1, "item": {"type": "message", "id": "m"}}),
                    json!({"type": "response.output_text.delta", "output_index": 1, "delta": "Olá "}),
                    json!({"type": "response.output_text.delta", "output_index": 1, "delta": "🌊!"}),
                    json!({"type": "response.completed", "response": {"status": "completed", "usage": {"input_tokens": 7, "output_tokens": 9}}}),
                ],
                true,
            ),
            whole: json!({"id": "r", "status": "completed", "error": null, "output": [
                {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
                {"type": "message", "content": [{"type": "output_text", "text": "Olá 🌊!"}]}],
                "usage": {"input_tokens": 7, "output_tokens": 9}}),
            finish: "completed",
            refusal: (401, json!({"error": {"message": "bad key", "type": "invalid_request_error"}})),
        },
        Case {
            wire: Wire::Anthropic,
            line: "POST /v1/messages ",
            key: "x-api-key: sk-secret-of-the-test",
            stream: lines(
                &[
                    json!({"type": "message_start", "message": {"usage": {"input_tokens": 7, "output_tokens": 1}}}),
                    json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}}),
                    json!({"type": "ping"}),
                    json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}}),
                    json!({"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}),
                    json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Olá "}}),
                    json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "🌊!"}}),
                    json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}),
                    json!({"type": "message_stop"}),
                ],
                true,
            ),
            whole: json!({"type": "message", "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Olá 🌊!"}],
                "stop_reason": "end_turn", "usage": {"input_tokens": 7, "output_tokens": 9}}),
            finish: "end_turn",
            refusal: (401, json!({"type": "error", "error": {"type": "authentication_error", "message": "bad key"}})),
        },
        Case {
            wire: Wire::Gemini,
            line: "POST /v1/models/test-model:streamGenerateContent?alt=sse ",
            key: "x-goog-api-key: sk-secret-of-the-test",
            stream: lines(
                &[
                    json!({"candidates": [{"content": {"parts": [{"text": "hm", "thought": true}]}}]}),
                    json!({"candidates": [{"content": {"parts": [{"text": "Olá "}]}}]}),
                    json!({"candidates": [{"content": {"parts": [{"text": "🌊!"}]}, "finishReason": "STOP"}],
                        "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 4, "thoughtsTokenCount": 5}}),
                ],
                false,
            )
            .replace('\n', "\r\n"),
            whole: json!([{"candidates": [{"content": {"parts": [{"text": "hm", "thought": true}, {"text": "Olá 🌊!"}]}, "finishReason": "STOP"}],
                "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 4, "thoughtsTokenCount": 5}}]),
            finish: "STOP",
            refusal: (403, json!({"error": {"code": 403, "message": "bad key", "status": "PERMISSION_DENIED"}})),
        },
        Case {
            wire: Wire::Azure { api_version: Some("2024-10-21".into()) },
            line: "POST /v1/openai/deployments/test-model/chat/completions?api-version=2024-10-21 ",
            key: "api-key: sk-secret-of-the-test",
            stream: lines(
                &[
                    json!({"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}),
                    json!({"choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}]}),
                    json!({"choices": [{"index": 0, "delta": {"content": "Olá "}}]}),
                    json!({"choices": [{"index": 0, "delta": {"content": "🌊!"}, "finish_reason": "stop"}]}),
                    json!({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 9}}),
                ],
                false,
            ),
            whole: json!({"choices": [{"index": 0, "finish_reason": "stop",
                "message": {"content": "Olá 🌊!", "reasoning_content": "hm"}}],
                "usage": {"prompt_tokens": 7, "completion_tokens": 9}}),
            finish: "stop",
            refusal: (401, json!({"error": {"code": "401", "message": "bad key"}})),
        },
    ]
}

async fn ask(upstream: &Upstream, wire: Wire) -> (Value, Held) {
    let settings = Settings { remotes: vec![upstream.remote("remote", wire)], ..fast() };
    let relay = Relay::start(settings).await;
    let ([mut client], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    (client.until_end(&reply).await, client.held(&reply))
}

#[tokio::test]
async fn each_wire_as_a_stream_by_bytes_and_whole() {
    for case in cases() {
        let pieces = |stream: &str, size: usize| -> Vec<Act> {
            let pieces = stream.as_bytes().chunks(size).map(|piece| Act::Write(piece.to_vec()));
            std::iter::once(Act::Write(sse_head())).chain(pieces).collect()
        };
        let mut json = head("200 OK", "content-type: application/json\r\n");
        json.extend(case.whole.to_string().into_bytes());
        let marked = format!("\u{feff}: hello\n\n{}", case.stream);
        let ways = [
            pieces(&case.stream, usize::MAX),
            pieces(&marked, 1),
            pieces(&case.stream, 13),
            vec![Act::Write(json)],
        ];
        for acts in ways {
            let mut upstream = Upstream::start(vec![acts]).await;
            let (end, held) = ask(&upstream, case.wire.clone()).await;
            let name = format!("{:?}: {end}", case.wire);
            assert_eq!(end["status"], "completed", "{name}");
            assert_eq!(
                held.parts,
                [("reasoning".into(), "hm".into()), ("text".into(), "Olá 🌊!".into())],
                "{name}"
            );
            assert_eq!(
                (&end["usage"]["input_tokens"], &end["usage"]["output_tokens"]),
                (&json!(7), &json!(9)),
                "{name}"
            );
            assert_eq!(end["metrics"]["finish_reason"], case.finish, "{name}");
            let request = upstream.requests.recv().await.expect("a request");
            assert!(request.starts_with(case.line), "{name}\n{request}");
            assert!(request.contains(case.key), "{name}\n{request}");
        }
    }
}

#[tokio::test]
async fn each_wire_cut_off_and_refused() {
    for case in cases() {
        let half = case.stream.find("🌊").expect("the text");
        let half = case.stream[..half].rfind("data:").expect("an event");
        let acts = vec![Act::Write(sse_head()), Act::Write(case.stream.as_bytes()[..half].to_vec())];
        let upstream = Upstream::start(vec![acts]).await;
        let (end, held) = ask(&upstream, case.wire.clone()).await;
        assert_eq!(end["code"], "provider_truncated", "{:?}: {end}", case.wire);
        assert_eq!(held.text, "hmOlá ");

        let mut refusal = head(&format!("{} No", case.refusal.0), "");
        refusal.extend(case.refusal.1.to_string().into_bytes());
        let upstream = Upstream::start(vec![vec![Act::Write(refusal)]]).await;
        let (end, _) = ask(&upstream, case.wire.clone()).await;
        assert_eq!(end["code"], "provider_auth", "{:?}: {end}", case.wire);
        assert!(end["message"].as_str().expect("words").contains("bad key"), "{end}");
    }
}

#[tokio::test]
async fn one_that_does_not_stream_is_asked_for_the_whole() {
    let mut json = head("200 OK", "content-type: application/json\r\n");
    let long = "palavra ".repeat(200);
    json.extend(
        json!({"choices": [{"message": {"content": long}, "finish_reason": "stop"}]})
            .to_string()
            .into_bytes(),
    );
    let mut upstream = Upstream::start(vec![vec![Act::Write(json)]]).await;
    let mut remote = upstream.remote("whole", Wire::Chat);
    remote.streams = false;
    let relay = Relay::start(Settings { remotes: vec![remote], ..fast() }).await;
    let ([mut client], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    client.until_end(&reply).await;
    assert_eq!(client.text(&reply), long);
    assert!(client.held(&reply).chunks > 5, "it is handed on in pieces");
    let request = upstream.requests.recv().await.expect("a request");
    assert!(request.contains("\"stream\":false") && !request.contains("stream_options"), "{request}");
}

/// By the variables that the documentation names, and the real binary.
#[tokio::test]
async fn azure_and_openai_are_set_up_by_their_variables() {
    let responses = || {
        let case = cases().into_iter().find(|case| case.wire == Wire::Responses).expect("one");
        vec![Act::Write(sse_head()), Act::Write(case.stream.into_bytes())]
    };
    let (azure, openai) = ("azure", "openai-responses");
    // Who is asked, with which variables, and what the body says of `store` and `background`.
    let table = [
        (azure, vec![("AZURE_OPENAI_RESPONSES", "1")], json!([false, null])),
        (
            azure,
            vec![("AZURE_OPENAI_RESPONSES", "background"), ("AZURE_OPENAI_MODEL", "mine")],
            json!([true, true]),
        ),
        (azure, vec![("AZURE_OPENAI_RESPONSES", "1"), ("AZURE_OPENAI_THREAD", "1")], json!([true, null])),
        (openai, vec![("OPENAI_RESPONSES", "1")], json!([false, null])),
        (openai, vec![("OPENAI_RESPONSES", "1"), ("OPENAI_THREAD", "1")], json!([true, null])),
    ];
    for (provider, variables, kept) in table {
        let mut upstream = Upstream::start(vec![responses()]).await;
        let base = format!("http://{}", upstream.address);
        let relay = Process::start(Path::new(":memory:"), |command| {
            // Azure's address is that of the resource, OpenAI's that of the API.
            let (prefix, base) = if provider == "azure" {
                ("AZURE_OPENAI", base)
            } else {
                ("OPENAI", format!("{base}/openai/v1"))
            };
            command
                .env(format!("{prefix}_BASE_URL"), base)
                .env(format!("{prefix}_API_KEY"), "key-of-the-test");
            command.envs(variables.iter().copied()).env("RIACHO_PROVIDER", provider);
        });
        let mut client = relay.connect().await;
        let room = common::id();
        client.join(&room).await;
        let (_, reply) = client.say(&room, "hi").await;
        assert_eq!(client.until_end(&reply).await["status"], "completed", "{variables:?}");
        assert!(client.text(&reply).ends_with("Olá 🌊!"), "{variables:?}");
        let request = upstream.requests.recv().await.expect("a request");
        assert!(request.starts_with("POST /openai/v1/responses "), "{variables:?}: {request}");
        let signed = if provider == "azure" {
            "api-key: key-of-the-test"
        } else {
            "authorization: Bearer key-of-the-test"
        };
        assert!(request.contains(signed), "{variables:?}: {request}");
        let body: Value =
            serde_json::from_str(request.split_once("\r\n\r\n").expect("a body").1).expect("JSON");
        assert_eq!(json!([body["store"], body["background"]]), kept, "{variables:?}");
        let model =
            variables.iter().find(|(name, _)| name.ends_with("_MODEL")).map_or("gpt-5-mini", |model| model.1);
        assert_eq!(body["model"], model, "{variables:?}");
    }
}
