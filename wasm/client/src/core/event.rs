//! What the page is told: plain values, a union told apart by `type`. `pkg/index.d.ts` names the same fields.

use riacho_protocol::json::{Fields, ToJson, Writer};
use riacho_protocol::{
    ConversationId, ConversationInfo, ConversationStatus, ErrorCode, InterruptReason, MessageId, Metrics,
    PartKind, Role, Status, Usage,
};

use super::Millis;

/// One event of [`Client`](super::client::Client).
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The socket: where it stands, and when the next try is.
    Connection { state: ConnectionState, retry_in_ms: Option<Millis> },
    /// The relay's greeting: what can be asked for.
    Welcome { providers: Vec<String> },
    /// The list of conversations, the last used first.
    Conversations { conversations: Vec<ConversationLine> },
    /// Another conversation is on screen.
    Opened { conversation_id: ConversationId },
    /// The relay has described the conversation; its text follows.
    Joined { conversation_id: ConversationId, more: bool },
    /// Older messages have been described; their text follows. `more`: there are older ones still.
    History { conversation_id: ConversationId, more: bool },
    /// A message, or its next epoch, exists.
    Message { conversation_id: ConversationId, message_id: MessageId, epoch: u32, role: Role },
    /// Text came in. `offset` is where it begins, `length` the UTF-8 length of all of it; `language` is that of the fence in
    /// which the text so far ends.
    Chunk {
        conversation_id: ConversationId,
        message_id: MessageId,
        epoch: u32,
        kind: PartKind,
        offset: u64,
        length: u64,
        text: String,
        in_code: bool,
        language: Option<String>,
    },
    /// A message's status changed, or there is news while it waits.
    Status {
        conversation_id: ConversationId,
        message_id: MessageId,
        epoch: u32,
        status: Status,
        detail: Option<String>,
        reason: Option<InterruptReason>,
        error: Option<EventError>,
        usage: Option<EventUsage>,
        metrics: Option<EventMetrics>,
    },
    /// The reader wants an answer once more, and the page's own transport must bring it.
    Retry { conversation_id: ConversationId, message_id: MessageId, epoch: u32 },
    /// A room was left: nothing lives there any more.
    Left { conversation_id: ConversationId },
    /// Raw HTML stays text: the sanitiser can't be had.
    SanitizerUnavailable { message: String },
    /// Something could not be done.
    Error { code: &'static str, message: String, in_reply_to: Option<String>, retry_after: Option<u64> },
}

/// Each of them by its name: one that is left out does not compile.
macro_rules! put {
    ($out:ident, $($field:ident),+) => { $out.fields(concat!($(stringify!($field), " "),+), &[$($field),+]) };
}

impl Fields for Event {
    fn write_fields(&self, out: &mut Writer) {
        match self {
            Event::Connection { state, retry_in_ms } => put!(out, state, retry_in_ms),
            Event::Welcome { providers } => put!(out, providers),
            Event::Conversations { conversations } => put!(out, conversations),
            Event::Opened { conversation_id } | Event::Left { conversation_id } => put!(out, conversation_id),
            Event::Joined { conversation_id, more } | Event::History { conversation_id, more } => {
                put!(out, conversation_id, more);
            }
            Event::Retry { conversation_id, message_id, epoch } => {
                put!(out, conversation_id, message_id, epoch);
            }
            Event::Message { conversation_id, message_id, epoch, role } => {
                put!(out, conversation_id, message_id, epoch, role);
            }
            Event::Chunk {
                conversation_id,
                message_id,
                epoch,
                kind,
                offset,
                length,
                text,
                in_code,
                language,
            } => {
                put!(out, conversation_id, message_id, epoch, kind, offset, length, text, in_code, language);
            }
            Event::Status {
                conversation_id,
                message_id,
                epoch,
                status,
                detail,
                reason,
                error,
                usage,
                metrics,
            } => {
                put!(out, conversation_id, message_id, epoch, status, detail, reason, error, usage, metrics);
            }
            Event::SanitizerUnavailable { message } => put!(out, message),
            Event::Error { code, message, in_reply_to, retry_after } => {
                put!(out, code, message, in_reply_to, retry_after);
            }
        }
    }
}

impl Event {
    /// The name under which a page listens for it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Event::Connection { .. } => "connection",
            Event::Welcome { .. } => "welcome",
            Event::Conversations { .. } => "conversations",
            Event::Opened { .. } => "opened",
            Event::Joined { .. } => "joined",
            Event::History { .. } => "history",
            Event::Message { .. } => "message",
            Event::Chunk { .. } => "chunk",
            Event::Status { .. } => "status",
            Event::Retry { .. } => "retry",
            Event::Left { .. } => "left",
            Event::SanitizerUnavailable { .. } => "sanitizer_unavailable",
            Event::Error { .. } => "error",
        }
    }

    /// As the page's JavaScript reads it.
    #[must_use]
    pub fn to_json(&self) -> String {
        riacho_protocol::json::to_tagged_camel_text(self.name(), self)
    }
}

/// Where the socket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionState {
    Connecting,
    Open,
    /// Lost; another try follows.
    Waiting,
    /// For good: the page closed it, or the relay will not have us.
    Closed,
}

impl ToJson for ConnectionState {
    fn write(&self, out: &mut Writer) {
        out.string(match self {
            ConnectionState::Connecting => "connecting",
            ConnectionState::Open => "open",
            ConnectionState::Waiting => "waiting",
            ConnectionState::Closed => "closed",
        });
    }
}

/// A line of the list of conversations, in the page's spelling.
#[derive(Debug, Clone, PartialEq)]
pub struct ConversationLine {
    pub conversation_id: ConversationId,
    pub title: String,
    pub status: ConversationStatus,
    pub updated_at: u64,
    pub streaming: bool,
}

riacho_protocol::to_json! { ConversationLine { conversation_id, title, status, updated_at, streaming } }

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
#[derive(Debug, Clone, PartialEq)]
pub struct EventError {
    pub code: ErrorCode,
    pub message: String,
    pub retry_after: Option<u64>,
}

riacho_protocol::to_json! { EventError { code, message, retry_after } }

/// Tokens, in the page's spelling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EventUsage {
    pub input_tokens: Option<u64>,
    pub output_tokens: Option<u64>,
    pub reasoning_tokens: Option<u64>,
    pub estimated: bool,
}

riacho_protocol::to_json! { EventUsage { input_tokens, output_tokens, reasoning_tokens, estimated } }

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
#[derive(Debug, Clone, PartialEq)]
pub struct EventMetrics {
    pub first_token_ms: Option<u64>,
    pub duration_ms: u64,
    pub finish_reason: Option<String>,
}

riacho_protocol::to_json! { EventMetrics { first_token_ms, duration_ms, finish_reason } }

impl From<Metrics> for EventMetrics {
    fn from(metrics: Metrics) -> Self {
        Self {
            first_token_ms: metrics.first_token_ms,
            duration_ms: metrics.duration_ms,
            finish_reason: metrics.finish_reason,
        }
    }
}
