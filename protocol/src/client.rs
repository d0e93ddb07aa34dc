//! What a client says to the relay.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::codec::frames;
use crate::{ConversationId, ConversationStatus, MessageId, Position};

frames! {
    /// A frame from a client to the relay.
    ClientFrame {
        Hello = "hello",
        JoinConversation = "join_conversation",
        LeaveConversation = "leave_conversation",
        SendMessage = "send_message",
        Stop = "stop",
        Pause = "pause",
        Resume = "resume",
        Retry = "retry",
        ListConversations = "list_conversations",
        UpdateConversation = "update_conversation",
        LoadHistory = "load_history",
        Ping = "ping",
    }
}

/// The first frame of a socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    pub protocol: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// Joins, and makes this the conversation that is looked at. What `have` does not name is sent from its start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinConversation {
    pub conversation_id: ConversationId,
    #[serde(default)]
    pub have: BTreeMap<MessageId, Position>,
}

/// Leaves: the cursors are put down, nothing is stopped. The relay sends the same frame when it lets a room go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaveConversation {
    pub conversation_id: ConversationId,
}

/// A user's message, and the id of the answer to it. Sent twice with the same ids it is one message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SendMessage {
    pub conversation_id: ConversationId,
    pub message_id: MessageId,
    pub reply_id: MessageId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<MessageId>,
    pub content: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Options::is_empty")]
    pub options: Options,
}

/// What a provider may be asked for; what one does not know it is not told.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Options {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
}

impl Options {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

macro_rules! about_a_run {
    ($($(#[$doc:meta])* $name:ident,)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name {
            pub message_id: MessageId,
            /// The fence: with any other epoch than the current one nothing happens.
            pub epoch: u32,
        }
    )+};
}

about_a_run! {
    /// Ends the run; what arrived is kept. Stopping what has ended is no error.
    Stop,
    /// This socket takes no more of it for now; the run goes on.
    Pause,
    /// This socket takes it up again, from where it was.
    Resume,
    /// Starts the next epoch of an answer that has ended.
    Retry,
}

/// Asks for `conversations`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ListConversations {}

/// Names a conversation, closes it, or opens it again. Answered with `conversations` to every socket that may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateConversation {
    pub conversation_id: ConversationId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ConversationStatus>,
}

/// Asks for the messages before one, newest page first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadHistory {
    pub conversation_id: ConversationId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<MessageId>,
    pub limit: u32,
}

/// Asks for `pong`: the line still stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ping {}
