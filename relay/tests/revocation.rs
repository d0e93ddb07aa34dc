//! What is taken back: how soon it shuts out, and what it leaves alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use common::Relay;
use common::tokens::{ask, bearer, closed, hello, now, scene, sign, token, with};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn what_is_taken_back_closes_live_sockets_and_streams_within_a_second() {
    let mut scene = scene().await;
    let mut bob = hello(&scene.relay, Some(&token("bob"))).await.expect("he is let in");
    let url = format!("http://{}/api/messages/{}/stream", scene.relay.address, scene.live);
    let mut stream =
        reqwest::Client::new().get(url).bearer_auth(token("alice")).send().await.expect("a stream");
    assert_eq!(stream.status(), StatusCode::OK);
    let door = |body: Value| (Method::POST, "/admin/revocations".to_owned(), Some(body));
    let admin = |scope: &str| bearer(&sign(&with("backend", json!({"scope": scope}))));
    let line = json!({"sub": "alice"});
    for (header, expected) in [
        (bearer(&token("backend")), StatusCode::FORBIDDEN),
        (admin("riacho:administrator other"), StatusCode::FORBIDDEN),
        (bearer("nonsense"), StatusCode::UNAUTHORIZED),
    ] {
        let (status, _) = ask(&scene.relay, &door(line.clone()), &[("authorization", &header)]).await;
        assert_eq!(status, expected, "{header}");
    }
    let header = admin("profile riacho:admin");
    let (status, _) = ask(&scene.relay, &door(json!({"sab": "alice"})), &[("authorization", &header)]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);

    let started = Instant::now();
    let (status, body) = ask(&scene.relay, &door(line), &[("authorization", &header)]).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
    let error = scene.alice.until("error").await.pop().expect("an error");
    assert_eq!(error["code"], "token_revoked");
    assert_eq!(closed(&mut scene.alice).await, Some(1008));
    while stream.chunk().await.expect("a chunk or the end").is_some() {}
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    assert_eq!(hello(&scene.relay, Some(&token("alice"))).await.err().expect("shut out").0, "token_revoked");
    assert_eq!(bob.settle().await.len(), 1, "others go on");
    let later = sign(&with("alice", json!({"iat": now() + 2})));
    assert!(hello(&scene.relay, Some(&later)).await.is_ok(), "she has logged in again");

    // By hand, in the file.
    let file = scene.folder.path().join("revoked.jsonl");
    let lines = std::fs::read_to_string(&file).expect("the file");
    assert!(lines.contains("\"sub\":\"alice\",\"issued_before\":"), "{lines}");
    let started = Instant::now();
    std::fs::write(&file, lines + "{\"sub\":\"bob\"}\n").expect("written");
    assert_eq!(bob.until("error").await.pop().expect("an error")["code"], "token_revoked");
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
}

/// Takes back every token of a user that was issued up to now.
async fn take_back(relay: &Relay, sub: &str) {
    let door = (Method::POST, "/admin/revocations".to_owned(), Some(json!({"sub": sub})));
    let admin = bearer(&sign(&with("backend", json!({"scope": "riacho:admin"}))));
    let (status, body) = ask(relay, &door, &[("authorization", &admin)]).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
}

#[tokio::test]
async fn an_answer_that_is_under_way_goes_on_to_its_end_and_its_owner_reads_it_with_the_next_token() {
    let mut scene = scene().await;
    let started = Instant::now();
    take_back(&scene.relay, "alice").await;
    assert_eq!(closed(&mut scene.alice).await, Some(1008));
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    assert_eq!(scene.alice.text(&scene.live), "one ");

    // Nobody reads, and nobody may; the provider has more to say, and says it.
    scene.upstream.gate.add_permits(1);
    let next = sign(&with("alice", json!({"iat": now() + 2})));
    let stored = (Method::GET, format!("/api/messages/{}", scene.live), None);
    let next_bearer = bearer(&next);
    let stored = loop {
        let (status, message) = ask(&scene.relay, &stored, &[("authorization", &next_bearer)]).await;
        assert_eq!(status, StatusCode::OK, "{message}");
        assert!(started.elapsed() < common::HANG, "{message}");
        if message["status"] != "streaming" {
            break message;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!((&stored["status"], &stored["content"]), (&json!("completed"), &json!("one two")));

    // From what she held, and from nothing.
    for held in [scene.alice.log, HashMap::new()] {
        let mut again = hello(&scene.relay, Some(&next)).await.expect("she has a new token");
        again.log = held;
        again.join(&scene.room).await;
        again.until_whole(&scene.live).await;
        assert_eq!(again.text(&scene.live), "one two");
    }
}
