//! What streams, where, how many: plain data for `chat.debug()`.

use serde::Serialize;

use riacho_protocol::{ConversationId, MessageId, Status};

use super::Client;
use crate::core::router::Join;

/// The state of a client as a page author wants to see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Debug {
    pub connection: &'static str,
    pub conversation_id: Option<ConversationId>,
    pub rooms: Vec<DebugRoom>,
    pub messages: Vec<DebugMessage>,
    /// Messages that have an element with an engine behind it.
    pub mounted: usize,
    /// Messages sent and not yet seen to have arrived.
    pub outbox: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DebugRoom {
    pub conversation_id: ConversationId,
    pub joined: bool,
    pub live: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DebugMessage {
    pub conversation_id: ConversationId,
    pub message_id: MessageId,
    pub status: Status,
    pub is_streaming: bool,
    pub paused: bool,
    pub mounted: bool,
    pub epoch: u32,
    pub offset: u64,
}

impl Client {
    #[must_use]
    pub fn debug(&self) -> Debug {
        Debug {
            connection: self.connection.name(),
            conversation_id: self.router.on_screen().cloned(),
            rooms: self
                .router
                .rooms()
                .into_iter()
                .map(|room| DebugRoom {
                    joined: self.router.join_state(&room) == Some(Join::Done),
                    live: self.registry.has_live(&room),
                    conversation_id: room,
                })
                .collect(),
            messages: self
                .registry
                .iter()
                .map(|(id, message)| DebugMessage {
                    conversation_id: message.conversation.clone(),
                    message_id: id.clone(),
                    status: message.status,
                    is_streaming: message.is_live(),
                    paused: message.paused,
                    mounted: self.views.contains_key(id),
                    epoch: message.epoch,
                    offset: message.position().offset,
                })
                .collect(),
            mounted: self.views.len(),
            outbox: self.outbox.len(),
        }
    }

    /// The raw text of a message, as far as it has come.
    #[must_use]
    pub fn text(&self, id: &MessageId) -> Option<&str> {
        self.registry.get(id).map(|message| message.text())
    }

    /// The conversation on screen.
    #[must_use]
    pub fn conversation(&self) -> Option<&ConversationId> {
        self.router.on_screen()
    }
}
