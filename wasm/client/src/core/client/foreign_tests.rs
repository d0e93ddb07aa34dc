//! The client on the page's own transport, and what it lets go of: events in, text and registry out.

use super::scripted::{c, client, m};
use super::*;
use crate::core::message::Ending;
use riacho_protocol::*;

// The same tests natively and in the browser.
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn foreign() -> Client {
    let mut client = client(Transport::Page);
    client.open(c("c"), 0);
    client
}

fn handle(client: &mut Client, event: &str) {
    client.handle_event(event, 0).unwrap();
}

fn state(client: &Client, id: &str) -> (u32, Status, String) {
    let message = client.registry.get(&m(id)).unwrap();
    (message.epoch, message.status, message.text().to_owned())
}

#[test]
fn parts_of_a_foreign_answer_are_told_apart() {
    let mut client = foreign();
    handle(
        &mut client,
        r#"{"type":"message_chunk","message_id":"a","part":0,"kind":"reasoning","content":"hmm"}"#,
    );
    handle(&mut client, r#"{"type":"message_chunk","message_id":"a","part":1,"content":"Sim"}"#);
    handle(
        &mut client,
        r#"{"type":"message_chunk","message_id":"a","part":2,"kind":"tool_call","name":"mar","content":"{}"}"#,
    );
    handle(&mut client, r#"{"type":"message_chunk","message_id":"a","part":3,"content":"Não"}"#);
    let message = client.registry.get(&m("a")).unwrap();
    let shown: String = message.shown().flat_map(|(separator, text)| [separator, text]).collect();
    assert_eq!(shown, "Sim\n\nNão");
    assert_eq!(message.parts()[2].name.as_deref(), Some("mar"));
}

#[test]
fn a_foreign_answer_starts_over_where_its_transport_says_so_and_only_forward() {
    let mut client = foreign();
    handle(&mut client, r#"{"type":"message_chunk","message_id":"a","content":"wrong"}"#);
    handle(&mut client, r#"{"type":"message_started","message_id":"a","epoch":1}"#);
    handle(&mut client, r#"{"type":"message_chunk","message_id":"a","content":"right"}"#);
    handle(&mut client, r#"{"type":"message_started","message_id":"a","epoch":1}"#);
    handle(&mut client, r#"{"type":"message_started","message_id":"a"}"#);
    assert_eq!(state(&client, "a"), (1, Status::Streaming, "right".to_owned()));
}

#[test]
fn what_comes_after_a_stop_changes_nothing_and_a_retry_starts_over() {
    let mut client = foreign();
    handle(&mut client, r#"{"type":"message_chunk","message_id":"a","content":"half"}"#);
    client.stop(&m("a"), 0).unwrap();
    handle(&mut client, r#"{"type":"message_chunk","message_id":"a","content":" late"}"#);
    handle(&mut client, r#"{"type":"response_complete","message_id":"a","content":"something else"}"#);
    handle(&mut client, r#"{"type":"stream_error","message_id":"a","error":"aborted"}"#);
    assert_eq!(state(&client, "a"), (0, Status::Interrupted, "half".to_owned()));
    while client.poll_output().is_some() {}
    client.retry(&m("a")).unwrap();
    let told = std::iter::from_fn(|| client.poll_output())
        .any(|output| matches!(output, Output::Emit(Event::Retry { epoch: 1, .. })));
    assert!(told, "whoever brings the events hears of it");
    assert_eq!(state(&client, "a"), (1, Status::Pending, String::new()));
    handle(&mut client, r#"{"type":"response_complete","message_id":"a","content":"whole"}"#);
    assert_eq!(state(&client, "a"), (1, Status::Completed, "whole".to_owned()));
}

#[test]
fn a_foreign_failure_says_when_to_try_again() {
    let mut client = foreign();
    handle(
        &mut client,
        r#"{"type":"stream_error","message_id":"a","code":"provider_rate_limited","error":"slow","retryAfter":7}"#,
    );
    let ending = client.registry.get(&m("a")).unwrap().ending.clone().unwrap();
    let failure = ending.error.unwrap();
    assert_eq!((failure.code, failure.retry_after), (ErrorCode::ProviderRateLimited, Some(7)));
}

/// Joined to `room`, where there is one finished answer.
fn visit(client: &mut Client, room: usize) {
    let conversation_id = c(&format!("room{room}"));
    client.open(conversation_id.clone(), 0);
    let frame: ServerFrame =
        ConversationJoined { conversation_id: conversation_id.clone(), messages: vec![], more: false }.into();
    client.handle_text(&frame.encode(), 0);
    say(client, room);
}

fn say(client: &mut Client, room: usize) {
    let (conversation_id, message_id) = (c(&format!("room{room}")), m(&format!("answer{room}")));
    let chunk = MessageChunk {
        conversation_id,
        message_id: message_id.clone(),
        epoch: 0,
        offset: 0,
        part: 0,
        kind: None,
        id: None,
        name: None,
        content: "text".to_owned(),
    };
    client.handle_text(&ServerFrame::from(chunk).encode(), 0);
    client.end_message(&message_id, Ending::interrupted(InterruptReason::Stopped, 4), 0);
    while client.poll_output().is_some() {}
}

#[test]
fn rooms_that_were_left_are_let_go_but_for_the_last_few() {
    let mut client = client(Transport::Relay);
    client.connect(0);
    client.handle_open(None, 0);
    let welcome: ServerFrame = Welcome { protocol: 1, limits: Limits::default(), providers: vec![] }.into();
    client.handle_text(&welcome.encode(), 0);
    for room in 0..1_000 {
        visit(&mut client, room);
    }
    assert_eq!(client.registry.iter().count(), 5, "the one on screen and four before it");
    // What was on its way when the room was left brings nothing back.
    say(&mut client, 3);
    assert_eq!(client.registry.iter().count(), 5);
    // One that is come back to is as good as new.
    visit(&mut client, 3);
    assert!(client.registry.get(&m("answer3")).is_some());
    assert_eq!(client.registry.iter().count(), 5);
}

#[test]
fn on_the_pages_own_transport_nothing_is_let_go() {
    let mut client = client(Transport::Page);
    for room in 0..20 {
        client.open(c(&format!("room{room}")), 0);
        handle(
            &mut client,
            &format!(r#"{{"type":"response_complete","message_id":"answer{room}","content":"text"}}"#),
        );
    }
    assert_eq!(client.registry.iter().count(), 20);
}
