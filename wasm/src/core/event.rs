//! What the page is told: plain values, a union told apart by `type`. `pkg/index.d.ts` names the same fields.

use serde::Serialize;

use riacho_protocol::{
    ConversationId, ConversationInfo, ConversationStatus, ErrorCode, InterruptReason, MessageId, Metrics,
    PartKind, Role, Status, Usage,
};

use super::Millis;

/// One event of [`Client`](super::client::Client).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Event {
    /// The socket: where it stands, and when the next try is.
    Connection {
        state: ConnectionState,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_in_ms: Option<Millis>,
    },
    /// The relay's greeting: what can be asked for.
    Welcome { providers: Vec<String> },
    /// The list of conversations, the last used first.
    Conversations { conversations: Vec<ConversationLine> },
    /// Another conversation is on screen.
    Opened { conversation_id: ConversationId },
    /// The relay has described the conversation; its text follows.
    Joined { conversation_id: ConversationId, more: bool },
    /// A message, or its next epoch, exists.
    Message { conversation_id: ConversationId, message_id: MessageId, epoch: u32, role: Role },
    /// Text came in. `length` is the UTF-8 length of all of it.
    Chunk { conversation_id: ConversationId, message_id: MessageId, epoch: u32, kind: PartKind, length: u64 },
    /// A message's status changed, or there is news while it waits.
    Status {
        conversation_id: ConversationId,
        message_id: MessageId,
        epoch: u32,
        status: Status,
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<InterruptReason>,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<EventError>,
        #[serde(skip_serializing_if = "Option::is_none")]
        usage: Option<EventUsage>,
        #[serde(skip_serializing_if = "Option::is_none")]
        metrics: Option<EventMetrics>,
    },
    /// A room was left: nothing lives there any more.
    Left { conversation_id: ConversationId },
    /// Raw HTML stays text: the sanitiser can't be had.
    SanitizerUnavailable { message: String },
    /// Something could not be done.
    Error {
        code: &'static str,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        in_reply_to: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
    },
}

/// Where the socket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    Connecting,
    Open,
    /// Lost; another try follows.
    Waiting,
    /// For good: the page closed it, or the relay will not have us.
    Closed,
}

/// A line of the list of conversations, in the page's spelling.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConversationLine {
    pub conversation_id: ConversationId,
    pub title: String,
    pub status: ConversationStatus,
    pub updated_at: u64,
    pub streaming: bool,
}

impl From<ConversationInfo> for ConversationLine {
    fn from(info: ConversationInfo) -> Self {
        Self {
            conversation_id: info.conversation_id,
            title: info.title,
            status: info.status,
            updated_at: info.updated_at,
            streaming: info.streaming,
        }
    }
}

/// Why a message is in error.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventError {
    pub code: ErrorCode,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

/// Tokens, in the page's spelling.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventUsage {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_tokens: Option<u64>,
    pub estimated: bool,
}

impl From<Usage> for EventUsage {
    fn from(usage: Usage) -> Self {
        Self {
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            reasoning_tokens: usage.reasoning_tokens,
            estimated: usage.estimated,
        }
    }
}

/// How a run went, in the page's spelling.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventMetrics {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<u64>,
    pub duration_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
}

impl From<Metrics> for EventMetrics {
    fn from(metrics: Metrics) -> Self {
        Self {
            first_token_ms: metrics.first_token_ms,
            duration_ms: metrics.duration_ms,
            finish_reason: metrics.finish_reason,
        }
    }
}
