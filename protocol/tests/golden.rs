//! Pins the JSON of every frame. `UPDATE_GOLDEN=1 cargo test -p riacho-protocol` writes the files anew: look at the diff.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use riacho_protocol::*;

fn c(id: &str) -> ConversationId {
    ConversationId::new(id).unwrap()
}

fn m(id: &str) -> MessageId {
    MessageId::new(id).unwrap()
}

fn info() -> MessageInfo {
    MessageInfo {
        message_id: m("a"),
        epoch: 1,
        role: Role::Assistant,
        status: Status::Error,
        length: 6,
        parts: vec![
            PartInfo { kind: PartKind::Reasoning, ..PartInfo::default() },
            PartInfo { kind: PartKind::ToolCall, id: Some("call_1".into()), name: Some("search".into()) },
        ],
        parent_id: Some(m("u")),
        provider: Some("openai".into()),
        model: Some("some-model".into()),
        reason: None,
        error: Some(Failure {
            code: ErrorCode::ProviderRateLimited,
            message: "slow down".into(),
            retry_after: Some(3),
        }),
        usage: Some(usage()),
        metrics: Some(metrics()),
    }
}

fn usage() -> Usage {
    Usage { input_tokens: Some(12), output_tokens: Some(34), reasoning_tokens: Some(5), estimated: true }
}

fn metrics() -> Metrics {
    Metrics { first_token_ms: Some(210), duration_ms: 1500, finish_reason: Some("stop".into()) }
}

fn client_frames() -> Vec<ClientFrame> {
    let (message_id, epoch) = (m("a"), 1);
    vec![
        Hello {
            protocol: PROTOCOL_VERSION,
            token: Some("t".into()),
            preferences: [("theme", "dark"), ("language", "pt-BR")].into_iter().collect(),
        }
        .into(),
        JoinConversation {
            conversation_id: c("c"),
            have: [(m("a"), Position { epoch: 1, offset: 6 })].into(),
        }
        .into(),
        LeaveConversation { conversation_id: c("c") }.into(),
        SendMessage {
            conversation_id: c("c"),
            message_id: m("u"),
            reply_id: m("a"),
            parent_id: Some(m("p")),
            content: "Olá \"você\"\n".into(),
            provider: Some("openai".into()),
            model: Some("some-model".into()),
            options: Options { temperature: Number::new("0.5"), top_p: None, max_tokens: Some(100) },
        }
        .into(),
        Stop { message_id: message_id.clone(), epoch }.into(),
        Pause { message_id: message_id.clone(), epoch }.into(),
        Resume { message_id: message_id.clone(), epoch }.into(),
        Retry { message_id, epoch }.into(),
        ListConversations {}.into(),
        UpdateConversation {
            conversation_id: c("c"),
            title: Some("Rios".into()),
            status: Some(ConversationStatus::Closed),
        }
        .into(),
        LoadHistory { conversation_id: c("c"), before: Some(m("u")), limit: 50 }.into(),
        Ping {}.into(),
    ]
}

fn server_frames() -> Vec<ServerFrame> {
    vec![
        Welcome {
            protocol: PROTOCOL_VERSION,
            limits: Limits::default(),
            providers: vec!["openai".into(), "demo".into()],
        }
        .into(),
        ConversationJoined { conversation_id: c("c"), messages: vec![info()], more: true }.into(),
        Conversations {
            conversations: vec![ConversationInfo {
                conversation_id: c("c"),
                title: "Rios".into(),
                status: ConversationStatus::Open,
                updated_at: 1_790_000_000_000,
                streaming: true,
            }],
        }
        .into(),
        History { conversation_id: c("c"), messages: vec![info()], more: false }.into(),
        MessageStarted {
            conversation_id: c("c"),
            message_id: m("a"),
            epoch: 1,
            role: Role::Assistant,
            parent_id: Some(m("u")),
            provider: Some("openai".into()),
            model: Some("some-model".into()),
        }
        .into(),
        MessageChunk {
            conversation_id: c("c"),
            message_id: m("a"),
            epoch: 1,
            offset: 6,
            part: 2,
            kind: Some(PartKind::ToolCall),
            id: Some("call_1".into()),
            name: Some("search".into()),
            content: "{\"q\":\"rio\"}".into(),
        }
        .into(),
        MessageStatus {
            message_id: m("a"),
            epoch: 1,
            status: Status::Pending,
            detail: Some("mistral failed; asking again in 2 s.".into()),
            code: Some("asking_again".into()),
            provider: Some("mistral".into()),
            retry_after: Some(2),
        }
        .into(),
        ResponseComplete {
            message_id: m("a"),
            epoch: 1,
            status: Status::Interrupted,
            reason: Some(InterruptReason::Stopped),
            length: 6,
            usage: usage(),
            metrics: metrics(),
        }
        .into(),
        StreamError {
            message_id: m("a"),
            epoch: 1,
            code: ErrorCode::ProviderFailed,
            message: "the provider failed".into(),
            retry_after: Some(3),
            length: 6,
        }
        .into(),
        LeaveConversation { conversation_id: c("c") }.into(),
        ErrorFrame {
            code: ErrorCode::UnknownFrame,
            message: "unknown frame type \"shout\"".into(),
            in_reply_to: Some("shout".into()),
            retry_after: None,
        }
        .into(),
        Pong {}.into(),
    ]
}

fn pin(direction: &str, name: &str, json: &str) {
    let file: PathBuf =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(direction).join(format!("{name}.json"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, format!("{json}\n")).unwrap();
    }
    let golden = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    assert_eq!(json, golden.trim_end(), "{direction} {name}: the wire changed");
}

#[test]
fn every_client_frame_is_pinned_and_reads_back() {
    let mut seen = BTreeSet::new();
    for frame in client_frames() {
        pin("client", frame.type_name(), &frame.encode());
        assert_eq!(ClientFrame::decode(&frame.encode()).unwrap(), frame);
        seen.insert(frame.type_name());
    }
    assert_eq!(seen, ClientFrame::TYPES.iter().copied().collect());
}

#[test]
fn every_server_frame_is_pinned_and_reads_back() {
    let mut seen = BTreeSet::new();
    for frame in server_frames() {
        pin("server", frame.type_name(), &frame.encode());
        assert_eq!(ServerFrame::decode(&frame.encode()).unwrap(), frame);
        seen.insert(frame.type_name());
    }
    assert_eq!(seen, ServerFrame::TYPES.iter().copied().collect());
}

#[test]
fn what_is_left_out_has_its_default() {
    let ServerFrame::MessageChunk(chunk) = ServerFrame::decode(
        r#"{"type":"message_chunk","conversation_id":"c","message_id":"a","epoch":0,"offset":0,"content":"x"}"#,
    )
    .unwrap() else {
        panic!("no chunk")
    };
    assert_eq!((chunk.part, chunk.kind), (0, None));
}

#[test]
fn unknown_fields_are_ignored_and_unknown_types_have_their_code() {
    assert!(ClientFrame::decode(r#"{"type":"ping","of":"the future","nested":{"a":[1]}}"#).is_ok());
    let code = |text: &str| ClientFrame::decode(text).unwrap_err().code();
    assert_eq!(code(r#"{"type":"shout"}"#), ErrorCode::UnknownFrame);
    assert_eq!(code(r#"{"type":"stop"}"#), ErrorCode::BadFrame);
    assert_eq!(code(r#"{"type":"stop","message_id":"","epoch":0}"#), ErrorCode::BadFrame);
    assert_eq!(code(r#"{"type":"stop","message_id":"a","epoch":-1}"#), ErrorCode::BadFrame);
    assert_eq!(code(r#"{"no":"type"}"#), ErrorCode::BadJson);
    assert_eq!(code("[]"), ErrorCode::BadJson);
    assert_eq!(code(""), ErrorCode::BadJson);
    assert_eq!(code(&"[".repeat(100_000)), ErrorCode::BadJson);
}
