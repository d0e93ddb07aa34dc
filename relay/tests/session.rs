//! Sessions on real sockets: what PROTOCOL.md says, frame by frame.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::Duration;

use common::{Act, Relay, Upstream, delta, done, fast, finish, gated, id, sse_head, until_text};
use futures_util::SinkExt;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};

fn types(frames: &[Value]) -> Vec<&str> {
    frames.iter().map(|frame| frame["type"].as_str().expect("a type")).collect()
}

#[tokio::test]
async fn a_message_and_its_answer() {
    let relay = Relay::fast().await;
    let mut client = relay.connect().await;
    let room = id();
    let joined = client.join(&room).await;
    assert_eq!((&joined["messages"], &joined["more"]), (&json!([]), &json!(false)));
    let (said, reply) = client.say(&room, "Olá 🌊").await;

    let start = client.until_frame(|frame| frame["message_id"] == reply.as_str()).await;
    assert_eq!(types(&start), ["message_started", "message_chunk", "response_complete", "message_started"]);
    assert_eq!(start[0]["role"], "user");
    assert_eq!(start[1]["content"], "Olá 🌊");
    assert_eq!(start[2]["length"], 9);
    assert_eq!((&start[3]["role"], &start[3]["parent_id"]), (&json!("assistant"), &json!(said)));
    assert_eq!(start[3]["provider"], "demo");

    let end = client.until_end(&reply).await;
    assert_eq!(end["status"], "completed");
    assert_eq!(end["usage"]["estimated"], true);
    assert!(end["usage"]["output_tokens"].as_u64() > Some(100));
    assert_eq!(end["metrics"]["finish_reason"], "stop");
    assert!(client.text(&reply).contains("You said `Olá 🌊`"));
    assert!(client.text(&reply).ends_with("and *more*.\n"));
    let held = client.held(&reply);
    assert_eq!(held.terminal_frames, 1);
    relay.stop().await;
}

#[tokio::test]
async fn the_second_question_carries_the_first() {
    let answer = |text: &str| {
        vec![Act::Write(sse_head()), Act::Write(delta(text)), Act::Write(finish()), Act::Write(done())]
    };
    let mut upstream = Upstream::start(vec![answer("first"), answer("second")]).await;
    let mut settings = upstream.settings();
    settings.system_prompt = Some("be brief".into());
    let relay = Relay::start(settings).await;
    let ([mut client], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "one").await;
    client.until_end(&reply).await;
    let (_, reply) = client.say(&room, "two").await;
    client.until_end(&reply).await;
    assert_eq!(client.text(&reply), "second");
    upstream.requests.recv().await.expect("the first request");
    let request = upstream.requests.recv().await.expect("the second request");
    assert!(request.contains("authorization: Bearer sk-secret-of-the-test"));
    let body: Value = serde_json::from_str(request.split_once("\r\n\r\n").expect("a body").1).expect("JSON");
    assert_eq!(
        body["messages"],
        json!([
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "first"},
            {"role": "user", "content": "two"},
        ])
    );
}

#[tokio::test]
async fn sent_twice_it_is_one_message() {
    let mut upstream = gated(1).await;
    let relay = Relay::asking(&upstream).await;
    let ([mut client, mut other], room) = relay.tabs().await;
    let frame = json!({"type": "send_message", "conversation_id": room, "message_id": id(), "reply_id": id(), "content": "hi"});
    let reply = frame["reply_id"].as_str().expect("an id").to_owned();
    client.send(frame.clone()).await;
    until_text(&mut client, &reply, "one ").await;
    client.send(frame.clone()).await;
    let again = client.settle().await;
    assert_eq!(types(&again), ["message_started", "message_started", "pong"]);
    assert_eq!((&again[0]["role"], &again[1]["role"]), (&json!("user"), &json!("assistant")));
    other.send(frame).await;
    upstream.gate.add_permits(1);
    assert_eq!(client.until_end(&reply).await["status"], "completed");
    assert_eq!(other.until_end(&reply).await["length"], 7);
    assert_eq!(client.text(&reply), "one two");
    upstream.requests.recv().await.expect("a request");
    assert!(upstream.requests.try_recv().is_err(), "the provider was asked twice");
    let joined = client.join(&room).await;
    assert_eq!(joined["messages"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn stop_ends_the_request_and_keeps_the_text() {
    let mut upstream = gated(2).await;
    let relay = Relay::asking(&upstream).await;
    let ([mut client], room) = relay.tabs().await;
    let (said, reply) = client.say(&room, "hi").await;
    until_text(&mut client, &reply, "one ").await;
    client.send(json!({"type": "stop", "message_id": reply, "epoch": 0})).await;
    let end = client.until_end(&reply).await;
    assert_eq!(
        (&end["status"], &end["reason"], &end["length"]),
        (&json!("interrupted"), &json!("stopped"), &json!(4))
    );
    timeout(Duration::from_secs(1), upstream.gone.recv())
        .await
        .expect("within a second")
        .expect("the upstream saw it");

    client.send(json!({"type": "stop", "message_id": reply, "epoch": 0})).await;
    assert_eq!(types(&client.settle().await), ["pong"], "stopping twice is no error");
    client.send(json!({"type": "stop", "message_id": reply, "epoch": 1})).await;
    let error = &client.settle().await[0];
    assert_eq!((&error["code"], &error["in_reply_to"]), (&json!("stale_epoch"), &json!(reply)));
    client.send(json!({"type": "stop", "message_id": id(), "epoch": 0})).await;
    assert_eq!(client.settle().await[0]["code"], "unknown_message");
    client.send(json!({"type": "stop", "message_id": said, "epoch": 0})).await;
    assert_eq!(types(&client.settle().await), ["pong"], "a user's message has ended");
    assert_eq!(client.text(&reply), "one ");
    let joined = client.join(&room).await;
    assert_eq!(joined["messages"][1]["reason"], "stopped");
    assert_eq!(types(&client.settle().await), ["pong"], "no terminal frame for what was told");
}

#[tokio::test]
async fn a_retry_is_the_next_epoch_for_every_tab() {
    let failing = vec![Act::Write(sse_head()), Act::Write(delta("half an ans"))];
    let whole = vec![Act::Write(sse_head()), Act::Write(delta("a whole answer")), Act::Write(finish())];
    let upstream = Upstream::start(vec![failing, whole]).await;
    let relay = Relay::asking(&upstream).await;
    let ([mut client, mut other], room) = relay.tabs().await;
    let (said, reply) = client.say(&room, "hi").await;
    let end = client.until_end(&reply).await;
    assert_eq!((&end["type"], &end["code"]), (&json!("stream_error"), &json!("provider_truncated")));
    assert_eq!(client.text(&reply), "half an ans");

    let retry = json!({"type": "retry", "message_id": reply, "epoch": 0});
    client.send(retry.clone()).await;
    other.send(retry).await;
    let end = client.until_end(&reply).await;
    assert_eq!((&end["status"], &end["epoch"]), (&json!("completed"), &json!(1)));
    other.until_frame(|frame| frame["type"] == "response_complete" && frame["epoch"] == 1).await;
    assert_eq!(client.text(&reply), "a whole answer");
    assert_eq!(client.held(&reply), other.held(&reply));
    client.send(json!({"type": "retry", "message_id": reply, "epoch": 0})).await;
    assert_eq!(client.settle().await[0]["code"], "stale_epoch");
    client.send(json!({"type": "retry", "message_id": said, "epoch": 0})).await;
    assert_eq!(client.settle().await[0]["code"], "bad_status");
}

#[tokio::test]
async fn what_runs_is_not_tried_again() {
    let upstream = gated(1).await;
    let relay = Relay::asking(&upstream).await;
    let ([mut client], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    until_text(&mut client, &reply, "one ").await;
    client.send(json!({"type": "retry", "message_id": reply, "epoch": 0})).await;
    assert_eq!(client.settle().await[0]["code"], "bad_status");
    upstream.gate.add_permits(1);
    client.until_end(&reply).await;
    assert_eq!(client.text(&reply), "one two");
}

#[tokio::test]
async fn a_pause_belongs_to_one_socket() {
    let upstream = gated(1).await;
    let relay = Relay::asking(&upstream).await;
    let ([mut client, mut other], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    until_text(&mut client, &reply, "one ").await;
    client.send(json!({"type": "pause", "message_id": reply, "epoch": 0})).await;
    client.send(json!({"type": "pause", "message_id": reply, "epoch": 0})).await;
    assert_eq!(types(&client.settle().await), ["pong"]);
    upstream.gate.add_permits(1);
    assert_eq!(other.until_end(&reply).await["length"], 7);
    assert_eq!(types(&client.settle().await), ["pong"], "nothing of it while it is paused");
    assert_eq!(client.text(&reply), "one ");
    client.send(json!({"type": "resume", "message_id": reply, "epoch": 0})).await;
    let end = client.until_end(&reply).await;
    assert_eq!((&end["status"], client.text(&reply)), (&json!("completed"), "one two"));
    assert_eq!(client.held(&reply), other.held(&reply));
}

#[tokio::test]
async fn a_new_socket_goes_on_from_where_the_old_one_was() {
    let mut settings = fast();
    settings.demo = riacho_relay::DemoSettings { pace: Duration::from_millis(2), chunk_chars: 4 };
    let relay = Relay::start(settings).await;
    let ([mut client], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "flow, please").await;
    for cut in 1..=20_usize {
        // Bytes that lie in the socket are lost; what was held counts.
        client.some(cut % 4).await;
        let before = client.held(&reply);
        let log = std::mem::take(&mut client.log);
        drop(client);
        client = relay.connect().await;
        client.log = log;
        client.join(&room).await;
        assert!(client.text(&reply).starts_with(&before.text));
    }
    client.until_whole(&reply).await;
    let mut fresh = relay.connect().await;
    let joined = fresh.join(&room).await;
    assert_eq!(joined["messages"][1]["status"], "completed");
    let frames = fresh.settle().await;
    assert!(frames.iter().all(|frame| frame["type"] != "response_complete"), "its status was told");
    assert_eq!(fresh.text(&reply), client.text(&reply));
    assert_eq!(fresh.held(&reply).chunks, 1, "a catch-up is one chunk, however it was written");
    assert!(client.held(&reply).terminal_frames <= 1);
}

#[tokio::test]
async fn a_room_is_let_go_after_its_last_terminal_frame() {
    let upstream = gated(2).await;
    let relay = Relay::asking(&upstream).await;
    let mut client = relay.connect().await;
    let (a, b, c) = (id(), id(), id());
    client.join(&a).await;
    let (_, reply) = client.say(&a, "hi").await;
    until_text(&mut client, &reply, "one ").await;
    client.join(&b).await;
    assert_eq!(types(&client.settle().await), ["pong"], "it streams: it is kept");
    upstream.gate.add_permits(1);
    let frames = client.until("leave_conversation").await;
    let types = types(&frames);
    assert_eq!(types[types.len() - 2..], ["response_complete", "leave_conversation"]);
    assert_eq!(frames.last().map(|frame| &frame["conversation_id"]), Some(&json!(a)));
    client.send(json!({"type": "leave_conversation", "conversation_id": a})).await;

    // b is idle: it goes at once when c is looked at.
    client.join(&c).await;
    let frames = client.settle().await;
    assert_eq!(
        (&frames[0]["type"], &frames[0]["conversation_id"]),
        (&json!("leave_conversation"), &json!(b))
    );
    // What happens there is still told, until the client leaves.
    let mut other = relay.connect().await;
    other.join(&b).await;
    let (_, reply) = other.say(&b, "hi").await;
    upstream.gate.add_permits(1);
    client.until_end(&reply).await;
    assert_eq!(client.until("leave_conversation").await.len(), 1, "and then it is let go again");
    // The one that is looked at is never let go.
    client.join(&b).await;
    client.until_frame(|frame| frame["conversation_id"] == c.as_str()).await;
    assert_eq!(client.settle().await.iter().filter(|frame| frame["type"] == "leave_conversation").count(), 0);
}

#[tokio::test]
async fn eight_rooms_at_once_under_switching() {
    let mut settings = fast();
    settings.demo = riacho_relay::DemoSettings { pace: Duration::from_millis(2), chunk_chars: 4 };
    let relay = Relay::start(settings).await;
    let mut client = relay.connect().await;
    let rooms: Vec<String> = (0..8).map(|_| id()).collect();
    let mut replies = Vec::new();
    for room in &rooms {
        client.join(room).await;
        replies.push(client.say(room, &format!("question about {room}")).await.1);
    }
    for at in [3_usize, 7, 1, 4, 0, 6, 2, 5, 3, 3, 0, 7] {
        client.join(&rooms[at]).await;
        client.some(3).await;
    }
    while replies.iter().any(|reply| !client.held(reply).is_whole()) {
        let frame = client.next().await;
        if frame["type"] == "message_chunk" {
            let reply = replies.iter().position(|reply| frame["message_id"] == reply.as_str());
            assert!(
                reply.is_none_or(|at| frame["conversation_id"] == rooms[at].as_str()),
                "a stray chunk: {frame}"
            );
        }
    }
    for (room, reply) in rooms.iter().zip(&replies) {
        assert!(client.text(reply).contains(room.as_str()), "each has its own text");
        assert!(client.text(reply).ends_with("and *more*.\n"));
    }
}

#[tokio::test]
async fn a_run_goes_on_when_nobody_watches() {
    let upstream = gated(1).await;
    let relay = Relay::asking(&upstream).await;
    let ([mut client], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    until_text(&mut client, &reply, "one ").await;
    drop(client);
    upstream.gate.add_permits(1);
    let mut later = relay.connect().await;
    loop {
        let joined = later.join(&room).await;
        if joined["messages"][1]["status"] == "completed" {
            break;
        }
    }
    later.settle().await;
    assert_eq!(later.text(&reply), "one two");
}

#[tokio::test]
async fn the_list_follows_what_happens() {
    let relay = Relay::fast().await;
    let (mut client, mut other) = (relay.connect().await, relay.connect().await);
    let (a, b) = (id(), id());
    other.send(json!({"type": "list_conversations"})).await;
    assert_eq!(other.next().await["conversations"], json!([]));
    client.join(&a).await;
    assert_eq!(types(&other.settle().await), ["pong"], "where nothing was said is not listed");
    let long = format!("\n  {}\nsecond line", "título ".repeat(20));
    let (_, reply) = client.say(&a, &long).await;
    client.until_end(&reply).await;
    let named = other
        .until_frame(|frame| frame["conversations"][0]["streaming"] != true)
        .await
        .pop()
        .expect("a list");
    let title = named["conversations"][0]["title"].as_str().expect("a title");
    assert!(title.starts_with("título título") && title.chars().count() <= 60, "{title}");
    client.join(&b).await;
    let (_, reply) = client.say(&b, "second").await;
    client.until_end(&reply).await;
    let list = other
        .until_frame(|frame| frame["conversations"].as_array().is_some_and(|list| list.len() == 2))
        .await
        .pop()
        .expect("a list");
    assert_eq!(list["conversations"][0]["conversation_id"], b.as_str(), "the last used first");

    client
        .send(
            json!({"type": "update_conversation", "conversation_id": a, "title": "Rio", "status": "closed"}),
        )
        .await;
    let list =
        other.until_frame(|frame| frame["conversations"][1]["title"] == "Rio").await.pop().expect("a list");
    assert_eq!(list["conversations"][1]["status"], "closed");
    client.join(&a).await;
    client.settle().await;
    let (refused, _) = client.say(&a, "more").await;
    let error = client.until("error").await.pop().expect("an error");
    assert_eq!((&error["code"], &error["in_reply_to"]), (&json!("conversation_closed"), &json!(refused)));
    client.send(json!({"type": "update_conversation", "conversation_id": a, "status": "open"})).await;
    let (_, reply) = client.say(&a, "more").await;
    assert_eq!(client.until_end(&reply).await["status"], "completed");
    client.send(json!({"type": "update_conversation", "conversation_id": id(), "title": "x"})).await;
    assert_eq!(client.until("error").await.pop().expect("an error")["code"], "unknown_conversation");
}

#[tokio::test]
async fn history_comes_in_pages() {
    let mut settings = fast();
    settings.limits.max_page = 4;
    let relay = Relay::start(settings).await;
    let ([mut writer], room) = relay.tabs().await;
    let mut order = Vec::new();
    for n in 0..5 {
        let (said, reply) = writer.say(&room, &format!("question {n}")).await;
        writer.until_end(&reply).await;
        order.extend([said, reply]);
    }
    let mut reader = relay.connect().await;
    let joined = reader.join(&room).await;
    let ids = |frame: &Value| -> Vec<String> {
        let list = frame["messages"].as_array().expect("messages");
        list.iter().map(|info| info["message_id"].as_str().expect("an id").to_owned()).collect()
    };
    assert_eq!((ids(&joined), &joined["more"]), (order[6..].to_vec(), &json!(true)));
    let mut before = order[6].clone();
    for (range, more) in [(2..6, true), (0..2, false)] {
        reader
            .send(json!({"type": "load_history", "conversation_id": room, "before": before, "limit": 1000}))
            .await;
        let page = reader.until("history").await.pop().expect("a page");
        assert_eq!((ids(&page), &page["more"]), (order[range.clone()].to_vec(), &json!(more)));
        before = order[range.start].clone();
    }
    reader.settle().await;
    for message in &order {
        assert_eq!(reader.text(message), writer.text(message));
        assert!(!reader.text(message).is_empty());
    }
}

#[tokio::test]
async fn a_reader_that_does_not_read_gets_all_of_it_later_in_few_chunks() {
    // 2 MB in small pieces, while one reads nothing.
    let piece = "0123456789abcde\n".repeat(16);
    let pieces = (0..8192).map(|_| delta(&piece));
    let acts: Vec<Act> =
        std::iter::once(sse_head()).chain(pieces).chain([finish(), done()]).map(Act::Write).collect();
    let upstream = Upstream::start(vec![acts]).await;
    let relay = Relay::asking(&upstream).await;
    let ([mut slow, mut quick], room) = relay.tabs().await;
    let (_, reply) = quick.say(&room, "much").await;
    let end = quick.until_end(&reply).await;
    assert_eq!(end["length"], 8192 * 256);
    slow.until_end(&reply).await;
    assert_eq!(slow.text(&reply), quick.text(&reply));
    let chunks = slow.held(&reply).chunks;
    assert!(chunks < 8192 / 4, "it was fed piece by piece: {chunks} chunks");
}

#[tokio::test]
async fn bad_frames_get_a_code_and_disturb_nobody() {
    let upstream = gated(1).await;
    let relay = Relay::asking(&upstream).await;
    let (mut client, mut other) = (relay.connect().await, relay.connect().await);
    let room = id();
    other.join(&room).await;
    let (_, reply) = other.say(&room, "hi").await;
    until_text(&mut other, &reply, "one ").await;

    let long_id = "x".repeat(200);
    let table = [
        ("".to_owned(), "bad_json"),
        ("nonsense".to_owned(), "bad_json"),
        ("[1]".to_owned(), "bad_json"),
        ("{\"type\":7}".to_owned(), "bad_json"),
        ("[".repeat(10_000), "bad_json"),
        (json!({"type": "sudo"}).to_string(), "unknown_frame"),
        (json!({"type": "stop"}).to_string(), "bad_frame"),
        (json!({"type": "stop", "message_id": reply, "epoch": -1}).to_string(), "bad_frame"),
        (json!({"type": "stop", "message_id": "", "epoch": 0}).to_string(), "bad_frame"),
        (json!({"type": "join_conversation", "conversation_id": long_id}).to_string(), "bad_frame"),
        (json!({"type": "join_conversation", "conversation_id": "c"}).to_string(), "bad_id"),
        (json!({"type": "join_conversation", "conversation_id": id().to_uppercase()}).to_string(), "bad_id"),
        (json!({"type": "hello", "protocol": 1}).to_string(), "bad_status"),
        (
            json!({"type": "load_history", "conversation_id": room, "limit": 5}).to_string(),
            "unknown_conversation",
        ),
        (json!({"type": "pause", "message_id": reply, "epoch": 0}).to_string(), "unknown_conversation"),
        (format!("{{\"type\":\"ping\",\"pad\":\"{}\"}}", "x".repeat(300_000)), "frame_too_large"),
    ];
    for (frame, code) in table {
        client.send_text(frame.clone()).await;
        let error = client.next().await;
        assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!(code)), "{:.80}", frame);
        assert_eq!(types(&client.settle().await), ["pong"], "the socket stays open");
    }
    client.socket.send(Message::binary(vec![0, 159, 146, 150])).await.expect("it is sent");
    assert_eq!(client.next().await["code"], "binary_frame");
    client.send_text(format!("{{\"type\":\"ping\",\"pad\":\"{}\"}}", "x".repeat(2_000_000))).await;
    assert_eq!(client.next().await["code"], "frame_too_large");
    assert_eq!(client.next_or_close().await, Err(Some(1009)));

    upstream.gate.add_permits(1);
    assert_eq!(other.until_end(&reply).await["status"], "completed");
    assert_eq!(other.text(&reply), "one two");
}

#[tokio::test]
async fn the_first_frame_is_hello() {
    let relay = Relay::fast().await;
    for (frame, code) in [
        (json!({"type": "ping"}), "hello_expected"),
        (json!({"type": "hello", "protocol": 2}), "unsupported_protocol"),
    ] {
        let mut client = relay.connect_raw().await;
        client.send(frame).await;
        assert_eq!(client.next().await["code"], code);
        assert_eq!(client.next_or_close().await, Err(Some(1008)));
    }
    let mut client = relay.connect_raw().await;
    client.send(json!({"type": "hello", "protocol": 1, "of_the_future": true})).await;
    let welcome = client.next().await;
    assert_eq!(welcome["limits"]["max_chunk_bytes"], 65536);
    assert_eq!(welcome["providers"], json!(["demo"]));
}

#[tokio::test]
async fn what_can_not_be_sent_says_why() {
    let mut settings = fast();
    settings.limits.max_joined = 2;
    let relay = Relay::start(settings).await;
    let mut client = relay.connect().await;
    let (a, b) = (id(), id());
    client.join(&a).await;
    client.join(&b).await;
    client.settle().await;
    let (said, reply) = client.say(&a, "hi").await;
    client.until_end(&reply).await;
    client.settle().await;
    let base = json!({"type": "send_message", "conversation_id": a, "message_id": id(), "reply_id": id(), "content": "x"});
    let same = id();
    for (changes, code) in [
        (json!({"content": " \n "}), "content_empty"),
        (json!({"content": "x".repeat(131_073)}), "content_too_long"),
        (json!({"conversation_id": id()}), "unknown_conversation"),
        (json!({"parent_id": id()}), "unknown_message"),
        (json!({"provider": "nobody"}), "unknown_provider"),
        (json!({"message_id": said}), "id_taken"),
        (json!({"message_id": said, "reply_id": reply, "conversation_id": b}), "id_taken"),
        (json!({"message_id": reply, "reply_id": said}), "id_taken"),
        (json!({"message_id": same, "reply_id": same}), "id_taken"),
        (json!({"message_id": "m"}), "bad_id"),
        (json!({"reply_id": "r"}), "bad_id"),
    ] {
        let mut frame = base.clone();
        for (name, value) in changes.as_object().expect("fields") {
            frame[name] = value.clone();
        }
        client.send(frame.clone()).await;
        let error = client.next().await;
        assert_eq!((&error["code"], &error["in_reply_to"]), (&json!(code), &frame["message_id"]));
    }
    client.send(json!({"type": "join_conversation", "conversation_id": id()})).await;
    assert_eq!(client.next().await["code"], "too_many_joined");
    client.send(json!({"type": "leave_conversation", "conversation_id": b})).await;
    client.join(&id()).await;
}

#[tokio::test]
async fn two_sockets_that_send_the_same_ids_make_one_message() {
    let relay = Relay::fast().await;
    let room = id();
    let mut clients = vec![relay.connect().await, relay.connect().await];
    for client in &mut clients {
        client.join(&room).await;
    }
    for _ in 0..20 {
        let frame = json!({"type": "send_message", "conversation_id": room, "message_id": id(), "reply_id": id(), "content": "error"});
        for client in &mut clients {
            client.send(frame.clone()).await;
        }
        for client in &mut clients {
            client.until_end(frame["reply_id"].as_str().expect("an id")).await;
        }
    }
    assert_eq!(clients[0].join(&room).await["messages"].as_array().map(Vec::len), Some(40));
}

#[tokio::test]
async fn a_silent_socket_is_closed_and_one_that_answers_pings_is_not() {
    let mut settings = fast();
    settings.limits.idle_timeout_seconds = 3;
    let relay = Relay::start(settings).await;
    let (mut silent, mut asking, mut answering) =
        (relay.connect().await, relay.connect().await, relay.connect().await);
    // Past the library, which would answer the pings.
    let dead = async {
        let mut bytes = Vec::new();
        silent.socket.get_mut().read_to_end(&mut bytes).await.expect("the end");
        bytes
    };
    let pinging = async {
        for _ in 0..9 {
            tokio::time::sleep(Duration::from_millis(500)).await;
            asking.settle().await;
        }
    };
    let reading = timeout(Duration::from_millis(4500), answering.next_or_close());
    let (bytes, (), read) = tokio::join!(dead, pinging, reading);
    let (ping, close_1000) = ([0x89, 0], [0x88, 2, 0x03, 0xe8]);
    assert_eq!(bytes, [ping.as_slice(), ping.as_slice(), close_1000.as_slice()].concat());
    assert!(read.is_err(), "it was told nothing, and is still open");
    answering.settle().await;
}

#[tokio::test]
async fn the_end_of_the_relay_closes_the_sockets() {
    let relay = Relay::fast().await;
    let mut client = relay.connect().await;
    let (closed, ()) = tokio::join!(client.next_or_close(), relay.stop());
    assert_eq!(closed, Err(Some(1001)));
}

#[tokio::test]
async fn other_pages_open_no_socket() {
    let relay = Relay::fast().await;
    let open = async |host: String, origin: Option<&str>| {
        let mut request = format!("ws://{}/ws", relay.address).into_client_request().expect("a request");
        request.headers_mut().insert("host", host.parse().expect("a header"));
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().expect("a header"));
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok(_) => 101,
            Err(tungstenite::Error::Http(response)) => response.status().as_u16(),
            Err(error) => panic!("{error}"),
        }
    };
    let own = relay.address.to_string();
    assert_eq!(open(own.clone(), Some(&format!("http://{own}"))).await, 101);
    assert_eq!(open(own.clone(), None).await, 101);
    assert_eq!(open(own.clone(), Some("https://evil.example")).await, 403);
    assert_eq!(open(own, Some("null")).await, 403);
    assert_eq!(open("evil.example".into(), Some("http://evil.example")).await, 403);
    assert_eq!(open("evil.example".into(), None).await, 403);
}

#[tokio::test]
async fn a_run_that_nobody_reads_is_ended_where_the_operator_says_so() {
    let mut upstream = gated(2).await;
    let mut settings = upstream.settings();
    settings.unread_after = Some(Duration::from_millis(400));
    let relay = Relay::start(settings).await;
    let ([mut client], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    until_text(&mut client, &reply, "one ").await;
    // A paused reader is a reader.
    client.send(json!({"type": "pause", "message_id": reply, "epoch": 0})).await;
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(types(&client.settle().await), ["pong"]);
    assert!(upstream.gone.try_recv().is_err());
    let log = std::mem::take(&mut client.log);
    drop(client);
    timeout(common::HANG, upstream.gone.recv()).await.expect("the request was ended").expect("so it was");
    let mut client = relay.connect().await;
    client.log = log;
    let joined = client.join(&room).await;
    assert_eq!(
        (&joined["messages"][1]["status"], &joined["messages"][1]["reason"]),
        (&json!("interrupted"), &json!("unread"))
    );
    assert_eq!(client.text(&reply), "one ");
}
