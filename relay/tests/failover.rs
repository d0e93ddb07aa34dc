//! Providers that fail: asked again, waited for, and followed by the next one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::{Duration, Instant};

use common::{Act, Relay, Upstream, delta, fast, finish, head, sse_head};
use riacho_relay::{Patience, Settings, Wire};
use serde_json::{Value, json};
use tokio::time::timeout;

fn refusal(status: &str, more: &str) -> Vec<Act> {
    let mut bytes = head(status, more);
    bytes.extend(br#"{"error":{"message":"their words"}}"#);
    vec![Act::Write(bytes)]
}

fn answer(text: &str) -> Vec<Act> {
    [sse_head(), delta(text), finish()].into_iter().map(Act::Write).collect()
}

fn patient() -> Patience {
    Patience { retries: 2, backoff: Duration::from_millis(20), max_wait: Duration::from_secs(5) }
}

fn settings(upstreams: &[(&str, &Upstream)]) -> Settings {
    let remotes = upstreams.iter().map(|(name, upstream)| upstream.remote(name, Wire::Chat)).collect();
    let fallbacks = upstreams.iter().skip(1).map(|(name, _)| (*name).to_owned()).collect();
    Settings { remotes, fallbacks, patience: patient(), ..fast() }
}

fn requests(upstream: &mut Upstream) -> usize {
    std::iter::from_fn(|| upstream.requests.try_recv().ok()).count()
}

fn details(frames: &[Value]) -> Vec<&str> {
    let status = frames.iter().filter(|frame| frame["type"] == "message_status");
    status.map(|frame| frame["detail"].as_str().expect("words")).collect()
}

#[tokio::test]
async fn a_failure_before_the_first_piece_is_tried_again() {
    let acts = vec![refusal("500 Oh", ""), vec![Act::Write(sse_head())], answer("third time")];
    let mut upstream = Upstream::start(acts).await;
    let relay = Relay::start(settings(&[("one", &upstream)])).await;
    let ([mut client], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    let frames = client
        .until_frame(|frame| frame["type"] == "response_complete" && frame["message_id"] == reply.as_str())
        .await;
    assert_eq!(client.text(&reply), "third time");
    assert!(
        details(&frames).iter().any(|detail| detail.starts_with("one failed; asking again in")),
        "{frames:?}"
    );
    // The same for a page that says it in its own words.
    let status = frames.iter().find(|frame| frame["type"] == "message_status").expect("one");
    let whom = (&status["code"], &status["provider"], &status["retry_after"]);
    assert_eq!(whom, (&json!("asking_again"), &json!("one"), &json!(1)), "{status}");
    assert_eq!(requests(&mut upstream), 3);
}

#[tokio::test]
async fn what_can_not_help_is_not_tried_again() {
    for (acts, code) in [
        (refusal("401 No", ""), "provider_auth"),
        (refusal("400 No", ""), "provider_rejected"),
        (refusal("429 Wait", "retry-after: 3600\r\n"), "provider_rate_limited"),
        (vec![Act::Write(sse_head()), Act::Write(delta("half"))], "provider_truncated"),
    ] {
        let mut upstream = Upstream::start(vec![acts]).await;
        let relay = Relay::start(settings(&[("one", &upstream)])).await;
        let ([mut client], room) = relay.tabs().await;
        let (_, reply) = client.say(&room, "hi").await;
        assert_eq!(client.until_end(&reply).await["code"], code);
        assert_eq!(requests(&mut upstream), 1, "{code}");
    }
}

#[tokio::test]
async fn a_429_waits_as_it_is_told_and_the_others_wait_behind_it() {
    let acts = vec![refusal("429 Wait", "retry-after: 1\r\n"), answer("at last")];
    let mut upstream = Upstream::start(acts).await;
    let relay = Relay::start(settings(&[("one", &upstream)])).await;
    let ([mut client], room) = relay.tabs().await;
    let started = Instant::now();
    let (_, first) = client.say(&room, "hi").await;
    let frames = client.until("message_status").await;
    assert!(details(&frames)[0].contains("takes no more requests for now; asking again in"), "{frames:?}");
    let (_, second) = client.say(&room, "me too").await;
    let frames = client.until("message_status").await;
    assert!(details(&frames)[0].starts_with("Waiting"), "{frames:?}");
    assert_eq!(
        frames.last().map(|frame| (&frame["code"], &frame["provider"])),
        Some((&json!("waiting"), &json!("one")))
    );
    assert_eq!(requests(&mut upstream), 1, "the second was not even asked");
    client.until_whole(&first).await;
    client.until_whole(&second).await;
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!((client.text(&first), client.text(&second)), ("at last", "at last"));
}

#[tokio::test]
async fn a_stop_ends_the_waiting() {
    let upstream = Upstream::start(vec![refusal("429 Wait", "retry-after: 4\r\n")]).await;
    let relay = Relay::start(settings(&[("one", &upstream)])).await;
    let ([mut client], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    client.until("message_status").await;
    client.send(json!({"type": "stop", "message_id": reply, "epoch": 0})).await;
    let end = timeout(Duration::from_secs(2), client.until_end(&reply)).await.expect("at once");
    assert_eq!(end["reason"], "stopped");
}

#[tokio::test]
async fn before_the_first_piece_the_next_one_answers_in_its_place() {
    let mut one = Upstream::start(vec![refusal("401 No", "")]).await;
    let two = Upstream::start(vec![answer("from two")]).await;
    let relay = Relay::start(settings(&[("one", &one), ("two", &two)])).await;
    let ([mut client], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    let end = client.until_end(&reply).await;
    assert_eq!(
        (&end["status"], &end["epoch"], client.text(&reply)),
        (&json!("completed"), &json!(0), "from two")
    );
    assert_eq!(client.join(&room).await["messages"][1]["provider"], "two", "who wrote it is on record");
    assert_eq!(requests(&mut one), 1);
}

#[tokio::test]
async fn after_the_first_piece_the_next_one_starts_over() {
    let one = Upstream::start(vec![vec![Act::Write(sse_head()), Act::Write(delta("half of one"))]]).await;
    let gated =
        vec![Act::Write(sse_head()), Act::Gate, Act::Write(delta("all of two")), Act::Write(finish())];
    let two = Upstream::start(vec![gated]).await;
    let relay = Relay::start(settings(&[("one", &one), ("two", &two)])).await;
    let ([mut client, mut other], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    let frames = client.until_frame(|frame| frame["type"] == "message_started" && frame["epoch"] == 1).await;
    assert_eq!(frames.last().expect("it")["provider"], "two");
    let frames = client.until("message_status").await;
    two.gate.add_permits(1);
    client.until_end(&reply).await;
    let why = details(&frames);
    assert!(why[0].starts_with("one ended the stream") && why[0].ends_with("Asking two."), "{why:?}");
    assert_eq!(client.text(&reply), "all of two");
    other.until_whole(&reply).await;
    assert_eq!(other.text(&reply), "all of two");
}

#[tokio::test]
async fn when_all_have_failed_the_last_word_is_the_last_ones() {
    let one = Upstream::start(vec![refusal("401 No", "")]).await;
    let two = Upstream::start(vec![refusal("500 Oh", "")]).await;
    let relay = Relay::start(settings(&[("one", &one), ("two", &two)])).await;
    let ([mut client], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    let end = client.until_end(&reply).await;
    assert_eq!(end["code"], "provider_failed");
    assert!(end["message"].as_str().expect("words").starts_with("two failed"), "{end}");
}
