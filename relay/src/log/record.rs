//! What the log is told and what it tells: plain data, and why it refuses.

use riacho_protocol::{
    ConversationId, ErrorCode, Failure, InterruptReason, MessageId, MessageStarted, Metrics, Options,
    PartInfo, PartKind, Role, Status, Usage,
};
use serde::{Deserialize, Serialize};

/// Why the log did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("no such conversation")]
    UnknownConversation,
    #[error("this socket has not joined that conversation")]
    NotJoined,
    #[error("the conversation is closed; open it again to send there")]
    ConversationClosed,
    #[error("no such message")]
    UnknownMessage,
    #[error("the current epoch is {current}")]
    StaleEpoch { current: u32 },
    #[error("{0}")]
    BadStatus(&'static str),
    #[error("the id belongs to another message")]
    IdTaken,
    #[error("this socket has joined {0} conversations already; leave one first")]
    TooManyJoined(u32),
    #[error("the conversation is someone else's")]
    Forbidden,
    #[error("the run has ended")]
    Ended,
    #[error("the relay can't write to its store; the operator finds the reason in its log")]
    NotStored,
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        tracing::error!(%error, "the store failed");
        Refused::NotStored
    }
}

impl Refused {
    pub fn code(&self) -> ErrorCode {
        match self {
            Refused::UnknownConversation | Refused::NotJoined => ErrorCode::UnknownConversation,
            Refused::ConversationClosed => ErrorCode::ConversationClosed,
            Refused::UnknownMessage => ErrorCode::UnknownMessage,
            Refused::StaleEpoch { .. } => ErrorCode::StaleEpoch,
            Refused::BadStatus(_) | Refused::Ended => ErrorCode::BadStatus,
            Refused::IdTaken => ErrorCode::IdTaken,
            Refused::TooManyJoined(_) => ErrorCode::TooManyJoined,
            Refused::Forbidden => ErrorCode::Forbidden,
            Refused::NotStored => ErrorCode::Internal,
        }
    }
}

/// A user's message, and the answer that is to come.
#[derive(Debug, Clone)]
pub struct NewTurn {
    pub conversation_id: ConversationId,
    pub message_id: MessageId,
    pub reply_id: MessageId,
    pub parent_id: Option<MessageId>,
    pub content: String,
    pub answer: AnswerBy,
    /// What the provider's answer is found by after a restart, as far as that is known before it is asked.
    pub state: Option<String>,
}

/// Who is asked for an answer, and how; kept, so that a retry asks the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerBy {
    pub provider: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Options::is_empty")]
    pub options: Options,
}

/// What became of a [`NewTurn`].
pub enum Added {
    New(Run),
    /// It was there already; this is what is known of both messages.
    Again(Box<[MessageStarted; 2]>),
}

/// One text of one message, for whoever writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub conversation_id: ConversationId,
    pub message_id: MessageId,
    pub epoch: u32,
}

/// A run that a restart has left, and that can be taken up again where its provider keeps it.
pub struct LeftOver {
    pub run: Run,
    pub answer: AnswerBy,
    /// What the provider gave to find it by.
    pub state: String,
    /// What is there already.
    pub parts: Vec<PartKind>,
    pub length: u64,
}

/// What is appended to a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// The next part begins.
    Part(PartInfo),
    /// Text of a part; a part that was not announced is text.
    Text { part: u32, text: String },
}

/// An event of a provider's stream, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEvent {
    pub name: String,
    pub data: String,
}

/// What has come of a run since the last time.
#[derive(Debug, Default)]
pub struct Arrived {
    pub pieces: Vec<Piece>,
    /// With this the run can be taken up again behind these pieces.
    pub state: Option<String>,
    /// What the pieces were made of, where the operator wants to see it.
    pub events: Vec<StreamEvent>,
}

impl Arrived {
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.state.is_none() && self.events.is_empty()
    }
}

#[cfg(test)]
impl From<Vec<Piece>> for Arrived {
    fn from(pieces: Vec<Piece>) -> Self {
        Self { pieces, ..Self::default() }
    }
}

/// How a run ends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Ending {
    #[default]
    Completed,
    Interrupted(InterruptReason),
    Failed(Failure),
}

impl Ending {
    pub fn status(&self) -> Status {
        match self {
            Ending::Completed => Status::Completed,
            Ending::Interrupted(_) => Status::Interrupted,
            Ending::Failed(_) => Status::Error,
        }
    }

    /// The status, and why: a word each, and nothing that anybody said.
    pub fn words(&self) -> (&'static str, &'static str) {
        let reason = match self {
            Ending::Completed => "",
            Ending::Interrupted(reason) => reason.as_str(),
            Ending::Failed(failure) => failure.code.as_str(),
        };
        (self.status().as_str(), reason)
    }
}

/// The one terminal record of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terminal {
    pub ending: Ending,
    pub usage: Usage,
    pub metrics: Metrics,
    /// What the provider calls the answer, where it keeps it to be gone on with.
    pub kept: Option<String>,
}

/// A message on the path to an answer, as a provider is to read it: text parts only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub role: Role,
    pub text: String,
    /// Of an answer: where it can be gone on with.
    pub kept: Option<Kept>,
}

/// An answer that a provider keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub provider: String,
    /// What it is called there.
    pub id: String,
}
