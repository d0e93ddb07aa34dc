//! The package's types against the Rust that they describe: every event with all its fields, the enums, and `debug()`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use riacho_client::core::client::{Client, Config, Transport};
use riacho_client::core::event::{
    ConnectionState, ConversationLine, Event, EventError, EventMetrics, EventUsage,
};
use riacho_client::core::sweeper::Sweep;
use riacho_protocol::{
    ConversationId, ConversationStatus, ErrorCode, InterruptReason, MessageId, OTHER, PREFERENCES, PartKind,
    Preferences, Role, Status,
};
use serde_json::Value;

fn types() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pkg/index.d.ts");
    let text = std::fs::read_to_string(file).unwrap();
    // Without comments: what is left is declarations.
    let mut rest = text.as_str();
    let mut plain = String::new();
    while let Some((before, after)) = rest.split_once("/*") {
        plain.push_str(before);
        rest = after.split_once("*/").unwrap().1;
    }
    plain.push_str(rest);
    plain.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The fields of `{ a: x; b?: { … }; … }`, the ones of the first level.
fn fields(body: &str) -> BTreeSet<String> {
    let mut depth = 0;
    let mut names = BTreeSet::new();
    for piece in body.split_inclusive([';', '{', '}', '<', '>']) {
        if depth == 0
            && let Some((name, _)) = piece.split_once(':')
        {
            let name = name.trim().trim_start_matches("readonly ").trim_end_matches('?');
            names.insert(name.to_owned());
        }
        depth += match piece.chars().last() {
            Some('{' | '<') => 1,
            Some('}' | '>') => -1,
            _ => 0,
        };
    }
    names
}

/// What stands between the braces that open behind `start`.
fn braced<'a>(types: &'a str, start: &str) -> &'a str {
    let at = types.find(start).unwrap_or_else(|| panic!("no {start:?} in index.d.ts")) + start.len();
    let from = at + types[at..].find('{').unwrap() + 1;
    let mut depth = 1;
    for (index, character) in types[from..].char_indices() {
        depth += match character {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        if depth == 0 {
            return &types[from..from + index];
        }
    }
    panic!("{start:?} is not closed");
}

/// The members of `ChatEvent`, by their `type`.
fn union(types: &str) -> BTreeMap<String, BTreeSet<String>> {
    let at = types.find("type ChatEvent =").unwrap();
    let end = at + types[at..].find("export interface ChatOptions").unwrap();
    let mut rest = &types[at..end];
    let mut members = BTreeMap::new();
    while let Some(next) = rest.find("| {") {
        let body = braced(&rest[next..], "|");
        let (_, kind) = body.split_once("type: \"").unwrap();
        members.insert(kind.split_once('"').unwrap().0.to_owned(), fields(body));
        rest = &rest[next + 3 + body.len()..];
    }
    members
}

fn samples() -> Vec<Event> {
    let c = || ConversationId::new("c").unwrap();
    let m = || MessageId::new("m").unwrap();
    let all = vec![
        Event::Connection { state: ConnectionState::Waiting, retry_in_ms: Some(1) },
        Event::Welcome { providers: vec![] },
        Event::Conversations {
            conversations: vec![ConversationLine {
                conversation_id: c(),
                title: "t".into(),
                status: ConversationStatus::Open,
                updated_at: 1,
                streaming: false,
            }],
        },
        Event::Opened { conversation_id: c() },
        Event::Joined { conversation_id: c(), more: false },
        Event::History { conversation_id: c(), more: false },
        Event::Message { conversation_id: c(), message_id: m(), epoch: 0, role: Role::User },
        Event::Chunk {
            conversation_id: c(),
            message_id: m(),
            epoch: 0,
            kind: PartKind::Text,
            offset: 0,
            length: 1,
            text: "t".into(),
            in_code: false,
            language: Some("rs".into()),
        },
        Event::Status {
            conversation_id: c(),
            message_id: m(),
            epoch: 0,
            status: Status::Error,
            detail: Some("d".into()),
            reason: Some(InterruptReason::Stopped),
            error: Some(EventError { code: ErrorCode::Internal, message: "m".into(), retry_after: Some(1) }),
            usage: Some(EventUsage {
                input_tokens: Some(1),
                output_tokens: Some(1),
                reasoning_tokens: Some(1),
                estimated: true,
            }),
            metrics: Some(EventMetrics {
                first_token_ms: Some(1),
                duration_ms: 1,
                finish_reason: Some("stop".into()),
            }),
        },
        Event::Retry { conversation_id: c(), message_id: m(), epoch: 1 },
        Event::Left { conversation_id: c() },
        Event::SanitizerUnavailable { message: "m".into() },
        Event::Error { code: "c", message: "m".into(), in_reply_to: Some("m".into()), retry_after: Some(1) },
    ];
    for event in &all {
        // A variant that is missing here does not compile: it must be added above, too.
        match event {
            Event::Connection { .. }
            | Event::Welcome { .. }
            | Event::Conversations { .. }
            | Event::Opened { .. }
            | Event::Joined { .. }
            | Event::History { .. }
            | Event::Message { .. }
            | Event::Chunk { .. }
            | Event::Status { .. }
            | Event::Retry { .. }
            | Event::Left { .. }
            | Event::SanitizerUnavailable { .. }
            | Event::Error { .. } => {}
        }
    }
    all
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn every_event_is_typed_with_exactly_its_fields() {
    let types = types();
    let union = union(&types);
    let mut said = BTreeSet::new();
    for event in samples() {
        let json: Value = serde_json::from_str(&event.to_json()).unwrap();
        let kind = json["type"].as_str().unwrap().to_owned();
        let typed = union.get(&kind).unwrap_or_else(|| panic!("no event {kind:?} in index.d.ts"));
        assert_eq!(&keys(&json), typed, "{kind}");
        for (name, interface) in [
            ("usage", "interface Usage"),
            ("metrics", "interface Metrics"),
            ("conversations", "interface ConversationLine"),
        ] {
            let inner = if name == "conversations" { &json[name][0] } else { &json[name] };
            if inner.is_object() {
                assert_eq!(keys(inner), fields(braced(&types, interface)), "{interface}");
            }
        }
        if kind == "status" {
            let error = fields(braced(&types, "reason?: InterruptReason;"));
            assert_eq!(keys(&json["error"]), error);
        }
        said.insert(kind);
    }
    // What the package says itself.
    said.insert("degraded".to_owned());
    assert_eq!(said, union.into_keys().collect());
}

#[test]
fn what_debug_says_is_typed() {
    let config = Config {
        transport: Transport::Page,
        sweep: Sweep::default(),
        window: None,
        preferences: Preferences::default(),
    };
    let debug: Value = serde_json::from_str(&Client::new(config).debug().to_json()).unwrap();
    let mut said = keys(&debug);
    // The edge counts them.
    said.insert("containers".to_owned());
    assert_eq!(said, fields(braced(&types(), "interface ChatDebug")));
}

#[test]
fn preferences_are_typed_and_on_the_page_of_the_wire() {
    let types = types();
    let body = braced(&types, "interface Preferences");
    let names = PREFERENCES.iter().map(|(name, _)| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(fields(body), names);
    let wire = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/PROTOCOL.md");
    let wire = std::fs::read_to_string(wire).unwrap();
    for (name, values) in PREFERENCES {
        let row = wire.lines().find_map(|line| line.strip_prefix(&format!("| `{name}` |")));
        let listed: Vec<_> =
            row.unwrap_or_else(|| panic!("no row of {name}")).split('`').skip(1).step_by(2).collect();
        assert_eq!(listed, *values, "{name}");
        let declared = body.split_once(&format!("{name}?:")).unwrap().1.split_once(';').unwrap().0;
        // Any tag of a language will do: what is counted of it is its first subtag.
        if *name != "language" {
            let typed: Vec<_> = declared.split('"').skip(1).step_by(2).collect();
            assert_eq!(typed, [*values, &[OTHER]].concat(), "{name}");
        }
    }
}

/// The strings of `export type name = "a" | "b";`.
fn strings(types: &str, name: &str) -> BTreeSet<String> {
    let at = types.find(&format!("type {name} =")).unwrap_or_else(|| panic!("no type {name}"));
    let declaration = types[at..].split_once(';').unwrap().0;
    declaration.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_enum_is_typed_with_exactly_its_words() {
    let types = types();
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
    let status = [Status::Pending, Status::Streaming, Status::Completed, Status::Interrupted, Status::Error];
    assert_eq!(strings(&types, "Status"), words(&status.map(Status::as_str)));
    let roles = [Role::User, Role::Assistant];
    assert_eq!(strings(&types, "Role"), words(&roles.map(Role::as_str)));
    let kinds = [PartKind::Text, PartKind::Reasoning, PartKind::ToolCall, PartKind::Refusal];
    assert_eq!(strings(&types, "PartKind"), words(&kinds.map(PartKind::as_str)));
    let reasons = [InterruptReason::Stopped, InterruptReason::Restart, InterruptReason::Unread];
    assert_eq!(strings(&types, "InterruptReason"), words(&reasons.map(InterruptReason::as_str)));
}
