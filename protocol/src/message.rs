//! What a message is: its role, status, parts, usage and metrics.

use crate::codec::{records, words};
use crate::{ConversationId, ErrorCode, MessageId};

words! {
    /// Who wrote a message.
    Role {
        User = "user",
        Assistant = "assistant",
    }

    /// Where a message stands: `pending → streaming → completed | interrupted | error`.
    Status {
        Pending = "pending",
        Streaming = "streaming",
        Completed = "completed",
        Interrupted = "interrupted",
        Error = "error",
    }
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
}

words! {
    /// Why a message is `interrupted`.
    InterruptReason {
        /// Someone pressed stop.
        Stopped = "stopped",
        /// The relay went away in mid-text.
        Restart = "restart",
        /// Nobody read it for longer than the operator allows.
        Unread = "unread",
    }

    /// What a stretch of an answer is.
    #[derive(Default)]
    PartKind {
        #[default]
        Text = "text",
        Reasoning = "reasoning",
        /// Its text is the arguments, as the provider wrote them.
        ToolCall = "tool_call",
        Refusal = "refusal",
    }
}

records! {
    /// One part of an answer, without its text.
    #[derive(Eq, Default)]
    PartInfo {
        kind: PartKind,
        /// The provider's id of a tool call.
        id: Option<String>,
        /// The name of the tool that is called.
        name: Option<String>,
    }

    /// A place in the log of a message: `epoch` counts the texts under one id, `offset` UTF-8 bytes of the raw text.
    #[derive(Copy, Eq, PartialOrd, Ord, Hash, Default)]
    Position {
        epoch: u32,
        offset: u64,
    }

    /// Tokens, as the provider reported them, or as the relay estimated them.
    #[derive(Copy, Eq, Default)]
    Usage {
        input_tokens: Option<u64>,
        output_tokens: Option<u64>,
        /// The part of `output_tokens` that went into reasoning.
        reasoning_tokens: Option<u64>,
        /// True when the provider reported nothing and these are the relay's estimate.
        estimated: bool = omitted_default,
    }

    /// How a run went, in whole milliseconds from the moment the relay took the message.
    #[derive(Eq, Default)]
    Metrics {
        /// Until the first piece of the answer; absent when there was none.
        first_token_ms: Option<u64>,
        duration_ms: u64,
        /// Why the provider ended: `stop`, `length`, `content_filter`, …, as it said it.
        finish_reason: Option<String>,
    }

    /// What went wrong in a run: in `stream_error`, and in the description of a message that ended so.
    #[derive(Eq)]
    Failure {
        code: ErrorCode,
        /// In words that a page author can act on.
        message: String,
        /// Seconds until another try makes sense.
        retry_after: Option<u64>,
    }

    /// A message without its text, as `conversation_joined` and `history` describe it.
    #[derive(Eq)]
    MessageInfo {
        message_id: MessageId,
        epoch: u32,
        role: Role,
        status: Status,
        /// UTF-8 bytes of its text so far.
        length: u64,
        parts: Vec<PartInfo> = omitted_default,
        parent_id: Option<MessageId>,
        provider: Option<String>,
        model: Option<String>,
        /// With `interrupted`.
        reason: Option<InterruptReason>,
        /// With `error`.
        error: Option<Failure>,
        /// Once it has ended, where it is an answer.
        usage: Option<Usage>,
        metrics: Option<Metrics>,
    }
}

words! {
    /// `open`, or `closed` and out of the way.
    #[derive(Default)]
    ConversationStatus {
        #[default]
        Open = "open",
        Closed = "closed",
    }
}

records! {
    /// A line of the list of conversations.
    #[derive(Eq)]
    ConversationInfo {
        conversation_id: ConversationId,
        title: String,
        status: ConversationStatus,
        /// Milliseconds since 1970-01-01 UTC.
        updated_at: u64,
        /// Something there is pending, queued or streaming.
        streaming: bool = omitted_default,
    }
}
