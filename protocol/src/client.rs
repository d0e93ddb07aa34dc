//! What a client says to the relay.

use crate::codec::{frames, records};
use crate::{ConversationId, ConversationStatus, Map, MessageId, Number, Position, Preferences};

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

records! {
    /// The first frame of a socket.
    #[derive(Eq)]
    Hello {
        protocol: u32,
        token: Option<String>,
        /// For the relay's metrics, where the page allows it.
        preferences: Preferences = omitted_default,
    }

    /// Joins, and makes this the conversation that is looked at. What `have` does not name is sent from its start.
    #[derive(Eq)]
    JoinConversation {
        conversation_id: ConversationId,
        have: Map<MessageId, Position> = default,
    }

    /// Leaves: the cursors are put down, nothing is stopped. The relay sends the same frame when it lets a room go.
    #[derive(Eq)]
    LeaveConversation {
        conversation_id: ConversationId,
    }

    /// A user's message, and the id of the answer to it. Sent twice with the same ids it is one message.
    SendMessage {
        conversation_id: ConversationId,
        message_id: MessageId,
        reply_id: MessageId,
        parent_id: Option<MessageId>,
        content: String,
        provider: Option<String>,
        model: Option<String>,
        options: Options = omitted_default,
    }

    /// What a provider may be asked for; what one does not know it is not told.
    #[derive(Default)]
    Options {
        temperature: Option<Number>,
        top_p: Option<Number>,
        max_tokens: Option<u32>,
    }
}

impl Options {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

macro_rules! about_a_run {
    ($($(#[$doc:meta])* $name:ident,)+) => {$(
        records! {
            $(#[$doc])*
            #[derive(Eq)]
            $name {
                message_id: MessageId,
                /// The fence: with any other epoch than the current one nothing happens.
                epoch: u32,
            }
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

records! {
    /// Asks for `conversations`.
    #[derive(Eq, Default)]
    ListConversations {}

    /// Names a conversation, closes it, or opens it again. Answered with `conversations` to every socket that may see it.
    #[derive(Eq)]
    UpdateConversation {
        conversation_id: ConversationId,
        title: Option<String>,
        status: Option<ConversationStatus>,
    }

    /// Asks for the messages before one, newest page first.
    #[derive(Eq)]
    LoadHistory {
        conversation_id: ConversationId,
        before: Option<MessageId>,
        limit: u32,
    }

    /// Asks for `pong`: the line still stands.
    #[derive(Eq, Default)]
    Ping {}
}
