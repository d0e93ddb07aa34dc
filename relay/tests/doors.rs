//! The HTTP doors, asked by the real curl.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Act, Relay, Upstream, delta, done, fast, finish, gated, id, sse_head};
use riacho_relay::QuotaSettings;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

/// What curl got: the head in lower case, and the body.
struct Got {
    status: u16,
    head: String,
    body: String,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

async fn curl(relay: &Relay, path: &str, args: &[&str]) -> Got {
    let url = format!("http://{}{path}", relay.address);
    let mut command = Command::new("curl");
    command
        .args(["--silent", "--show-error", "--no-buffer", "--include", "--max-time", "60"])
        .args(args)
        .arg(url);
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("it runs").expect("curl");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text:?}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Got { status, head: head.to_lowercase(), body: body.to_owned() }
}

#[derive(Debug, Clone, PartialEq)]
struct Event {
    kind: String,
    id: Option<String>,
    data: Value,
}

/// As the specification reads them: an event ends with an empty line, a comment is nothing.
fn events(body: &str) -> Vec<Event> {
    let field = |block: &str, name: &str| {
        block.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).map(str::to_owned)
    };
    let blocks = body.split("\n\n").filter(|block| block.contains("data: "));
    let event = |block: &str| Event {
        kind: field(block, "event").expect("an event"),
        id: field(block, "id"),
        data: serde_json::from_str(&field(block, "data").expect("data")).expect("JSON"),
    };
    blocks.map(event).collect()
}

fn text(events: &[Event]) -> String {
    events.iter().filter_map(|event| event.data["content"].as_str()).collect()
}

fn send(room: &str, content: &str) -> String {
    json!({"conversationId": room, "content": content}).to_string()
}

#[tokio::test]
async fn an_answer_comes_as_events_and_goes_on_from_every_one_of_them() {
    // Characters of one to four bytes, and more than one part.
    let pieces = ["Olá, ", "一つ", "🌊 and ", "**bold**\n", "e\u{301}nd"];
    let mut acts = vec![Act::Write(sse_head())];
    for piece in pieces {
        acts.extend([Act::Write(delta(piece)), Act::Wait(Duration::from_millis(20))]);
    }
    acts.extend([Act::Write(finish()), Act::Write(done())]);
    let upstream = Upstream::start(vec![acts]).await;
    let relay = Relay::asking(&upstream).await;
    let got = curl(&relay, "/api/chat/send", &["--data", &send(&id(), "hi")]).await;
    assert_eq!(got.status, 200);
    for header in
        ["content-type: text/event-stream", "cache-control: no-cache, no-transform", "x-accel-buffering: no"]
    {
        assert!(got.head.contains(header), "{header}: {}", got.head);
    }
    let all = events(&got.body);
    assert_eq!(all.first().map(|event| event.kind.as_str()), Some("message_started"));
    let last = all.last().expect("an end");
    assert_eq!((last.kind.as_str(), &last.data["status"]), ("response_complete", &json!("completed")));
    let whole = text(&all);
    assert_eq!(whole, pieces.concat());
    assert!(all.iter().all(|event| event.data["type"] == event.kind.as_str()));
    let reply = all[0].data["message_id"].as_str().expect("an id");

    for (seen, event) in all.iter().enumerate() {
        let header = format!("Last-Event-ID: {}", event.id.as_ref().expect("each of these has an id"));
        let path = format!("/api/messages/{reply}/stream");
        let rest = curl(&relay, &path, &["--header", &header]).await;
        if seen + 1 == all.len() {
            assert_eq!((rest.status, rest.body.as_str()), (204, ""));
            continue;
        }
        let rest = events(&rest.body);
        assert_eq!(text(&all[..=seen]) + &text(&rest), whole, "from {header}");
        assert_eq!(rest.iter().filter(|event| event.kind == "response_complete").count(), 1);
        assert_eq!(rest.last().map(|event| &event.data), Some(&last.data));
    }
    // Nothing that makes sense is from the start.
    let nonsense =
        curl(&relay, &format!("/api/messages/{reply}/stream"), &["--header", "Last-Event-ID: x"]).await;
    assert_eq!(text(&events(&nonsense.body)), whole);
}

#[tokio::test]
async fn text_is_there_as_it_is_written_and_who_leaves_stops_nothing() {
    let upstream = gated(1).await;
    let relay = Relay::asking(&upstream).await;
    let room = id();
    let mut child = tokio::process::Command::new("curl")
        .args(["--silent", "--no-buffer", "--data", &send(&room, "hi")])
        .arg(format!("http://{}/api/chat/send", relay.address))
        .stdout(Stdio::piped())
        .spawn()
        .expect("curl");
    let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    let (reply, first) = loop {
        let line = lines.next_line().await.expect("a line").expect("no end");
        let Some(data) = line.strip_prefix("data: ") else { continue };
        let frame: Value = serde_json::from_str(data).expect("JSON");
        if frame["type"] == "message_chunk" {
            break (frame["message_id"].as_str().expect("an id").to_owned(), frame);
        }
    };
    assert_eq!(first["content"], "one ", "before the provider said more");
    child.kill().await.expect("it ends");

    let message = format!("/api/messages/{reply}");
    assert_eq!(curl(&relay, &message, &[]).await.json()["status"], "streaming");
    upstream.gate.add_permits(1);
    let rest = curl(&relay, &format!("{message}/stream"), &["--header", "Last-Event-ID: 0:4"]).await;
    assert_eq!(text(&events(&rest.body)), "two");
    let stored = curl(&relay, &message, &[]).await.json();
    assert_eq!((&stored["status"], &stored["content"]), (&json!("completed"), &json!("one two")));

    let list = curl(&relay, "/api/conversations", &[]).await.json();
    assert_eq!(list["conversations"][0]["conversation_id"], room.as_str());
    let conversation = curl(&relay, &format!("/api/conversations/{room}"), &[]).await.json();
    assert_eq!(conversation["messages"].as_array().map(Vec::len), Some(2));
    let deleted = curl(&relay, &format!("/api/conversations/{room}"), &["--request", "DELETE"]).await;
    assert_eq!(deleted.status, 204);
    assert_eq!(curl(&relay, &message, &[]).await.json()["code"], "unknown_message");
}

#[tokio::test]
async fn one_json_and_a_stop() {
    let upstream = gated(2).await;
    let relay = Relay::asking(&upstream).await;
    upstream.gate.add_permits(1);
    let (room, message, reply) = (id(), id(), id());
    let body = json!({"conversationId": room, "content": "hi", "stream": false, "messageId": message, "replyId": reply});
    let got = curl(&relay, "/api/chat/send", &["--data", &body.to_string()]).await;
    let answer = got.json();
    assert_eq!(got.status, 200);
    for (name, value) in [
        ("success", json!(true)),
        ("conversationId", json!(room)),
        ("messageId", json!(message)),
        ("replyId", json!(reply)),
        ("content", json!("one two")),
        ("status", json!("completed")),
    ] {
        assert_eq!(answer[name], value, "{answer}");
    }
    // Sent again it is the same message.
    let again = curl(&relay, "/api/chat/send", &["--data", &body.to_string()]).await.json();
    assert_eq!((&again["replyId"], &again["content"]), (&json!(reply), &json!("one two")));

    let live = id();
    let body =
        json!({"conversationId": room, "content": "more", "stream": false, "replyId": live}).to_string();
    let arguments = ["--data", body.as_str()];
    let stopping = async {
        let path = format!("/api/messages/{live}");
        while curl(&relay, &path, &[]).await.json()["status"] != "streaming" {}
        assert_eq!(curl(&relay, &format!("{path}/stop"), &["--request", "POST"]).await.status, 204);
    };
    let (stopped, ()) = tokio::join!(curl(&relay, "/api/chat/send", &arguments), stopping);
    let stopped = stopped.json();
    assert_eq!((&stopped["status"], &stopped["reason"]), (&json!("interrupted"), &json!("stopped")));
}

#[tokio::test]
async fn a_provider_that_fails_is_502_with_what_came() {
    let upstream =
        Upstream::start(vec![vec![Act::Write(sse_head()), Act::Write(delta("half")), Act::Reset]]).await;
    let relay = Relay::asking(&upstream).await;
    let body = json!({"conversationId": id(), "content": "hi", "stream": false}).to_string();
    let got = curl(&relay, "/api/chat/send", &["--data", &body]).await;
    let answer = got.json();
    assert_eq!((got.status, &answer["success"], &answer["content"]), (502, &json!(false), &json!("half")));
    assert!(answer["code"].as_str().is_some_and(|code| code.starts_with("provider_")), "{answer}");
}

#[tokio::test]
async fn bad_input_is_400_and_says_what_is_wrong() {
    let relay = Relay::fast().await;
    let room = id();
    let long = "x".repeat(200_000);
    for (body, status, code) in [
        (String::new(), 400, "bad_json"),
        ("{".into(), 400, "bad_json"),
        ("[]".into(), 400, "bad_json"),
        (json!({"conversationId": room}).to_string(), 400, "bad_json"),
        (json!({"conversationId": room, "content": 7}).to_string(), 400, "bad_json"),
        (send(&room, ""), 400, "content_empty"),
        (send(&room, " \n"), 400, "content_empty"),
        (send(&room, &long), 400, "content_too_long"),
        (send(&room, &long.repeat(2)), 413, "frame_too_large"),
        (send("not a UUID", "hi"), 400, "bad_id"),
        (send(&room.to_uppercase(), "hi"), 400, "bad_id"),
        (
            json!({"conversationId": room, "content": "hi", "provider": "nobody"}).to_string(),
            400,
            "unknown_provider",
        ),
        (
            json!({"conversationId": room, "content": "hi", "parentId": id()}).to_string(),
            404,
            "unknown_message",
        ),
    ] {
        let file = std::env::temp_dir().join(format!("riacho-body-{}", id()));
        std::fs::write(&file, &body).expect("written");
        let data = format!("@{}", file.display());
        let got = curl(&relay, "/api/chat/send", &["--data-binary", &data]).await;
        std::fs::remove_file(file).expect("removed");
        let answer = got.json();
        let start: String = body.chars().take(60).collect();
        assert_eq!(
            (got.status, &answer["success"], &answer["code"]),
            (status, &json!(false), &json!(code)),
            "{start}"
        );
        assert!(answer["message"].as_str().is_some_and(|message| message.len() > 10), "{answer}");
    }
    assert_eq!(curl(&relay, "/api/chat/send", &[]).await.status, 405);
}

#[tokio::test]
async fn too_many_and_too_fast_are_429_with_a_time() {
    let upstream = gated(4).await;
    let mut settings = upstream.settings();
    settings.quota = QuotaSettings { runs_per_user: Some(1), ..QuotaSettings::ANONYMOUS };
    settings.grace = Duration::ZERO;
    let relay = Relay::start(settings).await;
    let mut client = relay.connect().await;
    let room = id();
    client.join(&room).await;
    let (_, live) = client.say(&room, "hi").await;
    common::until_text(&mut client, &live, "one ").await;
    let got = curl(&relay, "/api/chat/send", &["--data", &send(&id(), "hi")]).await;
    assert_eq!((got.status, &got.json()["code"]), (429, &json!("rate_limited")));
    assert!(got.head.contains("\r\nretry-after: "), "{}", got.head);
    let (second, _) = client.say(&room, "more").await;
    let error = client.until("error").await.pop().expect("an error");
    assert_eq!((&error["code"], &error["in_reply_to"]), (&json!("rate_limited"), &json!(second)));
    assert!(error["retry_after"].as_u64() > Some(0), "{error}");
    // When the first has ended there is room again.
    upstream.gate.add_permits(1);
    client.until_end(&live).await;
    upstream.gate.add_permits(1);
    let third = loop {
        let got = curl(&relay, "/api/chat/send", &["--data", &send(&id(), "hi")]).await;
        // The slot is free a moment after the last frame.
        if got.status != 429 {
            break got;
        }
    };
    assert_eq!(text(&events(&third.body)), "one two");
}

#[tokio::test]
async fn messages_a_minute_and_sockets_have_their_limits_and_a_repeat_is_free() {
    let mut settings = fast();
    settings.quota =
        QuotaSettings { messages_per_minute: Some(2), sockets_per_user: Some(2), ..QuotaSettings::ANONYMOUS };
    let relay = Relay::start(settings).await;
    let (mut client, other) = (relay.connect().await, relay.connect().await);
    let mut third = relay.connect_raw().await;
    third.send(json!({"type": "hello", "protocol": 1})).await;
    let refused = third.next().await;
    assert_eq!((&refused["code"], refused["retry_after"].as_u64() > Some(0)), (&json!("rate_limited"), true));
    assert_eq!(third.next_or_close().await, Err(Some(1013)));
    drop(other);

    let room = id();
    client.join(&room).await;
    let frame = |content: &str| json!({"type": "send_message", "conversation_id": room, "message_id": id(), "reply_id": id(), "content": content});
    let first = frame("one");
    for frame in [first.clone(), frame("two")] {
        client.send(frame.clone()).await;
        client.until_end(frame["reply_id"].as_str().expect("an id")).await;
    }
    client.send(frame("three")).await;
    let error = client.until("error").await.pop().expect("an error");
    assert_eq!((&error["code"], error["retry_after"].as_u64() > Some(0)), (&json!("rate_limited"), true));
    client.send(first).await;
    let again = client.settle().await;
    assert!(again.iter().all(|frame| frame["type"] != "error"), "{again:?}");
}

#[tokio::test]
async fn the_doors_for_probes_are_open_to_everyone() {
    let relay = Relay::fast().await;
    for path in ["/healthz", "/readyz"] {
        let got = curl(&relay, path, &["--header", "Host: 10.1.2.3"]).await;
        assert_eq!(got.status, 200, "{path}");
    }
}

/// A body or a head that does not come is given up; what is open meanwhile costs others nothing.
#[tokio::test]
async fn heads_and_bodies_that_do_not_come_are_given_up() {
    let relay = Relay::fast().await;
    let slow = async |bytes: &str| {
        let mut socket = tokio::net::TcpStream::connect(relay.address).await.expect("a connection");
        tokio::io::AsyncWriteExt::write_all(&mut socket, bytes.as_bytes()).await.expect("written");
        let mut answer = String::new();
        let read = tokio::time::timeout(Duration::from_secs(30), socket.read_to_string(&mut answer)).await;
        read.expect("it is closed").expect("text");
        answer
    };
    let unfinished = "POST /api/chat/send HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{";
    let huge = format!("GET / HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "x".repeat(64 * 1024));
    let many = format!("GET / HTTP/1.1\r\nhost: localhost\r\n{}\r\n", "x: y\r\n".repeat(200));
    let (nothing, head, body, huge, many) = tokio::join!(
        slow(""),
        slow("GET / HTTP/1.1\r\nhost: lo"),
        slow(unfinished),
        slow(&huge),
        slow(&many)
    );
    assert_eq!((nothing.as_str(), head.as_str()), ("", ""));
    assert!(body.starts_with("HTTP/1.1 408"), "{body}");
    assert!(huge.starts_with("HTTP/1.1 431"), "{huge}");
    assert!(many.starts_with("HTTP/1.1 431"), "{many}");
}
