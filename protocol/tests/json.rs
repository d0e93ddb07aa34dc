//! The wire's JSON against serde_json: what one reads the other reads, to the same value; what one writes the other reads.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use riacho_protocol::json::{FromJson, ToJson, Value, from_text, to_text};
use riacho_protocol::*;

/// Ours in serde_json's words; `None` where a number is beyond any float, which serde_json refuses and we never look at.
fn theirs(value: &Value<'_>) -> Option<serde_json::Value> {
    Some(match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(bool) => serde_json::Value::Bool(*bool),
        Value::Number(text) => serde_json::from_str(text).ok()?,
        Value::String(text) => serde_json::Value::String(text.clone().into_owned()),
        Value::Array(items) => items.iter().map(theirs).collect::<Option<Vec<_>>>()?.into(),
        Value::Object(pairs) => {
            let pairs = pairs.iter().map(|(name, value)| Some((name.clone().into_owned(), theirs(value)?)));
            serde_json::Value::Object(pairs.collect::<Option<_>>()?)
        }
    })
}

fn both_read(text: &str) {
    let (ours, wanted) = (Value::parse(text), serde_json::from_str::<serde_json::Value>(text));
    match (&ours, wanted) {
        (Ok(ours), Ok(wanted)) => assert_eq!(theirs(ours), Some(wanted), "{text:?}"),
        (Err(_), Err(_)) => {}
        (Ok(ours), Err(error)) => assert!(theirs(ours).is_none(), "only we read {text:?}: {error}"),
        (Err(error), Ok(_)) => panic!("only serde_json reads {text:?}: {error}"),
    }
}

/// Texts that are JSON, or nearly: pieces of it in any order.
fn nearly_json() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\\",
            "\"a\"",
            "\"type\"",
            "null",
            "true",
            "false",
            "nul",
            "tru",
            "0",
            "-",
            "-0",
            "01",
            "1.5",
            "1.",
            ".5",
            "1e5",
            "1E+",
            "1e-7",
            "18446744073709551616",
            " ",
            "\n",
            "\t",
            "\u{0}",
            "\u{1f}",
            "\u{7f}",
            "\u{a0}",
            "\\n",
            "\\u0041",
            "\\ud83d\\ude00",
            "\\ud83d",
            "\\udc00",
            "\\u12",
            "\\x",
            "\\/",
            "é",
            "🌊",
            "\u{feff}",
            "\u{2028}",
            "//",
            "'",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Texts that are JSON, as serde_json writes them.
fn json_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    let value = leaf.prop_recursive(6, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    });
    (value, any::<bool>()).prop_map(|(value, pretty)| {
        if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() }
    })
}

proptest! {
    #[test]
    fn what_is_json_for_serde_json_is_json_here(text in json_text()) {
        both_read(&text);
    }

    #[test]
    fn what_is_nearly_json_is_refused_alike(text in nearly_json()) {
        both_read(&text);
    }

    #[test]
    fn json_cut_anywhere_is_refused_alike(text in json_text(), cut in any::<prop::sample::Index>()) {
        let cut = cut.index(text.len() + 1);
        if let Some(cut) = text.get(..cut) {
            both_read(cut);
        }
    }

    #[test]
    fn strings_are_written_byte_for_byte_as_serde_json_does(text in any::<String>()) {
        prop_assert_eq!(to_text(&text), serde_json::to_string(&text).unwrap());
        prop_assert_eq!(from_text::<String>(&to_text(&text)), Ok(text));
    }

    #[test]
    fn numbers_are_read_as_serde_json_does(text in "-?[0-9]{1,22}(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?") {
        prop_assert_eq!(from_text::<u64>(&text).ok(), serde_json::from_str::<u64>(&text).ok());
        prop_assert_eq!(from_text::<u32>(&text).ok(), serde_json::from_str::<u32>(&text).ok());
    }

    #[test]
    fn a_chunk_comes_back_as_it_went(
        epoch: u32, offset: u64, part in prop_oneof![Just(0), any::<u32>()], id: Option<String>, content: String,
    ) {
        let frame = ServerFrame::from(MessageChunk {
            conversation_id: ConversationId::new("c").unwrap(),
            message_id: MessageId::new("a").unwrap(),
            epoch, offset, part, kind: None, id, name: None, content,
        });
        prop_assert_eq!(ServerFrame::decode(&frame.encode()), Ok(frame));
    }
}

#[test]
fn bytes_by_themselves_and_between_quotes_are_judged_alike() {
    for code in (0..0x300).chain(0xd7f0..0xd800).chain(0xe000..0xe010).chain(0x1_f300..0x1_f310) {
        let Some(char) = char::from_u32(code) else { continue };
        both_read(&format!("{char}"));
        both_read(&format!("\"{char}\""));
        both_read(&format!("\"\\{char}\""));
        both_read(&format!("[1{char}2]"));
    }
    for unit in (0..=0xffff).step_by(37) {
        both_read(&format!("\"\\u{unit:04x}\""));
        both_read(&format!("\"\\ud83d\\u{unit:04X}\""));
    }
}

#[test]
fn nesting_has_the_same_bound() {
    for depth in [1, 126, 127, 128, 129, 100_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            both_read(&format!("{}1{}", open.repeat(depth), close.repeat(depth)));
            both_read(&open.repeat(depth));
        }
    }
}

#[test]
fn what_is_wrong_is_said_by_its_name() {
    let said = |text: &str| ServerFrame::decode(text).unwrap_err().to_string();
    let chunk =
        |rest: &str| format!(r#"{{"type":"message_chunk","conversation_id":"c","message_id":"m"{rest}}}"#);
    assert_eq!(said(&chunk("")), "bad message_chunk: epoch is missing");
    assert_eq!(
        said(&chunk(r#","epoch":-1,"offset":0,"content":"""#)),
        "bad message_chunk: epoch is not a whole number from 0 to 2^32 - 1"
    );
    assert_eq!(
        said(&chunk(r#","epoch":0,"epoch":1,"offset":0,"content":"""#)),
        "bad message_chunk: epoch stands twice"
    );
    assert_eq!(said("{\"type\":1}"), "not a JSON object with a \"type\"");
    assert_eq!(said("{\"type\""), "not JSON: no JSON from byte 7 on");
    let joined =
        r#"{"type":"history","conversation_id":"c","messages":[{"message_id":"a","epoch":0,"role":"king"}]}"#;
    assert_eq!(said(joined), "bad history: role is not one of user assistant");
}

/// An option may be null or missing; nothing else may be null.
#[test]
fn null_is_no_value_but_of_an_option() {
    assert_eq!(from_text::<Usage>(r#"{"input_tokens":null}"#), Ok(Usage::default()));
    assert!(from_text::<Usage>(r#"{"estimated":null}"#).is_err());
    assert_eq!(from_text::<Vec<u32>>("[1,2]"), Ok(vec![1, 2]));
    assert!(from_text::<Vec<u32>>("{}").is_err());
}

fn comes_back<T: ToJson + FromJson + PartialEq + std::fmt::Debug>(value: T) {
    assert_eq!(from_text(&to_text(&value)), Ok(value));
}

#[test]
fn every_word_comes_back() {
    Role::ALL.iter().copied().for_each(comes_back);
    Status::ALL.iter().copied().for_each(comes_back);
    InterruptReason::ALL.iter().copied().for_each(comes_back);
    PartKind::ALL.iter().copied().for_each(comes_back);
    ConversationStatus::ALL.iter().copied().for_each(comes_back);
    ErrorCode::ALL.iter().copied().for_each(comes_back);
}

#[test]
fn a_map_is_sorted_and_the_later_of_two_stays() {
    let map: Map<u32, char> = [(3, 'c'), (1, 'a'), (3, 'd'), (2, 'b')].into();
    assert_eq!(map.iter().map(|(k, v)| (*k, *v)).collect::<Vec<_>>(), [(1, 'a'), (2, 'b'), (3, 'd')]);
    let mut grown = Map::default();
    for (key, value) in [(3, 'c'), (1, 'a'), (3, 'd'), (2, 'b')] {
        grown.insert(key, value);
    }
    assert_eq!(grown, map);
    assert_eq!(
        (grown.remove(&2), grown.remove(&2), grown.get(&3), grown.len()),
        (Some('b'), None, Some(&'d'), 2)
    );
}
