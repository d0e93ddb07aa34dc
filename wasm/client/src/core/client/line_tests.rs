//! The client with a scripted relay: the line comes and goes, pages reload, and nothing is lost or sent twice.

use super::scripted::*;
use super::*;
use crate::core::event::ConnectionState;
use riacho_protocol::*;

// The same tests natively and in the browser.
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn what_was_written_offline_is_sent_once_the_room_is_joined() {
    let mut page = Page::joined();
    page.client.handle_closed(None, page.now, 0);
    page.send("u", "a", "Olá").unwrap();
    page.client.stop(&m("a"), page.now).unwrap();
    assert!(page.sent().is_empty());
    page.now += 60_000;
    page.client.handle_timeout(page.now, 0);
    page.welcome();
    assert!(matches!(page.sent().as_slice(), [ClientFrame::Hello(_), ClientFrame::JoinConversation(_)]));
    page.joined_with("c", vec![]);
    let sent = page.sent();
    assert!(matches!(sent.as_slice(), [ClientFrame::SendMessage(_), ClientFrame::Stop(_)]), "{sent:?}");
    page.frame(MessageStarted {
        conversation_id: c("c"),
        message_id: m("u"),
        epoch: 0,
        role: Role::User,
        parent_id: None,
        provider: None,
        model: None,
    });
    page.chunk("c", "u", 0, 0, "Olá");
    assert_eq!(page.text("u"), "Olá");
    page.client.handle_closed(None, page.now, 0);
    page.now += 60_000;
    page.client.handle_timeout(page.now, 0);
    page.welcome();
    page.joined_with("c", vec![]);
    assert!(!page.sent().iter().any(|frame| matches!(frame, ClientFrame::SendMessage(_))));
}

#[test]
fn a_send_that_the_relay_refuses_is_said_at_the_answer() {
    let mut page = Page::joined();
    page.send("u", "a", "Olá").unwrap();
    page.frame(ErrorFrame {
        code: ErrorCode::UnknownProvider,
        message: "no such provider".into(),
        in_reply_to: Some("u".into()),
        retry_after: None,
    });
    assert_eq!(page.status("a"), Status::Error);
    assert!(page.drain().iter().any(|output| matches!(
        output,
        Output::SetStatus(_, Appearance { notice: Some(words), .. }) if words == "no such provider"
    )));
}

#[test]
fn a_send_that_makes_no_sense_does_nothing() {
    let mut page = Page::new(Transport::Relay);
    assert_eq!(page.send("u", "a", "x"), Err(SendError::NoConversation));
    let mut page = Page::joined();
    assert_eq!(page.send("u", "a", " \n"), Err(SendError::Empty));
    let long = "x".repeat(200_000);
    assert_eq!(page.send("u", "a", &long).unwrap_err().code(), "content_too_long");
    assert_eq!(page.client.stop(&m("nobody"), 0).unwrap_err().code(), "unknown_message");
    assert!(page.drain().is_empty());
}

#[test]
fn what_the_relay_lost_is_interrupted_and_never_hangs() {
    let mut page = Page::joined();
    page.started("c", "a", 0);
    page.chunk("c", "a", 0, 0, "so far");
    page.client.handle_closed(None, page.now, 0);
    page.now += 60_000;
    page.client.handle_timeout(page.now, 0);
    page.welcome();
    page.joined_with("c", vec![]);
    assert_eq!((page.text("a"), page.status("a")), ("so far", Status::Interrupted));
}

#[test]
fn a_reload_shows_what_was_there_and_asks_only_for_the_rest() {
    let mut page = Page::joined();
    page.send("u", "a", "Olá").unwrap();
    page.started("c", "u", 0);
    page.started("c", "a", 0);
    page.chunk("c", "a", 0, 0, "half ");
    let kept = page.client.snapshot(1_000_000);

    let mut page = Page::new(Transport::Relay);
    let open = page.client.restore(&kept).unwrap().unwrap();
    page.client.connect(page.now);
    page.client.open(open, page.now);
    assert_eq!(mounts(&page.drain()), ["u", "a"]);
    assert_eq!(page.shown("a"), "half ");
    page.welcome();
    let sent = page.sent();
    let [ClientFrame::Hello(_), ClientFrame::JoinConversation(join)] = sent.as_slice() else {
        panic!("{sent:?}")
    };
    assert_eq!(join.have.get(&m("a")), Some(&Position { epoch: 0, offset: 5 }));
    assert!(matches!(page.client.restore("{}"), Err(SnapshotError::Unreadable(_))));
}

#[test]
fn preferences_are_told_once_and_only_where_they_are_given() {
    let hellos = |given: Preferences| {
        let mut page = Page::new(Transport::Relay);
        page.client.config.preferences = given;
        page.client.connect(page.now);
        let mut told = Vec::new();
        for _ in 0..2 {
            page.welcome();
            for output in page.drain() {
                if let Output::Transmit(text) = output
                    && let ClientFrame::Hello(hello) = ClientFrame::decode(&text).unwrap()
                {
                    told.push((hello.preferences, text.contains("preferences")));
                }
            }
            page.client.handle_closed(None, page.now, 0);
            page.client.handle_wake(page.now);
        }
        told
    };
    let nothing = || (Preferences::default(), false);
    assert_eq!(hellos(Preferences::default()), [nothing(), nothing()]);
    let dark = || [("theme", "dark")].into_iter().collect::<Preferences>();
    assert_eq!(hellos(dark()), [(dark(), true), nothing()]);
}

#[test]
fn a_snapshot_keeps_to_its_budget_from_the_newest_on() {
    let mut page = Page::joined();
    for id in ["a", "b", "d"] {
        page.started("c", id, 0);
        page.chunk("c", id, 0, 0, &"x".repeat(1_000));
    }
    let kept = page.client.snapshot(3_000);
    let mut page = Page::new(Transport::Relay);
    page.client.restore(&kept).unwrap();
    let known: Vec<_> = page.client.registry.in_order(&c("c")).map(|(id, _)| id.as_str()).collect();
    assert_eq!(known, ["b", "d"]);
}

#[test]
fn a_silent_line_is_pinged_then_dropped_then_tried_again() {
    let mut page = Page::joined();
    let mut pings = 0;
    let dropped = loop {
        page.now = page.client.connection.next_timeout().unwrap();
        page.client.handle_timeout(page.now, u32::MAX);
        let outputs = page.drain();
        pings += outputs.iter().filter(|o| matches!(o, Output::Transmit(t) if t.contains("ping"))).count();
        if outputs.contains(&Output::Disconnect) {
            break outputs;
        }
    };
    assert_eq!(pings, 1);
    assert!(dropped.contains(&Output::Emit(Event::Connection {
        state: ConnectionState::Waiting,
        retry_in_ms: Some(250)
    })));
    page.client.handle_wake(page.now);
    assert!(page.drain().contains(&Output::Connect), "the network is back: no more waiting");
    page.client.close();
    page.client.handle_closed(None, page.now, 0);
    page.client.handle_wake(page.now);
    assert!(!page.drain().contains(&Output::Connect), "closed is closed");
}

#[test]
fn frames_from_a_newer_relay_and_garbage_do_no_harm() {
    let mut page = Page::joined();
    page.client.handle_text(r#"{"type":"of_the_future"}"#, page.now);
    assert!(page.drain().is_empty());
    page.client.handle_text("{", page.now);
    page.client.handle_text(r#"{"type":"message_chunk"}"#, page.now);
    let codes: Vec<_> = page
        .drain()
        .into_iter()
        .map(|output| match output {
            Output::Emit(Event::Error { code, .. }) => code,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(codes, ["bad_json", "bad_frame"]);
    page.chunk("c", "never-started", 0, 7, "x");
    assert!(matches!(page.sent().as_slice(), [ClientFrame::JoinConversation(_)]), "a gap like any");
}
