//! Events of provider streams as they came, which are kept where the operator asks for it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::path::Path;

use common::{Act, Client, Relay, Upstream, delta, done, finish, head, sse_head};
use riacho_relay::{Place, Settings};
use serde_json::{Value, json};

fn settings(upstream: &Upstream, folder: &Path, keep: usize) -> Settings {
    Settings { store: Place::File(folder.join("relay.db")), stream_events: keep, ..upstream.settings() }
}

async fn say(client: &mut Client, room: &str) {
    let (_, reply) = client.say(room, "hi").await;
    client.until_end(&reply).await;
}

async fn export(relay: &Relay, room: &str) -> Value {
    let url = format!("http://{}/conversations/{room}", relay.address);
    reqwest::get(url).await.expect("an answer").json().await.expect("JSON")
}

/// The `data:` of each event of one answer.
fn data(export: &Value, message: usize) -> Vec<String> {
    let events = export["messages"][message]["stream_events"].as_array();
    events.into_iter().flatten().map(|event| event["data"].as_str().expect("data").to_owned()).collect()
}

#[tokio::test]
async fn the_newest_are_kept_as_they_came_and_go_with_the_conversation() {
    let folder = tempfile::tempdir().expect("a folder");
    let strange = "event: strange\ndata: {\"what\":\"nobody knows\"}\n\n";
    let stream = [sse_head(), strange.into(), delta("one"), finish(), done()].map(Act::Write).to_vec();
    let mut json = head("200 OK", "content-type: application/json\r\n");
    let whole = json!({"choices": [{"message": {"content": "whole"}, "finish_reason": "stop"}]}).to_string();
    json.extend(whole.clone().into_bytes());
    let broken = [sse_head(), delta("half"), b"data: {\"error\":{\"message\":\"it broke\"}}\n\n".to_vec()];
    let acts = vec![stream.clone(), vec![Act::Write(json)], broken.map(Act::Write).to_vec(), stream];
    let upstream = Upstream::start(acts).await;
    let relay = Relay::start(settings(&upstream, folder.path(), 8)).await;
    let ([mut client], room) = relay.tabs().await;
    for _ in 0..3 {
        say(&mut client, &room).await;
    }
    let kept = export(&relay, &room).await;
    let all = data(&kept, 1);
    assert_eq!((all.len(), all[0].as_str(), all[3].as_str()), (4, "{\"what\":\"nobody knows\"}", "[DONE]"));
    let first = &kept["messages"][1]["stream_events"][0];
    assert_eq!(
        (&first["name"], &first["epoch"], &first["bytes"]),
        (&json!("strange"), &json!(0), &json!(23))
    );
    assert_eq!(data(&kept, 3), [whole]);
    assert!(data(&kept, 5)[1].contains("it broke"), "what failed is what one looks for");
    assert!(kept["messages"][0].get("stream_events").is_none(), "a question has none");

    // Eight is the limit: those of a fourth answer push the oldest out, whosever they are.
    let ([mut other], second) = relay.tabs().await;
    say(&mut other, &second).await;
    let kept = export(&relay, &room).await;
    assert_eq!((data(&kept, 1).len(), data(&kept, 3).len(), data(&kept, 5).len()), (1, 1, 2));
    assert_eq!(data(&export(&relay, &second).await, 1).len(), 4);

    // With a smaller limit fewer are left, and with none, none.
    relay.stop().await;
    let relay = Relay::start(settings(&upstream, folder.path(), 5)).await;
    assert_eq!(data(&export(&relay, &room).await, 5).len(), 1);
    let url = format!("http://{}/conversations/{second}", relay.address);
    let gone = reqwest::Client::new().delete(url).send().await.expect("an answer");
    assert_eq!(gone.status(), 204);
    relay.stop().await;
    let relay = Relay::start(settings(&upstream, folder.path(), 0)).await;
    assert_eq!(data(&export(&relay, &room).await, 5).len(), 0);
}

#[tokio::test]
async fn a_long_one_is_cut_and_says_how_long_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let long = "água ".repeat(20_000);
    let acts = [sse_head(), delta(&long), finish(), done()].map(Act::Write).to_vec();
    let upstream = Upstream::start(vec![acts]).await;
    let relay = Relay::start(settings(&upstream, folder.path(), 100)).await;
    let ([mut client], room) = relay.tabs().await;
    say(&mut client, &room).await;
    let kept = export(&relay, &room).await;
    let first = &kept["messages"][1]["stream_events"][0];
    let cut = first["data"].as_str().expect("data").len();
    assert!((65_500..=65_536).contains(&cut), "{cut}");
    assert!(first["bytes"].as_u64() > Some(120_000), "{}", first["bytes"]);
    assert_eq!(kept["messages"][1]["content"], long);
}

#[tokio::test]
async fn none_are_kept_unless_someone_asks() {
    let folder = tempfile::tempdir().expect("a folder");
    let acts = [sse_head(), delta("one"), finish(), done()].map(Act::Write).to_vec();
    let upstream = Upstream::start(vec![acts]).await;
    let file = Place::File(folder.path().join("relay.db"));
    let relay = Relay::start(Settings { store: file, ..upstream.settings() }).await;
    let ([mut client], room) = relay.tabs().await;
    say(&mut client, &room).await;
    assert!(export(&relay, &room).await["messages"][1].get("stream_events").is_none());
}
