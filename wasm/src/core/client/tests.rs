//! The client with a scripted relay: what goes in as frames, what comes out as outputs and text.

use super::*;
use crate::core::engine::Batch;
use crate::core::event::ConnectionState;
use crate::core::sweeper::Container;
use riacho_protocol::*;

// The same tests natively and in the browser.
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

struct Page {
    client: Client,
    outputs: Vec<Output>,
    now: Millis,
}

fn c(id: &str) -> ConversationId {
    ConversationId::new(id).unwrap()
}

fn m(id: &str) -> MessageId {
    MessageId::new(id).unwrap()
}

impl Page {
    fn new(transport: Transport) -> Self {
        let config = Config {
            transport,
            sweep: Sweep::default(),
            policy: Rc::new(Policy::default()),
            window: None,
            preferences: Preferences::default(),
        };
        Self { client: Client::new(config), outputs: Vec::new(), now: 1_000 }
    }

    /// A page whose socket is open and which shows conversation `c`.
    fn joined() -> Self {
        let mut page = Self::new(Transport::Relay);
        page.client.connect(page.now);
        page.welcome();
        page.client.open(c("c"), page.now);
        page.joined_with("c", vec![]);
        page.drain();
        page
    }

    fn welcome(&mut self) {
        self.client.handle_open(None, self.now);
        self.frame(Welcome { protocol: 1, limits: Limits::default(), providers: vec![] });
    }

    fn joined_with(&mut self, conversation: &str, messages: Vec<MessageInfo>) {
        self.frame(ConversationJoined { conversation_id: c(conversation), messages, more: false });
    }

    fn frame(&mut self, frame: impl Into<ServerFrame>) {
        self.client.handle_text(&frame.into().encode(), self.now);
    }

    fn drain(&mut self) -> Vec<Output> {
        while let Some(output) = self.client.poll_output() {
            self.outputs.push(output);
        }
        std::mem::take(&mut self.outputs)
    }

    fn sent(&mut self) -> Vec<ClientFrame> {
        self.drain()
            .into_iter()
            .filter_map(|output| match output {
                Output::Transmit(text) => Some(ClientFrame::decode(&text).unwrap()),
                _ => None,
            })
            .collect()
    }

    fn started(&mut self, conversation: &str, message: &str, epoch: u32) {
        self.frame(MessageStarted {
            conversation_id: c(conversation),
            message_id: m(message),
            epoch,
            role: Role::Assistant,
            parent_id: None,
            provider: None,
            model: None,
        });
    }

    fn chunk(&mut self, conversation: &str, message: &str, epoch: u32, offset: u64, content: &str) {
        self.frame(chunk(conversation, message, epoch, offset, content));
    }

    fn complete(&mut self, message: &str, epoch: u32, length: u64) {
        self.frame(ResponseComplete {
            message_id: m(message),
            epoch,
            status: Status::Completed,
            reason: None,
            length,
            usage: Usage::default(),
            metrics: Metrics::default(),
        });
    }

    fn text(&self, message: &str) -> &str {
        self.client.text(&m(message)).unwrap()
    }

    fn status(&self, message: &str) -> Status {
        self.client.registry.get(&m(message)).unwrap().status
    }

    /// What the engine of a mounted message has been given.
    fn shown(&mut self, message: &str) -> String {
        self.client.render(None, self.now, |_, _: &Batch| ());
        self.client.views.get(&m(message)).unwrap().engine.text().to_owned()
    }

    fn send(&mut self, message: &str, reply: &str, content: &str) -> Result<Receipt, SendError> {
        self.client.send(
            SendRequest {
                message_id: m(message),
                reply_id: m(reply),
                content: content.to_owned(),
                provider: None,
                model: None,
                options: Options::default(),
            },
            self.now,
        )
    }
}

fn chunk(conversation: &str, message: &str, epoch: u32, offset: u64, content: &str) -> MessageChunk {
    MessageChunk {
        conversation_id: c(conversation),
        message_id: m(message),
        epoch,
        offset,
        part: 0,
        kind: None,
        id: None,
        name: None,
        content: content.to_owned(),
    }
}

fn info(message: &str, epoch: u32, status: Status, length: u64) -> MessageInfo {
    MessageInfo {
        message_id: m(message),
        epoch,
        role: Role::Assistant,
        status,
        length,
        parts: vec![],
        parent_id: None,
        provider: None,
        model: None,
        reason: None,
        error: None,
        usage: None,
        metrics: None,
    }
}

fn mounts(outputs: &[Output]) -> Vec<&str> {
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::Mount(mount) => Some(mount.message_id.as_str()),
            _ => None,
        })
        .collect()
}

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
