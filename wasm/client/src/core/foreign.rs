//! Events of transports that know no offsets, read leniently: a Socket.IO handler, an SSE reader, a `fetch` loop.

use riacho_protocol::json::{Fault, FromJson, Members, Value};
use riacho_protocol::{ConversationId, DecodeError, ErrorCode, Failure, MessageId, PartInfo, Role};

/// What a foreign event says.
#[derive(Debug, Clone, PartialEq)]
pub enum ForeignEvent {
    /// With an `epoch` above the message's own it starts over, in the same container.
    Started {
        conversation: Option<ConversationId>,
        message: MessageId,
        role: Role,
        epoch: Option<u32>,
    },
    Chunk {
        conversation: Option<ConversationId>,
        message: MessageId,
        piece: Piece,
    },
    Complete {
        conversation: Option<ConversationId>,
        message: MessageId,
        whole: Option<String>,
    },
    Failed {
        conversation: Option<ConversationId>,
        message: MessageId,
        failure: Failure,
    },
}

/// Text of one part; a transport without parts sends part 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    pub number: Option<u64>,
    pub part: u32,
    pub info: PartInfo,
    pub content: String,
}

/// The first of several spellings that is there.
fn either<T: FromJson>(members: Members<'_>, names: &[&'static str]) -> Result<Option<T>, Fault> {
    let mut found = None;
    first(members, names, &mut found)?;
    Ok(found)
}

/// One copy for all types. What is null is not there.
fn first(members: Members<'_>, names: &[&'static str], place: &mut dyn FromJson) -> Result<(), Fault> {
    for name in names {
        if members.get(name)?.is_some_and(|value| *value != Value::Null) {
            return members.put(name, place);
        }
    }
    Ok(())
}

impl ForeignEvent {
    /// Reads one event, `{"type": "...", "message_id": "...", …}`, in snake_case or camelCase.
    ///
    /// # Errors
    /// [`DecodeError`] as for a frame of the wire.
    pub fn decode(text: &str) -> Result<Self, DecodeError> {
        let value = Value::parse(text)?;
        let members = value.members().map_err(|_| DecodeError::NoType)?;
        let bad = |fault| DecodeError::Field { frame: "event", fault };
        match members.field::<String>("type").map_err(bad)?.as_str() {
            "message_started" => Self::started(members),
            "message_chunk" => Self::chunk(members),
            "response_complete" => Self::complete(members),
            "stream_error" => Self::failed(members),
            other => return Err(DecodeError::unknown(other)),
        }
        .map_err(bad)
    }

    fn started(members: Members<'_>) -> Result<Self, Fault> {
        let (conversation, message) = ids(members)?;
        let role = members.field::<Option<Role>>("role")?.unwrap_or(Role::Assistant);
        Ok(Self::Started { conversation, message, role, epoch: members.field("epoch")? })
    }

    fn chunk(members: Members<'_>) -> Result<Self, Fault> {
        let (conversation, message) = ids(members)?;
        let kind = members.field::<Option<_>>("kind")?.unwrap_or_default();
        let piece = Piece {
            number: either(members, &["chunk_number", "chunkNumber"])?,
            part: members.field::<Option<_>>("part")?.unwrap_or_default(),
            info: PartInfo { kind, id: None, name: members.field("name")? },
            content: content(members)?.unwrap_or_default(),
        };
        Ok(Self::Chunk { conversation, message, piece })
    }

    fn complete(members: Members<'_>) -> Result<Self, Fault> {
        let (conversation, message) = ids(members)?;
        Ok(Self::Complete { conversation, message, whole: content(members)? })
    }

    fn failed(members: Members<'_>) -> Result<Self, Fault> {
        let (conversation, message) = ids(members)?;
        let code = members.field::<Option<ErrorCode>>("code")?.unwrap_or(ErrorCode::ProviderFailed);
        let words = either::<String>(members, &["message", "error"])?;
        let words = words.unwrap_or_else(|| "The answer could not be finished.".to_owned());
        let retry_after = either(members, &["retry_after", "retryAfter"])?;
        Ok(Self::Failed { conversation, message, failure: Failure { code, message: words, retry_after } })
    }
}

fn ids(members: Members<'_>) -> Result<(Option<ConversationId>, MessageId), Fault> {
    let message = either(members, &["message_id", "messageId"])?.ok_or(Fault::Missing("message_id"))?;
    Ok((either(members, &["conversation_id", "conversationId"])?, message))
}

fn content(members: Members<'_>) -> Result<Option<String>, Fault> {
    either(members, &["content", "chunk", "delta", "text", "full_response", "fullResponse"])
}

/// What a completion that brings the whole text means for what is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reconciled<'a> {
    /// What is here is the start of it; this is the rest, perhaps nothing.
    Append(&'a str),
    /// It is another text: it replaces what is here as a new epoch.
    Replace(&'a str),
}

#[must_use]
pub fn reconcile<'a>(have: &str, whole: &'a str) -> Reconciled<'a> {
    match whole.strip_prefix(have) {
        Some(rest) => Reconciled::Append(rest),
        None => Reconciled::Replace(whole),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_spellings_and_refuses_what_it_cannot_use() {
        let snake = r#"{"type":"message_chunk","conversation_id":"c","message_id":"m","chunk_number":3,"content":"x"}"#;
        let camel =
            r#"{"type":"message_chunk","conversationId":"c","messageId":"m","chunkNumber":3,"chunk":"x"}"#;
        assert_eq!(ForeignEvent::decode(snake), ForeignEvent::decode(camel));
        assert!(matches!(
            ForeignEvent::decode(r#"{"type":"response_complete","message_id":"m","full_response":"all"}"#),
            Ok(ForeignEvent::Complete { whole: Some(_), .. })
        ));
        let code = |text| ForeignEvent::decode(text).map_err(|e| e.code());
        assert_eq!(code(r#"{"type":"message_chunk"}"#), Err(ErrorCode::BadFrame));
        assert_eq!(code(r#"{"type":"shout","message_id":"m"}"#), Err(ErrorCode::UnknownFrame));
    }

    #[test]
    fn a_whole_text_appends_or_replaces() {
        assert_eq!(reconcile("", "all"), Reconciled::Append("all"));
        assert_eq!(reconcile("al", "all"), Reconciled::Append("l"));
        assert_eq!(reconcile("all", "all"), Reconciled::Append(""));
        assert_eq!(reconcile("other", "all"), Reconciled::Replace("all"));
    }
}
