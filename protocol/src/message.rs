//! What a message is: its role, status, parts, usage and metrics.

use serde::{Deserialize, Serialize};

use crate::{ConversationId, ErrorCode, MessageId};

/// Who wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    User,
    Assistant,
}

impl Role {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Role::User => "user",
            Role::Assistant => "assistant",
        }
    }
}

/// Where a message stands: `pending → streaming → completed | interrupted | error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Pending,
    Streaming,
    Completed,
    Interrupted,
    Error,
}

impl Status {
    /// No text follows in this epoch.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        match self {
            Status::Pending | Status::Streaming => false,
            Status::Completed | Status::Interrupted | Status::Error => true,
        }
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Pending => "pending",
            Status::Streaming => "streaming",
            Status::Completed => "completed",
            Status::Interrupted => "interrupted",
            Status::Error => "error",
        }
    }
}

/// Why a message is `interrupted`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InterruptReason {
    /// Someone pressed stop.
    Stopped,
    /// The relay went away in mid-text.
    Restart,
    /// Nobody read it for longer than the operator allows.
    Unread,
}

impl InterruptReason {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            InterruptReason::Stopped => "stopped",
            InterruptReason::Restart => "restart",
            InterruptReason::Unread => "unread",
        }
    }
}

/// What a stretch of an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    #[default]
    Text,
    Reasoning,
    /// Its text is the arguments, as the provider wrote them.
    ToolCall,
    Refusal,
}

impl PartKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            PartKind::Text => "text",
            PartKind::Reasoning => "reasoning",
            PartKind::ToolCall => "tool_call",
            PartKind::Refusal => "refusal",
        }
    }
}

/// One part of an answer, without its text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PartInfo {
    pub kind: PartKind,
    /// The provider's id of a tool call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name of the tool that is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A place in the log of a message: `epoch` counts the texts under one id, `offset` UTF-8 bytes of the raw text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Position {
    pub epoch: u32,
    pub offset: u64,
}

/// Tokens, as the provider reported them, or as the relay estimated them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// The part of `output_tokens` that went into reasoning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_tokens: Option<u64>,
    /// True when the provider reported nothing and these are the relay's estimate.
    #[serde(default, skip_serializing_if = "is_false")]
    pub estimated: bool,
}

/// How a run went, in whole milliseconds from the moment the relay took the message.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Metrics {
    /// Until the first piece of the answer; absent when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<u64>,
    pub duration_ms: u64,
    /// Why the provider ended: `stop`, `length`, `content_filter`, …, as it said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
}

/// What went wrong in a run: in `stream_error`, and in the description of a message that ended so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub code: ErrorCode,
    /// In words that a page author can act on.
    pub message: String,
    /// Seconds until another try makes sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

/// A message without its text, as `conversation_joined` and `history` describe it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageInfo {
    pub message_id: MessageId,
    pub epoch: u32,
    pub role: Role,
    pub status: Status,
    /// UTF-8 bytes of its text so far.
    pub length: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartInfo>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<MessageId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// With `interrupted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<InterruptReason>,
    /// With `error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// Once it has ended, where it is an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Metrics>,
}

/// `open`, or `closed` and out of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationStatus {
    #[default]
    Open,
    Closed,
}

/// A line of the list of conversations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationInfo {
    pub conversation_id: ConversationId,
    pub title: String,
    pub status: ConversationStatus,
    /// Milliseconds since 1970-01-01 UTC.
    pub updated_at: u64,
    /// Something there is pending, queued or streaming.
    #[serde(default, skip_serializing_if = "is_false")]
    pub streaming: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
