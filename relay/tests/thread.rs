//! A conversation's thread that OpenAI keeps: each request names the response before it, and holds only what came after.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Act, Client, Relay, Upstream, head, id, streaming};
use riacho_relay::{Place, Settings, Wire};
use serde_json::{Value, json};

/// A response as the API streams it, with these events between its start and its end.
fn response(response_id: &str, between: Vec<Value>, status: &str) -> Vec<Act> {
    let of = |status: &str, usage: Value| {
        json!({"id": response_id, "object": "response", "status": status, "error": null, "incomplete_details": null,
            "store": true, "usage": usage})
    };
    let start = json!({"type": "response.created", "response": of("in_progress", Value::Null)});
    let usage =
        json!({"input_tokens": 7, "output_tokens": 9, "output_tokens_details": {"reasoning_tokens": 0}});
    let end = json!({"type": format!("response.{status}"), "response": of(status, usage)});
    let events = std::iter::once(start).chain(between).chain([end]).zip(0..);
    streaming(events.map(|(mut event, number)| {
        event["sequence_number"] = json!(number);
        format!("event: {}\ndata: {event}\n\n", event["type"].as_str().expect("a type")).into_bytes()
    }))
}

fn delta(text: &str) -> Value {
    json!({"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "content_index": 0,
        "delta": text, "logprobs": []})
}

fn answer(response_id: &str, text: &str) -> Vec<Act> {
    response(response_id, vec![delta(text)], "completed")
}

/// As OpenAI refuses a response that it does not keep any more.
fn not_found() -> Vec<Act> {
    let mut bytes = head("400 Bad Request", "content-type: application/json\r\n");
    let error = json!({"error": {"message": "Previous response with id 'resp_1' not found.",
        "type": "invalid_request_error", "param": "previous_response_id", "code": "previous_response_not_found"}});
    bytes.extend(error.to_string().into_bytes());
    vec![Act::Write(bytes)]
}

fn settings(upstream: &Upstream) -> Settings {
    let mut settings = upstream.settings();
    settings.remotes[0].wire = Wire::Responses;
    settings.remotes[0].thread = true;
    settings.system_prompt = Some("be brief".into());
    settings
}

/// What the next request says it follows, and the turns that it holds.
async fn asked(upstream: &mut Upstream) -> (Value, Vec<String>) {
    let request = upstream.requests.recv().await.expect("a request");
    let body: Value = serde_json::from_str(request.split_once("\r\n\r\n").expect("a body").1).expect("JSON");
    assert_eq!((&body["store"], &body["instructions"]), (&json!(true), &json!("be brief")), "{body}");
    let input = body["input"].as_array().expect("turns");
    let turn =
        |turn: &Value| format!("{}: {}", turn["role"].as_str().unwrap(), turn["content"].as_str().unwrap());
    (body["previous_response_id"].clone(), input.iter().map(turn).collect())
}

async fn say(client: &mut Client, room: &str, content: &str) -> String {
    let (_, reply) = client.say(room, content).await;
    client.until_end(&reply).await;
    reply
}

#[tokio::test]
async fn each_request_names_the_response_before_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let acts = vec![answer("resp_1", "one"), answer("resp_2", "two"), answer("resp_3", "three")];
    let mut upstream = Upstream::start(acts).await;
    let settings = Settings { store: Place::File(folder.path().join("relay.db")), ..settings(&upstream) };
    let relay = Relay::start(settings.clone()).await;
    let ([mut client], room) = relay.tabs().await;
    say(&mut client, &room, "first").await;
    say(&mut client, &room, "second").await;
    assert_eq!(asked(&mut upstream).await, (Value::Null, vec!["user: first".into()]));
    assert_eq!(asked(&mut upstream).await, (json!("resp_1"), vec!["user: second".into()]));
    // It is known after a restart as well.
    relay.stop().await;
    let relay = Relay::start(settings).await;
    let mut client = relay.connect().await;
    client.join(&room).await;
    let reply = say(&mut client, &room, "third").await;
    assert_eq!(client.text(&reply), "three");
    assert_eq!(asked(&mut upstream).await, (json!("resp_2"), vec!["user: third".into()]));
}

#[tokio::test]
async fn a_branch_follows_its_own_parent_and_a_retry_what_was_before_it() {
    let acts = (1..=4).map(|n| answer(&format!("resp_{n}"), &format!("answer {n}"))).collect();
    let mut upstream = Upstream::start(acts).await;
    let relay = Relay::start(settings(&upstream)).await;
    let ([mut client], room) = relay.tabs().await;
    let first = say(&mut client, &room, "first").await;
    let second = say(&mut client, &room, "second").await;
    let reply = id();
    client
        .send(json!({"type": "send_message", "conversation_id": room, "message_id": id(), "reply_id": reply,
            "parent_id": first, "content": "another second"}))
        .await;
    client.until_end(&reply).await;
    client.send(json!({"type": "retry", "message_id": second, "epoch": 0})).await;
    client.until_end(&second).await;
    assert_eq!(asked(&mut upstream).await.0, Value::Null);
    assert_eq!(asked(&mut upstream).await, (json!("resp_1"), vec!["user: second".into()]));
    assert_eq!(asked(&mut upstream).await, (json!("resp_1"), vec!["user: another second".into()]));
    assert_eq!(asked(&mut upstream).await, (json!("resp_1"), vec!["user: second".into()]));
}

#[tokio::test]
async fn a_thread_that_is_gone_is_started_anew_with_all_that_was_said() {
    let acts = vec![answer("resp_1", "one"), not_found(), answer("resp_2", "two"), answer("resp_3", "three")];
    let mut upstream = Upstream::start(acts).await;
    let relay = Relay::start(settings(&upstream)).await;
    let ([mut client], room) = relay.tabs().await;
    say(&mut client, &room, "first").await;
    let reply = say(&mut client, &room, "second").await;
    let held = client.held(&reply);
    assert_eq!(
        (held.text.as_str(), held.epoch, held.terminal_frames),
        ("two", 0, 1),
        "nobody saw anything of it"
    );
    say(&mut client, &room, "third").await;
    let whole = ["user: first", "assistant: one", "user: second"].map(str::to_owned).to_vec();
    assert_eq!(asked(&mut upstream).await.0, Value::Null);
    assert_eq!(asked(&mut upstream).await, (json!("resp_1"), vec!["user: second".into()]));
    assert_eq!(asked(&mut upstream).await, (Value::Null, whole));
    assert_eq!(asked(&mut upstream).await, (json!("resp_2"), vec!["user: third".into()]));
}

#[tokio::test]
async fn what_the_thread_does_not_hold_goes_with_the_request() {
    // Cut off, so that nobody knows what is kept of it; and a call that waits for its result.
    let cut = streaming([
        b"data: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"half\"}\n\n".to_vec(),
    ]);
    let call = response(
        "resp_3",
        vec![
            delta("calling"),
            json!({"type": "response.output_item.added", "output_index": 1,
                "item": {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "clock", "arguments": ""}}),
        ],
        "completed",
    );
    let acts = vec![answer("resp_1", "one"), cut, call, answer("resp_4", "four")];
    let mut upstream = Upstream::start(acts).await;
    let relay = Relay::start(settings(&upstream)).await;
    let ([mut client], room) = relay.tabs().await;
    for content in ["first", "second", "third", "fourth"] {
        say(&mut client, &room, content).await;
    }
    assert_eq!(asked(&mut upstream).await.0, Value::Null);
    assert_eq!(asked(&mut upstream).await.0, json!("resp_1"));
    let mut since = ["user: second", "assistant: half", "user: third"].map(str::to_owned).to_vec();
    assert_eq!(asked(&mut upstream).await, (json!("resp_1"), since.clone()));
    since.extend(["assistant: calling", "user: fourth"].map(str::to_owned));
    assert_eq!(asked(&mut upstream).await, (json!("resp_1"), since));
}

#[tokio::test]
async fn another_provider_is_told_everything_and_what_it_said_is_not_in_the_thread() {
    let down = vec![Act::Write(head("500 Oh", ""))];
    let mut upstream = Upstream::start(vec![answer("resp_1", "one"), down, answer("resp_3", "three")]).await;
    let mut next =
        Upstream::start(vec![streaming([common::delta("two"), common::finish(), common::done()])]).await;
    let mut settings = settings(&upstream);
    settings.remotes.push(next.remote("next", Wire::Chat));
    settings.fallbacks = vec!["next".into()];
    let relay = Relay::start(settings).await;
    let ([mut client], room) = relay.tabs().await;
    for content in ["first", "second", "third"] {
        say(&mut client, &room, content).await;
    }
    let request = next.requests.recv().await.expect("a request");
    for said in ["first", "one", "second"] {
        assert!(request.contains(&format!("\"content\":\"{said}\"")), "{said}: {request}");
    }
    assert!(!request.contains("previous_response_id"), "{request}");
    asked(&mut upstream).await;
    asked(&mut upstream).await;
    let since = ["user: second", "assistant: two", "user: third"].map(str::to_owned).to_vec();
    assert_eq!(asked(&mut upstream).await, (json!("resp_1"), since));
}

#[tokio::test]
async fn without_the_setting_nothing_is_kept_and_nothing_is_named() {
    let mut upstream = Upstream::start(vec![answer("resp_1", "one"), answer("resp_2", "two")]).await;
    let mut settings = settings(&upstream);
    settings.remotes[0].thread = false;
    let relay = Relay::start(settings).await;
    let ([mut client], room) = relay.tabs().await;
    say(&mut client, &room, "first").await;
    say(&mut client, &room, "second").await;
    for _ in 0..2 {
        let request = upstream.requests.recv().await.expect("a request");
        assert!(
            request.contains("\"store\":false") && !request.contains("previous_response_id"),
            "{request}"
        );
    }
}
