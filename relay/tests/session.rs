//! Sessions on real sockets: what PROTOCOL.md says, frame by frame.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Act, Relay, Upstream, delta, done, finish, id, sse_head};
use serde_json::{Value, json};

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
    let mut client = relay.connect().await;
    let room = id();
    client.join(&room).await;
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
