//! What the relay says to a client.

use serde::{Deserialize, Serialize};

use crate::codec::frames;
use crate::{
    ConversationId, ConversationInfo, ErrorCode, InterruptReason, LeaveConversation, Limits, MessageId,
    MessageInfo, Metrics, PartKind, Role, Status, Usage,
};

frames! {
    /// A frame from the relay to a client.
    ServerFrame {
        Welcome = "welcome",
        ConversationJoined = "conversation_joined",
        Conversations = "conversations",
        History = "history",
        MessageStarted = "message_started",
        MessageChunk = "message_chunk",
        MessageStatus = "message_status",
        ResponseComplete = "response_complete",
        StreamError = "stream_error",
        LeaveConversation = "leave_conversation",
        ErrorFrame = "error",
        Pong = "pong",
    }
}

/// The answer to `hello`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    pub protocol: u32,
    pub limits: Limits,
    /// The names that `send_message.provider` may carry; the first is the default.
    #[serde(default)]
    pub providers: Vec<String>,
}

/// Describes the newest messages of a conversation, oldest first; their text follows in chunks from what `have` named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationJoined {
    pub conversation_id: ConversationId,
    pub messages: Vec<MessageInfo>,
    /// There are older messages: `load_history` fetches them.
    #[serde(default)]
    pub more: bool,
}

/// The list of conversations, the last used first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversations {
    pub conversations: Vec<ConversationInfo>,
}

/// A page of older messages, oldest first; their text follows in chunks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    pub conversation_id: ConversationId,
    pub messages: Vec<MessageInfo>,
    /// There are older ones still.
    #[serde(default)]
    pub more: bool,
}

/// A message, or the next epoch of one, exists from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageStarted {
    pub conversation_id: ConversationId,
    pub message_id: MessageId,
    pub epoch: u32,
    pub role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<MessageId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// Text. The only frame that carries any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageChunk {
    pub conversation_id: ConversationId,
    pub message_id: MessageId,
    pub epoch: u32,
    /// Where `content` begins, in UTF-8 bytes of the raw text of all parts in order of arrival.
    pub offset: u64,
    /// The index of the part, in order of appearance.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub part: u32,
    /// In the first chunk of a part that is not part 0 text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<PartKind>,
    /// With `kind`: the provider's id of a tool call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// With `kind`: the name of the tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub content: String,
}

/// What happens while no text comes: waiting behind a rate limit, trying the next provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageStatus {
    pub message_id: MessageId,
    pub epoch: u32,
    pub status: Status,
    /// In words, for the reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// The one terminal frame of a run that did not fail: `completed`, or `interrupted` with a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseComplete {
    pub message_id: MessageId,
    pub epoch: u32,
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<InterruptReason>,
    /// The length of the whole text: who has less has a gap.
    pub length: u64,
    #[serde(default)]
    pub usage: Usage,
    #[serde(default)]
    pub metrics: Metrics,
}

/// The one terminal frame of a run that failed. What arrived stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamError {
    pub message_id: MessageId,
    pub epoch: u32,
    pub code: ErrorCode,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    pub length: u64,
}

/// A frame of the client's could not be done. The socket stays open, unless the code says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorFrame {
    pub code: ErrorCode,
    pub message: String,
    /// The `type` of the frame, or the message id, that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

/// The answer to `ping`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pong {}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if passes a reference")]
fn is_zero(value: &u32) -> bool {
    *value == 0
}
