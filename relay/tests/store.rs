//! What outlives the process: restarts, kills, and what is shown of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::PathBuf;
use std::time::Duration;

use common::{Act, Process, Relay, Upstream, delta, done, finish, id, sse_head, until_text};
use riacho_relay::{Place, Settings};
use serde_json::{Value, json};

/// A store in a folder of its own, which goes with it.
struct Store(PathBuf);

impl Store {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("riacho-{}", id())))
    }

    fn file(&self) -> PathBuf {
        self.0.join("deep/relay.db")
    }

    fn settings(&self, upstream: &Upstream) -> Settings {
        Settings { store: Place::File(self.file()), ..upstream.settings() }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn answer(text: &str) -> Vec<Act> {
    [sse_head(), delta(text), finish(), done()].into_iter().map(Act::Write).collect()
}

/// Says "one ", and nothing more.
fn stuck() -> Vec<Act> {
    vec![Act::Write(sse_head()), Act::Write(delta("one ")), Act::Gate]
}

#[tokio::test]
async fn what_was_said_is_there_after_a_restart() {
    let store = Store::new();
    let parts = vec![
        Act::Write(sse_head()),
        Act::Write(b"data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n".to_vec()),
        Act::Write(delta("an answer 🌊")),
        Act::Write(b"data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"f\"}}]}}]}\n\n".to_vec()),
        Act::Write(finish()),
        Act::Write(b"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n".to_vec()),
    ];
    let mut upstream = Upstream::start(vec![parts, answer("second")]).await;
    let relay = Relay::start(store.settings(&upstream)).await;
    let ([mut client], room) = relay.tabs().await;
    let (said, reply) = client.say(&room, "a question").await;
    client.until_end(&reply).await;
    client.send(json!({"type": "update_conversation", "conversation_id": room, "title": "Rio"})).await;
    client.settle().await;
    relay.stop().await;

    let relay = Relay::start(store.settings(&upstream)).await;
    let mut fresh = relay.connect().await;
    fresh.send(json!({"type": "list_conversations"})).await;
    assert_eq!(fresh.next().await["conversations"][0]["title"], "Rio");
    let joined = fresh.join(&room).await;
    let info = &joined["messages"][1];
    assert_eq!((&info["status"], &info["provider"]), (&json!("completed"), &json!("openai")));
    assert_eq!(
        (&info["usage"]["output_tokens"], &info["metrics"]["finish_reason"]),
        (&json!(4), &json!("stop"))
    );
    assert_eq!(
        info["parts"],
        json!([{"kind": "reasoning"}, {"kind": "text"}, {"kind": "tool_call", "id": "c", "name": "f"}])
    );
    fresh.until_whole(&reply).await;
    fresh.settle().await;
    assert_eq!((fresh.text(&said), fresh.held(&reply).parts), ("a question", client.held(&reply).parts));
    // Who holds it all is sent nothing.
    let log = fresh.log.clone();
    let mut again = relay.connect().await;
    again.log = log;
    again.join(&room).await;
    assert_eq!(again.settle().await.len(), 1);
    // And the next question carries what was said before.
    let (_, reply) = fresh.say(&room, "and?").await;
    fresh.until_end(&reply).await;
    upstream.requests.recv().await.expect("the first");
    let request = upstream.requests.recv().await.expect("the second");
    let body: Value = serde_json::from_str(request.split_once("\r\n\r\n").expect("a body").1).expect("JSON");
    assert_eq!(body["messages"][1], json!({"role": "assistant", "content": "an answer 🌊"}));
}

#[tokio::test]
async fn a_run_that_a_restart_ends_is_interrupted_and_can_be_tried_again() {
    let store = Store::new();
    let upstream = Upstream::start(vec![stuck(), answer("whole")]).await;
    let relay = Relay::start(store.settings(&upstream)).await;
    let ([mut client], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    until_text(&mut client, &reply, "one ").await;
    relay.stop().await;

    let relay = Relay::start(store.settings(&upstream)).await;
    let log = std::mem::take(&mut client.log);
    client = relay.connect().await;
    client.log = log;
    let joined = client.join(&room).await;
    let info = &joined["messages"][1];
    assert_eq!(
        (&info["status"], &info["reason"], &info["length"]),
        (&json!("interrupted"), &json!("restart"), &json!(4))
    );
    client.settle().await;
    client.send(json!({"type": "retry", "message_id": reply, "epoch": 0})).await;
    assert_eq!(client.until_end(&reply).await["epoch"], 1);
    assert_eq!(client.text(&reply), "whole");
}

#[tokio::test]
async fn one_store_belongs_to_one_relay() {
    let store = Store::new();
    let upstream = Upstream::start(vec![stuck()]).await;
    let relay = Relay::start(store.settings(&upstream)).await;
    relay.connect().await;
    let Err(error) = riacho_relay::Relay::open(store.settings(&upstream)) else { panic!("it opened") };
    assert!(error.to_string().contains("in use by another relay"), "{error}");
    relay.stop().await;
    assert!(riacho_relay::Relay::open(store.settings(&upstream)).is_ok());
}

#[tokio::test]
async fn a_killed_relay_loses_nothing_that_anyone_has_seen() {
    let store = Store::new();
    let slow: Vec<Act> = std::iter::once(Act::Write(sse_head()))
        .chain(
            (0..2000)
                .flat_map(|n| [Act::Write(delta(&format!("{n} 🌊 "))), Act::Wait(Duration::from_millis(1))]),
        )
        .chain([Act::Write(finish())])
        .collect();
    let upstream = Upstream::start(vec![slow]).await;
    let room = id();
    let mut replies: Vec<String> = Vec::new();
    let mut seen = std::collections::HashMap::new();
    for round in 0..4 {
        let relay = Process::asking(&store.file(), &upstream);
        let mut client = relay.connect().await;
        client.log = seen;
        let joined = client.join(&room).await;
        for info in joined["messages"].as_array().expect("messages") {
            let held =
                client.log.get(info["message_id"].as_str().expect("an id")).cloned().unwrap_or_default();
            assert!(
                held.text.len() as u64 <= info["length"].as_u64().expect("a length"),
                "round {round}: {info}"
            );
            let status = info["status"].as_str().expect("a status");
            assert!(["completed", "interrupted"].contains(&status), "nothing hangs: {info}");
            assert!(status == "completed" || info["reason"] == "restart", "{info}");
        }
        for reply in &replies {
            client.until_whole(reply).await;
        }
        let (_, reply) = client.say(&room, &format!("question {round}")).await;
        while client.text(&reply).len() < 300 {
            client.next().await;
        }
        replies.push(reply);
        seen = std::mem::take(&mut client.log);
    }
    // What was there at the last kill is a prefix of what the provider sent.
    let relay = Process::asking(&store.file(), &upstream);
    let mut client = relay.connect().await;
    client.join(&room).await;
    let all: String = (0..2000).map(|n| format!("{n} 🌊 ")).collect();
    for reply in &replies {
        client.until_whole(reply).await;
        let text = client.text(reply);
        assert!(text.len() >= 300 && all.starts_with(text));
        assert!(text.starts_with(&seen.get(reply).expect("it was seen").text));
    }
}

fn event(value: &Value) -> Act {
    Act::Write(format!("event: {}\ndata: {value}\n\n", value["type"].as_str().expect("a type")).into_bytes())
}

/// A response in the background: its start, and what comes behind an event of it.
fn background() -> [Vec<Act>; 2] {
    let start = vec![
        Act::Write(sse_head()),
        event(
            &json!({"type": "response.created", "sequence_number": 0, "response": {"id": "resp_1", "status": "queued"}}),
        ),
        event(
            &json!({"type": "response.output_item.added", "sequence_number": 1, "output_index": 0, "item": {"type": "message"}}),
        ),
        event(
            &json!({"type": "response.output_text.delta", "sequence_number": 2, "output_index": 0, "delta": "one "}),
        ),
        Act::Gate,
    ];
    let rest = vec![
        Act::Write(sse_head()),
        // A provider that says the last one again does no harm.
        event(
            &json!({"type": "response.output_text.delta", "sequence_number": 2, "output_index": 0, "delta": "one "}),
        ),
        event(
            &json!({"type": "response.output_text.delta", "sequence_number": 3, "output_index": 0, "delta": "two"}),
        ),
        event(&json!({"type": "response.completed", "sequence_number": 4,
            "response": {"id": "resp_1", "status": "completed", "usage": {"input_tokens": 1, "output_tokens": 2}}})),
    ];
    [start, rest]
}

fn in_background(store: &Store, upstream: &Upstream) -> Settings {
    let mut settings = store.settings(upstream);
    settings.remotes[0].wire = riacho_relay::Wire::Responses;
    settings.remotes[0].background = true;
    settings
}

#[tokio::test]
async fn a_run_in_the_background_is_taken_up_again() {
    let store = Store::new();
    let mut upstream = Upstream::start(background().to_vec()).await;
    let relay = Relay::start(in_background(&store, &upstream)).await;
    let ([mut client], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    until_text(&mut client, &reply, "one ").await;
    relay.stop().await;
    let request = upstream.requests.recv().await.expect("the first");
    assert!(request.contains("\"background\":true") && request.contains("\"store\":true"), "{request}");

    let relay = Relay::start(in_background(&store, &upstream)).await;
    let log = std::mem::take(&mut client.log);
    client = relay.connect().await;
    client.log = log;
    client.join(&room).await;
    client.until_whole(&reply).await;
    let held = client.held(&reply);
    assert_eq!((held.epoch, held.status.as_str(), held.text.as_str()), (0, "completed", "one two"));
    let request = upstream.requests.recv().await.expect("the second");
    assert!(request.starts_with("GET /v1/responses/resp_1?stream=true&starting_after=2 "), "{request}");
    assert!(request.contains("authorization: Bearer sk-secret-of-the-test"), "{request}");
}

#[tokio::test]
async fn a_run_in_the_background_that_is_stopped_is_cancelled_there() {
    let store = Store::new();
    let mut upstream = Upstream::start(background().to_vec()).await;
    let relay = Relay::start(in_background(&store, &upstream)).await;
    let ([mut client], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    until_text(&mut client, &reply, "one ").await;
    client.send(json!({"type": "stop", "message_id": reply, "epoch": 0})).await;
    assert_eq!(client.until_end(&reply).await["reason"], "stopped");
    upstream.requests.recv().await.expect("the first");
    let request = tokio::time::timeout(common::HANG, upstream.requests.recv())
        .await
        .expect("in time")
        .expect("a request");
    assert!(request.starts_with("POST /v1/responses/resp_1/cancel "), "{request}");
}

#[tokio::test]
async fn a_run_in_the_background_that_had_not_begun_is_asked_for_again() {
    let store = Store::new();
    let [mut start, rest] = background();
    start.pop();
    start.extend(rest.into_iter().skip(2));
    let mut upstream = Upstream::start(vec![vec![Act::Gate], start]).await;
    let relay = Relay::start(in_background(&store, &upstream)).await;
    let ([mut client], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    upstream.requests.recv().await.expect("a request");
    relay.stop().await;
    let relay = Relay::start(in_background(&store, &upstream)).await;
    client = relay.connect().await;
    client.join(&room).await;
    client.until_whole(&reply).await;
    assert_eq!((client.held(&reply).status.as_str(), client.text(&reply)), ("completed", "one two"));
    assert!(upstream.requests.recv().await.expect("another").starts_with("POST /v1/responses "));
}

#[tokio::test]
async fn a_run_whose_provider_is_gone_is_interrupted() {
    let store = Store::new();
    let upstream = Upstream::start(background().to_vec()).await;
    let relay = Relay::start(in_background(&store, &upstream)).await;
    let ([mut client], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    until_text(&mut client, &reply, "one ").await;
    relay.stop().await;
    // The same name speaks something else now.
    let relay = Relay::start(store.settings(&upstream)).await;
    client = relay.connect().await;
    let mut joined = client.join(&room).await;
    while joined["messages"][1]["status"] == "streaming" {
        joined = client.join(&room).await;
    }
    assert_eq!(joined["messages"][1]["reason"], "restart");
    client.until_whole(&reply).await;
    assert_eq!(client.text(&reply), "one ");
}

async fn http(
    relay: &Relay,
    method: reqwest::Method,
    room: &str,
    header: Option<(&str, &str)>,
) -> (u16, Value) {
    let mut request =
        reqwest::Client::new().request(method, format!("http://{}/conversations/{room}", relay.address));
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    let response = request.send().await.expect("an answer");
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

#[tokio::test]
async fn a_conversation_is_exported_and_deleted() {
    use reqwest::Method;
    let store = Store::new();
    let upstream = Upstream::start(vec![answer("first"), answer("second"), stuck()]).await;
    let relay = Relay::start(store.settings(&upstream)).await;
    let mut client = relay.connect().await;
    let (room, other) = (id(), id());
    client.join(&other).await;
    client.join(&room).await;
    let (said, reply) = client.say(&room, "a question").await;
    client.until_end(&reply).await;
    client.send(json!({"type": "retry", "message_id": reply, "epoch": 0})).await;
    client.until_end(&reply).await;
    let (status, export) = http(&relay, Method::GET, &room, None).await;
    assert_eq!((status, &export["title"]), (200, &json!("a question")));
    assert_eq!(
        (&export["messages"][0]["message_id"], &export["messages"][0]["content"]),
        (&json!(said), &json!("a question"))
    );
    assert_eq!(
        (&export["messages"][1]["content"], &export["messages"][1]["epoch"]),
        (&json!("second"), &json!(1))
    );
    assert_eq!(export["messages"][1]["past_epochs"][0]["content"], "first");

    for (method, header) in [
        (Method::GET, ("origin", "https://evil.example")),
        (Method::GET, ("sec-fetch-site", "cross-site")),
        (Method::DELETE, ("origin", "https://evil.example")),
        (Method::DELETE, ("host", "evil.example")),
    ] {
        assert_eq!(http(&relay, method, &room, Some(header)).await.0, 403, "{header:?}");
    }
    assert_eq!(http(&relay, Method::GET, &id(), None).await.0, 404);

    let (_, live) = client.say(&room, "more").await;
    until_text(&mut client, &live, "one ").await;
    assert_eq!(http(&relay, Method::DELETE, &room, None).await.0, 409);
    client.send(json!({"type": "stop", "message_id": live, "epoch": 0})).await;
    client.until_end(&live).await;
    client.settle().await;
    assert_eq!(http(&relay, Method::DELETE, &room, None).await.0, 204);
    let gone = client.until("leave_conversation").await.pop().expect("it");
    assert_eq!(gone["conversation_id"], room.as_str());
    assert_eq!(http(&relay, Method::GET, &room, None).await.0, 404);
    client.log.clear();
    assert_eq!(client.join(&room).await["messages"], json!([]), "it is a new one");
}
