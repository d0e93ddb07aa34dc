//! The client with a scripted relay: where text goes, on the screen and off it, and what ends it.

use super::scripted::*;
use super::*;
use crate::core::sweeper::Container;
use riacho_protocol::*;

// The same tests natively and in the browser.
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn what_an_element_says_of_itself_never_runs_ahead_of_its_text() {
    let mut page = Page::joined();
    page.started("c", "a", 0);
    page.chunk("c", "a", 0, 0, "Olá");
    page.complete("a", 0, 4);
    let outputs = page.drain();
    let completed = |output: &Output| {
        matches!(output, Output::SetStatus(_, Appearance { status: Status::Completed, .. }))
    };
    assert!(outputs.iter().any(completed));
    assert_eq!(outputs.last(), Some(&Output::Render));
    // Coming back to several: one call when all their elements stand.
    page.started("c", "b", 0);
    page.chunk("c", "b", 0, 0, "Rio");
    page.client.open(c("d"), page.now);
    page.drain();
    page.client.open(c("c"), page.now);
    let outputs = page.drain();
    assert_eq!(mounts(&outputs), ["a", "b"]);
    assert_eq!(outputs.iter().filter(|output| **output == Output::Render).count(), 1);
    assert_eq!(outputs.last(), Some(&Output::Render));
}

#[test]
fn an_answer_and_its_replay_are_one_container_and_one_text() {
    let mut page = Page::joined();
    let mut outputs = page.drain();
    for _ in 0..3 {
        page.started("c", "a", 0);
        page.chunk("c", "a", 0, 0, "Olá, ");
        page.chunk("c", "a", 0, 2, "á, mun");
        page.chunk("c", "a", 0, 6, "mundo");
        page.complete("a", 0, 11);
        outputs.extend(page.drain());
    }
    assert_eq!((page.text("a"), page.status("a")), ("Olá, mundo", Status::Completed));
    assert_eq!(mounts(&outputs), ["a"]);
    assert_eq!(page.shown("a"), "Olá, mundo");
}

#[test]
fn a_completion_waits_for_the_text_that_it_counts() {
    let mut page = Page::joined();
    page.started("c", "a", 0);
    page.chunk("c", "a", 0, 0, "half ");
    page.complete("a", 0, 9);
    assert_eq!(page.status("a"), Status::Streaming);
    let sent = page.sent();
    let [ClientFrame::JoinConversation(join)] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(join.have.get(&m("a")), Some(&Position { epoch: 0, offset: 5 }));
    page.joined_with("c", vec![info("a", 0, Status::Completed, 9)]);
    page.chunk("c", "a", 0, 5, "done");
    assert_eq!((page.text("a"), page.status("a")), ("half done", Status::Completed));
}

#[test]
fn another_conversation_streams_on_without_touching_the_screen() {
    let mut page = Page::joined();
    page.started("c", "a", 0);
    page.chunk("c", "a", 0, 0, "one ");
    page.client.open(c("d"), page.now);
    let sent = page.sent();
    assert!(matches!(sent.as_slice(), [ClientFrame::JoinConversation(_)]), "stays in the first: {sent:?}");
    page.joined_with("d", vec![]);
    page.drain();
    page.chunk("c", "a", 0, 4, "two");
    let outputs = page.drain();
    assert!(
        outputs.iter().all(|output| matches!(output, Output::Emit(_))),
        "a background chunk is events only: {outputs:?}"
    );
    page.complete("a", 0, 7);
    page.frame(LeaveConversation { conversation_id: c("c") });
    assert!(matches!(page.sent().as_slice(), [ClientFrame::LeaveConversation(_)]));
    page.client.open(c("c"), page.now);
    assert_eq!(mounts(&page.drain()), ["a"]);
    assert_eq!(page.shown("a"), "one two");
}

#[test]
fn a_leave_that_crosses_the_readers_return_is_ignored() {
    let mut page = Page::joined();
    page.started("c", "a", 0);
    page.client.open(c("d"), page.now);
    page.client.open(c("c"), page.now);
    page.drain();
    page.frame(LeaveConversation { conversation_id: c("c") });
    assert!(page.sent().is_empty());
}

#[test]
fn an_idle_conversation_is_left_at_once() {
    let mut page = Page::joined();
    page.client.open(c("d"), page.now);
    let sent = page.sent();
    assert!(
        matches!(sent.as_slice(), [ClientFrame::JoinConversation(_), ClientFrame::LeaveConversation(_)]),
        "{sent:?}"
    );
}

#[test]
fn a_gap_is_mended_by_one_join() {
    let mut page = Page::joined();
    page.started("c", "a", 0);
    page.chunk("c", "a", 0, 0, "ab");
    page.chunk("c", "a", 0, 4, "ef");
    page.chunk("c", "a", 0, 6, "gh");
    assert_eq!(page.sent().len(), 1);
    page.joined_with("c", vec![info("a", 0, Status::Streaming, 8)]);
    page.chunk("c", "a", 0, 2, "cdefgh");
    assert_eq!(page.text("a"), "abcdefgh");
}

#[test]
fn a_retry_starts_over_in_the_same_container() {
    let mut page = Page::joined();
    page.started("c", "a", 0);
    page.chunk("c", "a", 0, 0, "first");
    page.complete("a", 0, 5);
    page.client.retry(&m("a")).unwrap();
    assert!(matches!(page.sent().as_slice(), [ClientFrame::Retry(Retry { epoch: 0, .. })]));
    page.started("c", "a", 1);
    page.chunk("c", "a", 0, 5, " late");
    page.chunk("c", "a", 1, 0, "second");
    page.complete("a", 0, 5);
    assert_eq!((page.text("a"), page.status("a")), ("second", Status::Streaming));
    let outputs = page.drain();
    assert!(mounts(&outputs).is_empty() && outputs.contains(&Output::Reset(m("a"))));
    page.complete("a", 1, 6);
    assert_eq!((page.shown("a").as_str(), page.status("a")), ("second", Status::Completed));
}

#[test]
fn a_pause_holds_the_display_and_not_the_text() {
    let mut page = Page::joined();
    page.started("c", "a", 0);
    page.chunk("c", "a", 0, 0, "shown");
    page.client.pause(&m("a")).unwrap();
    page.client.pause(&m("a")).unwrap();
    assert_eq!(page.sent().len(), 1);
    page.chunk("c", "a", 0, 5, " unseen");
    assert_eq!((page.shown("a").as_str(), page.text("a")), ("shown", "shown unseen"));
    page.client.handle_closed(None, page.now, 0);
    page.now += 60_000;
    page.client.handle_timeout(page.now, 0);
    page.welcome();
    page.drain();
    page.joined_with("c", vec![info("a", 0, Status::Streaming, 12)]);
    assert!(matches!(page.sent().as_slice(), [ClientFrame::Pause(_)]), "said again on the new socket");
    page.client.resume(&m("a")).unwrap();
    page.chunk("c", "a", 0, 12, ".");
    page.complete("a", 0, 13);
    assert_eq!(page.shown("a"), "shown unseen.");
}

#[test]
fn a_foreign_transport_replays_and_completes_with_the_whole_text() {
    let mut page = Page::new(Transport::Page);
    page.client.open(c("c"), page.now);
    let events = [
        r#"{"type":"message_chunk","message_id":"a","chunk_number":0,"content":"Hel"}"#,
        r#"{"type":"message_chunk","message_id":"a","chunk_number":1,"content":"lo"}"#,
        r#"{"type":"response_complete","message_id":"a","content":"Hello!"}"#,
    ];
    for event in events.iter().chain(&events) {
        page.client.handle_event(event, page.now).unwrap();
    }
    assert_eq!((page.text("a"), page.status("a")), ("Hello!", Status::Completed));
    assert_eq!(mounts(&page.drain()), ["a"]);
    page.client
        .handle_event(r#"{"type":"response_complete","message_id":"a","content":"Other"}"#, page.now)
        .unwrap();
    assert_eq!((page.text("a"), page.status("a")), ("Other", Status::Completed));
    assert_eq!(page.client.handle_event("nonsense", 0).unwrap_err().code(), ErrorCode::BadJson);
    assert_eq!(
        page.client.handle_event(r#"{"type":"shout","message_id":"a"}"#, 0).unwrap_err().code(),
        ErrorCode::UnknownFrame
    );
}

#[test]
fn orphans_are_adopted_or_swept_and_what_may_fill_is_left_alone() {
    let mut page = Page::joined();
    page.started("c", "pending", 0);
    page.started("c", "empty", 0);
    page.complete("empty", 0, 0);
    let container =
        |id: &str, has_text| Container { message_id: m(id), role: Some(Role::Assistant), has_text };
    let found = vec![
        container("pending", false),
        container("empty", false),
        container("server-rendered", true),
        container("stray", false),
    ];
    page.drain();
    page.client.handle_survey(found.clone(), page.now);
    assert_eq!(
        page.drain().into_iter().filter(|o| !matches!(o, Output::Emit(_))).collect::<Vec<_>>(),
        [Output::Unmount(m("stray"))]
    );
    assert_eq!(page.status("server-rendered"), Status::Completed);
    page.now += 60_000;
    page.client.handle_survey(found.into_iter().filter(|f| f.message_id != m("stray")).collect(), page.now);
    assert_eq!(page.drain(), [Output::Unmount(m("empty"))]);
    page.started("c", "empty", 1);
    assert_eq!(mounts(&page.drain()), ["empty"], "a retry of what was swept has an element again");

    // The relay knows the adopted one after all: its text takes the place of what stood there, in the same element.
    page.joined_with("c", vec![info("server-rendered", 0, Status::Completed, 4)]);
    assert!(!page.drain().contains(&Output::Reset(m("server-rendered"))), "not before text comes");
    page.chunk("c", "server-rendered", 0, 0, "text");
    let outputs = page.drain();
    assert!(outputs.contains(&Output::Reset(m("server-rendered"))) && mounts(&outputs).is_empty());
    assert_eq!(page.shown("server-rendered"), "text");
    assert_eq!(page.status("server-rendered"), Status::Completed);
}
