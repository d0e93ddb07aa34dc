//! Events of transports that know no offsets, read leniently: a Socket.IO handler, an SSE reader, a `fetch` loop.

use serde::Deserialize;

use riacho_protocol::{ConversationId, DecodeError, ErrorCode, MessageId, Role};

/// What a foreign event says.
#[derive(Debug, Clone, PartialEq)]
pub enum ForeignEvent {
    Started { conversation: Option<ConversationId>, message: MessageId, role: Role },
    Chunk { conversation: Option<ConversationId>, message: MessageId, number: Option<u64>, content: String },
    Complete { conversation: Option<ConversationId>, message: MessageId, whole: Option<String> },
    Failed { conversation: Option<ConversationId>, message: MessageId, code: ErrorCode, words: String },
}

#[derive(Deserialize)]
struct Fields {
    #[serde(rename = "type")]
    tag: String,
    #[serde(default, alias = "conversationId")]
    conversation_id: Option<ConversationId>,
    #[serde(alias = "messageId")]
    message_id: MessageId,
    #[serde(default)]
    role: Option<Role>,
    #[serde(default, alias = "chunkNumber")]
    chunk_number: Option<u64>,
    #[serde(
        default,
        alias = "chunk",
        alias = "delta",
        alias = "text",
        alias = "full_response",
        alias = "fullResponse"
    )]
    content: Option<String>,
    #[serde(default)]
    code: Option<ErrorCode>,
    #[serde(default, alias = "error")]
    message: Option<String>,
}

impl ForeignEvent {
    /// Reads one event, `{"type": "...", "message_id": "...", …}`, in snake_case or camelCase.
    ///
    /// # Errors
    /// [`DecodeError`] as for a frame of the wire.
    pub fn decode(text: &str) -> Result<Self, DecodeError> {
        let fields: Fields = serde_json::from_str(text)
            .map_err(|e| DecodeError::Field { frame: "event", detail: e.to_string() })?;
        let (conversation, message) = (fields.conversation_id, fields.message_id);
        Ok(match fields.tag.as_str() {
            "message_started" => {
                Self::Started { conversation, message, role: fields.role.unwrap_or(Role::Assistant) }
            }
            "message_chunk" => Self::Chunk {
                conversation,
                message,
                number: fields.chunk_number,
                content: fields.content.unwrap_or_default(),
            },
            "response_complete" => Self::Complete { conversation, message, whole: fields.content },
            "stream_error" => Self::Failed {
                conversation,
                message,
                code: fields.code.unwrap_or(ErrorCode::ProviderFailed),
                words: fields.message.unwrap_or_else(|| "The answer could not be finished.".to_owned()),
            },
            other => return Err(DecodeError::UnknownType(other.chars().take(64).collect())),
        })
    }
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
