//! A response in the background whose connection breaks while the relay lives: it is taken up again where it broke off.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::Duration;

use common::{Act, Held, Relay, Upstream, head, sse_head};
use riacho_relay::{Patience, Settings, Wire};
use serde_json::{Value, json};

fn event(number: u64, mut value: Value) -> Vec<u8> {
    value["sequence_number"] = json!(number);
    format!("data: {value}\n\n").into_bytes()
}

fn created() -> Vec<u8> {
    event(0, json!({"type": "response.created", "response": {"id": "resp_1", "status": "queued"}}))
}

fn delta(number: u64, text: &str) -> Vec<u8> {
    event(number, json!({"type": "response.output_text.delta", "output_index": 0, "delta": text}))
}

fn ended(number: u64, status: &str, error: Value) -> Vec<u8> {
    event(
        number,
        json!({"type": format!("response.{status}"), "response": {"id": "resp_1", "status": status, "error": error,
            "usage": {"input_tokens": 1, "output_tokens": 2}}}),
    )
}

/// A stream of these events, and then a reset.
fn broken(pieces: impl IntoIterator<Item = Vec<u8>>) -> Vec<Act> {
    // What was written is read before the reset takes it away.
    common::streaming(pieces).into_iter().chain([Act::Wait(Duration::from_millis(200)), Act::Reset]).collect()
}

fn settings(upstream: &Upstream, retries: u32) -> Settings {
    let mut settings = upstream.settings();
    settings.remotes[0].wire = Wire::Responses;
    settings.remotes[0].background = true;
    settings.patience = Patience { retries, backoff: Duration::from_millis(20), ..Patience::default() };
    settings
}

/// The first line of each request so far.
fn lines(upstream: &mut Upstream) -> Vec<String> {
    let requests = std::iter::from_fn(|| upstream.requests.try_recv().ok());
    requests.map(|request| request.lines().next().unwrap_or_default().to_owned()).collect()
}

/// Those, once there are so many.
async fn until_lines(upstream: &mut Upstream, count: usize) -> Vec<String> {
    let mut all = Vec::new();
    while all.len() < count {
        let request = upstream.requests.recv().await.expect("a request");
        all.push(request.lines().next().unwrap_or_default().to_owned());
        all.extend(lines(upstream));
    }
    all
}

/// One question: the terminal frame, what the client holds, and the first line of each request.
async fn ask(acts: Vec<Vec<Act>>, retries: u32) -> (Value, Held, Vec<String>) {
    let mut upstream = Upstream::start(acts).await;
    let relay = Relay::start(settings(&upstream, retries)).await;
    let ([mut client], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    let end = client.until_end(&reply).await;
    (end, client.held(&reply), lines(&mut upstream))
}

fn get(after: u64) -> String {
    format!("GET /v1/responses/resp_1?stream=true&starting_after={after} HTTP/1.1")
}

const POST: &str = "POST /v1/responses HTTP/1.1";
const CANCEL: &str = "POST /v1/responses/resp_1/cancel HTTP/1.1";

#[tokio::test]
async fn it_goes_on_where_it_broke_off_as_often_as_it_breaks() {
    let half = delta(3, "lost").split_at(30).0.to_vec();
    let (end, held, lines) = ask(
        vec![
            broken([created(), delta(1, "one ")]),
            broken([delta(1, "one "), delta(2, "two ")]),
            // Ends in the middle of an event, without a reset.
            common::streaming([delta(3, "three "), half]),
            common::streaming([delta(4, "four"), ended(5, "completed", Value::Null)]),
        ],
        1,
    )
    .await;
    assert_eq!((&end["status"], held.text.as_str()), (&json!("completed"), "one two three four"));
    assert_eq!((held.epoch, held.terminal_frames), (0, 1));
    assert_eq!(end["usage"]["output_tokens"], 2);
    assert_eq!(lines, [POST.to_owned(), get(1), get(2), get(3)]);
}

#[tokio::test]
async fn nothing_is_asked_twice_when_it_breaks_before_its_first_text() {
    let (end, held, lines) = ask(
        vec![
            broken([created()]),
            common::streaming([delta(1, "all of it"), ended(2, "completed", Value::Null)]),
        ],
        2,
    )
    .await;
    assert_eq!((&end["status"], held.text.as_str()), (&json!("completed"), "all of it"));
    assert_eq!(lines, [POST.to_owned(), get(0)]);
}

#[tokio::test]
async fn tries_that_bring_nothing_are_bounded_and_what_came_is_kept() {
    let down = vec![Act::Write(head("503 Service Unavailable", ""))];
    let mut upstream = Upstream::start(vec![broken([created(), delta(1, "so far")]), down]).await;
    let relay = Relay::start(settings(&upstream, 2)).await;
    let ([mut client], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    let end = client.until_end(&reply).await;
    assert_eq!((&end["code"], client.text(&reply)), (&json!("provider_failed"), "so far"));
    // It may be at work all the same: nobody waits for it any more, so it is told.
    assert_eq!(until_lines(&mut upstream, 4).await, [POST.to_owned(), get(1), get(1), CANCEL.to_owned()]);
}

#[tokio::test]
async fn one_that_is_given_up_for_the_next_provider_is_cancelled() {
    let down = vec![Act::Write(head("503 Service Unavailable", ""))];
    // Once before its first piece, which stays one epoch, and once behind it.
    for (said, epoch) in [(vec![created()], 0), (vec![created(), delta(1, "so far")], 1)] {
        let mut upstream = Upstream::start(vec![broken(said), down.clone()]).await;
        let next = Upstream::start(vec![common::streaming([common::delta("whole"), common::finish()])]).await;
        let mut settings = settings(&upstream, 0);
        settings.remotes.push(next.remote("next", Wire::Chat));
        settings.fallbacks = vec!["next".into()];
        let relay = Relay::start(settings).await;
        let ([mut client], room) = relay.tabs().await;
        let (_, reply) = client.say(&room, "hi").await;
        let ended =
            |frame: &Value| frame["type"] == "response_complete" && frame["message_id"] == reply.as_str();
        let end = client.until_frame(ended).await.pop().expect("the end");
        assert_eq!((&end["status"], &end["epoch"]), (&json!("completed"), &json!(epoch)));
        assert_eq!(client.text(&reply), "whole");
        assert_eq!(until_lines(&mut upstream, 2).await, [POST, CANCEL], "epoch {epoch}");
    }
}

#[tokio::test]
async fn one_that_nobody_reads_is_cancelled() {
    let mut acts = common::streaming([created(), delta(1, "so far")]);
    acts.push(Act::Gate);
    let mut upstream = Upstream::start(vec![acts, vec![Act::Write(sse_head())]]).await;
    let mut settings = settings(&upstream, 2);
    settings.unread_after = Some(Duration::from_millis(50));
    let relay = Relay::start(settings).await;
    let ([mut client], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    common::until_text(&mut client, &reply, "so far").await;
    drop(client);
    assert_eq!(until_lines(&mut upstream, 2).await, [POST, CANCEL]);
}

#[tokio::test]
async fn a_response_that_failed_or_is_gone_is_not_asked_for_again() {
    let failed = ended(2, "failed", json!({"code": "server_error", "message": "it broke"}));
    let (end, held, lines) = ask(vec![common::streaming([created(), delta(1, "so far"), failed])], 2).await;
    assert_eq!((&end["code"], held.text.as_str()), (&json!("provider_failed"), "so far"));
    assert_eq!(lines, [POST]);
    let gone = vec![Act::Write(head("404 Not Found", ""))];
    let (end, held, lines) = ask(vec![broken([created(), delta(1, "so far")]), gone], 2).await;
    assert_eq!((&end["code"], held.text.as_str()), (&json!("provider_rejected"), "so far"));
    assert_eq!(lines, [POST.to_owned(), get(1)]);
}

#[tokio::test]
async fn a_stop_while_it_waits_cancels_it_there() {
    let mut upstream =
        Upstream::start(vec![broken([created(), delta(1, "so far")]), vec![Act::Write(sse_head())]]).await;
    let mut settings = settings(&upstream, 2);
    settings.patience.backoff = Duration::from_secs(50);
    let relay = Relay::start(settings).await;
    let ([mut client], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    while client.text(&reply) != "so far" {
        client.next().await;
    }
    tokio::time::sleep(Duration::from_millis(400)).await;
    client.send(json!({"type": "stop", "message_id": reply, "epoch": 0})).await;
    let end = client.until_end(&reply).await;
    assert_eq!((&end["status"], &end["reason"]), (&json!("interrupted"), &json!("stopped")), "{end}");
    upstream.requests.recv().await.expect("the question");
    let cancel = upstream.requests.recv().await.expect("the cancel");
    assert!(cancel.starts_with("POST /v1/responses/resp_1/cancel "), "{cancel}");
}

#[tokio::test]
async fn azure_is_asked_at_its_own_address_and_with_its_own_header() {
    let mut upstream = Upstream::start(vec![
        broken([created(), delta(1, "one ")]),
        common::streaming([delta(2, "two"), ended(3, "completed", Value::Null)]),
    ])
    .await;
    let mut settings = settings(&upstream, 1);
    settings.remotes[0].wire = Wire::AzureResponses;
    settings.remotes[0].base_url = format!("http://{}", upstream.address);
    let relay = Relay::start(settings).await;
    let ([mut client], room) = relay.tabs().await;
    let (_, reply) = client.say(&room, "hi").await;
    assert_eq!(client.until_end(&reply).await["status"], "completed");
    assert_eq!(client.text(&reply), "one two");
    let firsts = [
        "POST /openai/v1/responses HTTP/1.1",
        "GET /openai/v1/responses/resp_1?stream=true&starting_after=1 HTTP/1.1",
    ];
    for first in firsts {
        let request = upstream.requests.recv().await.expect("a request");
        assert_eq!(request.lines().next(), Some(first));
        assert!(
            request.contains("api-key: sk-secret-of-the-test") && !request.contains("Bearer"),
            "{request}"
        );
    }
}
