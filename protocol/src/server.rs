//! What the relay says to a client.

use crate::codec::{frames, records};
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

records! {
    /// The answer to `hello`.
    #[derive(Eq)]
    Welcome {
        protocol: u32,
        limits: Limits,
        /// The names that `send_message.provider` may carry; the first is the default.
        providers: Vec<String> = default,
    }

    /// Describes the newest messages of a conversation, oldest first; their text follows in chunks from what `have` named.
    #[derive(Eq)]
    ConversationJoined {
        conversation_id: ConversationId,
        messages: Vec<MessageInfo>,
        /// There are older messages: `load_history` fetches them.
        more: bool = default,
    }

    /// The list of conversations, the last used first.
    #[derive(Eq)]
    Conversations {
        conversations: Vec<ConversationInfo>,
    }

    /// A page of older messages, oldest first; their text follows in chunks.
    #[derive(Eq)]
    History {
        conversation_id: ConversationId,
        messages: Vec<MessageInfo>,
        /// There are older ones still.
        more: bool = default,
    }

    /// A message, or the next epoch of one, exists from now on.
    #[derive(Eq)]
    MessageStarted {
        conversation_id: ConversationId,
        message_id: MessageId,
        epoch: u32,
        role: Role,
        parent_id: Option<MessageId>,
        provider: Option<String>,
        model: Option<String>,
    }

    /// Text. The only frame that carries any.
    #[derive(Eq)]
    MessageChunk {
        conversation_id: ConversationId,
        message_id: MessageId,
        epoch: u32,
        /// Where `content` begins, in UTF-8 bytes of the raw text of all parts in order of arrival.
        offset: u64,
        /// The index of the part, in order of appearance.
        part: u32 = omitted_default,
        /// In the first chunk of a part that is not part 0 text.
        kind: Option<PartKind>,
        /// With `kind`: the provider's id of a tool call.
        id: Option<String>,
        /// With `kind`: the name of the tool.
        name: Option<String>,
        content: String,
    }

    /// What happens while no text comes: waiting behind a rate limit, trying the next provider.
    #[derive(Eq)]
    MessageStatus {
        message_id: MessageId,
        epoch: u32,
        status: Status,
        /// In English, for the reader.
        detail: Option<String>,
        /// What it is about, for a page that says it in words of its own: `waiting`, `asking_again`, `taking_up`,
        /// `next_provider`, `working`. More may come.
        code: Option<String>,
        /// Whom it is about.
        provider: Option<String>,
        /// Seconds until it goes on.
        retry_after: Option<u64>,
    }

    /// The one terminal frame of a run that did not fail: `completed`, or `interrupted` with a reason.
    #[derive(Eq)]
    ResponseComplete {
        message_id: MessageId,
        epoch: u32,
        status: Status,
        reason: Option<InterruptReason>,
        /// The length of the whole text: who has less has a gap.
        length: u64,
        usage: Usage = default,
        metrics: Metrics = default,
    }

    /// The one terminal frame of a run that failed. What arrived stays.
    #[derive(Eq)]
    StreamError {
        message_id: MessageId,
        epoch: u32,
        code: ErrorCode,
        message: String,
        retry_after: Option<u64>,
        length: u64,
    }

    /// A frame of the client's could not be done. The socket stays open, unless the code says otherwise.
    #[derive(Eq)]
    ErrorFrame {
        code: ErrorCode,
        message: String,
        /// The `type` of the frame, or the message id, that it answers.
        in_reply_to: Option<String>,
        retry_after: Option<u64>,
    }

    /// The answer to `ping`.
    #[derive(Eq, Default)]
    Pong {}
}
