//! Stop, pause, resume and retry where they meet: each meeting has one right outcome, the same for every tab and in the store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Act, Client, Relay, Upstream, delta, finish, gated, sse_head, until_text};
use serde_json::{Value, json};

fn about(kind: &str, message: &str) -> Value {
    json!({"type": kind, "message_id": message, "epoch": 0})
}

/// A tab that comes now is told the same as those that watched.
async fn assert_stored(relay: &Relay, room: &str, reply: &str, seen: &Client) {
    let mut fresh = relay.connect().await;
    let joined = fresh.join(room).await;
    fresh.settle().await;
    let messages = joined["messages"].as_array().expect("messages");
    let info = messages.iter().find(|info| info["message_id"] == reply).expect("it is listed");
    assert_eq!(info["status"], seen.held(reply).status.as_str());
    assert_eq!(fresh.text(reply), seen.text(reply));
}

#[tokio::test]
async fn a_stop_after_a_resume() {
    let upstream = gated(1).await;
    let relay = Relay::asking(&upstream).await;
    let ([mut client], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    until_text(&mut client, &reply, "one ").await;
    for kind in ["pause", "resume", "stop"] {
        client.send(about(kind, &reply)).await;
    }
    let end = client.until_end(&reply).await;
    assert_eq!((&end["status"], &end["reason"]), (&json!("interrupted"), &json!("stopped")));
    client.settle().await;
    assert_eq!((client.text(&reply), client.held(&reply).terminal_frames), ("one ", 1));
    assert_stored(&relay, &room, &reply, &client).await;
}

#[tokio::test]
async fn a_resume_after_a_stop() {
    let upstream = gated(1).await;
    let relay = Relay::asking(&upstream).await;
    let ([mut client], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    until_text(&mut client, &reply, "one ").await;
    for kind in ["pause", "stop", "resume"] {
        client.send(about(kind, &reply)).await;
    }
    let end = client.until_end(&reply).await;
    assert_eq!((&end["status"], &end["reason"]), (&json!("interrupted"), &json!("stopped")));
    // What is stopped stays so: no resume brings the upstream back.
    upstream.gate.add_permits(1);
    client.send(about("resume", &reply)).await;
    client.settle().await;
    assert_eq!((client.text(&reply), client.held(&reply).terminal_frames), ("one ", 1));
    assert_stored(&relay, &room, &reply, &client).await;
}

#[tokio::test]
async fn a_retry_while_another_tab_watches() {
    let failing = vec![Act::Write(sse_head()), Act::Write(delta("half an ans"))];
    let again = vec![
        Act::Write(sse_head()),
        Act::Write(delta("a new ")),
        Act::Gate,
        Act::Write(delta("answer")),
        Act::Write(finish()),
    ];
    let upstream = Upstream::start(vec![failing, again]).await;
    let relay = Relay::asking(&upstream).await;
    let ([mut client, mut watcher], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    client.until_end(&reply).await;
    watcher.until_end(&reply).await;
    assert_eq!(watcher.text(&reply), "half an ans");

    client.send(about("retry", &reply)).await;
    // The watcher did nothing, and sees the new text begin; so does a tab that comes in its middle.
    until_text(&mut watcher, &reply, "a new ").await;
    assert_eq!(watcher.held(&reply).epoch, 1);
    let mut late = relay.connect().await;
    late.join(&room).await;
    until_text(&mut late, &reply, "a new ").await;
    upstream.gate.add_permits(1);
    for tab in [&mut client, &mut watcher, &mut late] {
        tab.until_frame(|frame| frame["type"] == "response_complete" && frame["epoch"] == 1).await;
        tab.settle().await;
        let held = tab.held(&reply);
        assert_eq!((held.text.as_str(), held.epoch, held.terminal_frames), ("a new answer", 1, 1));
    }
    assert_stored(&relay, &room, &reply, &watcher).await;
}

#[tokio::test]
async fn two_tabs_that_both_stop() {
    let mut upstream = gated(1).await;
    let relay = Relay::asking(&upstream).await;
    let ([mut client, mut other], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    until_text(&mut client, &reply, "one ").await;
    until_text(&mut other, &reply, "one ").await;
    client.send(about("stop", &reply)).await;
    other.send(about("stop", &reply)).await;
    let (end, seen) = (client.until_end(&reply).await, other.until_end(&reply).await);
    assert_eq!(end, seen);
    assert_eq!((&end["reason"], &end["length"]), (&json!("stopped"), &json!(4)));
    for tab in [&mut client, &mut other] {
        let after = tab.settle().await;
        assert!(after.iter().all(|frame| frame["type"] != "error"), "the second stop is no error: {after:?}");
        assert_eq!(tab.held(&reply).terminal_frames, 1);
    }
    upstream.gone.recv().await.expect("the request is ended");
    assert_stored(&relay, &room, &reply, &client).await;
}

/// In which order the log takes the two is held still in `relay/src/runs/tests.rs`.
#[tokio::test]
async fn a_stop_that_comes_after_the_end_changes_nothing() {
    let upstream = gated(1).await;
    let relay = Relay::asking(&upstream).await;
    let ([mut client, mut other], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    upstream.gate.add_permits(1);
    // The other tab has the end, so it is stored; this one has not read it yet, and stops.
    assert_eq!(other.until_end(&reply).await["status"], "completed");
    client.send(about("stop", &reply)).await;
    assert_eq!(client.until_end(&reply).await["status"], "completed");
    for tab in [&mut client, &mut other] {
        let after = tab.settle().await;
        assert!(after.iter().all(|frame| frame["type"] != "error"), "it is no error: {after:?}");
        assert_eq!((tab.text(&reply), tab.held(&reply).terminal_frames), ("one two", 1));
    }
    assert_stored(&relay, &room, &reply, &client).await;
}

#[tokio::test]
async fn a_stop_that_comes_before_the_end_stands() {
    let upstream = gated(1).await;
    let relay = Relay::asking(&upstream).await;
    let ([mut client, mut other], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    until_text(&mut client, &reply, "one ").await;
    client.send(about("stop", &reply)).await;
    assert_eq!(client.until_end(&reply).await["reason"], "stopped");
    // What the provider has to say now is nobody's any more.
    upstream.gate.add_permits(1);
    assert_eq!(other.until_end(&reply).await["reason"], "stopped");
    for tab in [&mut client, &mut other] {
        tab.settle().await;
        assert_eq!((tab.text(&reply), tab.held(&reply).terminal_frames), ("one ", 1));
    }
    assert_stored(&relay, &room, &reply, &client).await;
}
