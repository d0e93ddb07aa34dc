//! What streams, where, how many: plain data for `chat.debug()`.

use riacho_protocol::json::{Fields, ToJson, Writer, to_camel_text};
use riacho_protocol::{ConversationId, MessageId, PartInfo, PartKind, Status};

use super::Client;
use crate::core::router::Join;

/// The state of a client as a page author wants to see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Debug {
    pub connection: &'static str,
    pub conversation_id: Option<ConversationId>,
    pub rooms: Vec<DebugRoom>,
    pub messages: Vec<DebugMessage>,
    /// Messages that have an element whose text is a log's.
    pub mounted: usize,
    /// Messages sent and not yet seen to have arrived.
    pub outbox: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub struct DebugRoom {
    pub conversation_id: ConversationId,
    pub joined: bool,
    pub live: bool,
}

riacho_protocol::to_json! {
    DebugRoom { conversation_id, joined, live }
}

#[derive(Debug, Clone, PartialEq)]
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

riacho_protocol::to_json! {
    DebugMessage { conversation_id, message_id, status, is_streaming, paused, mounted, epoch, offset }
}

impl Fields for Debug {
    fn write_fields(&self, out: &mut Writer) {
        let Self { connection, conversation_id, rooms, messages, mounted, outbox } = self;
        out.field("connection", connection);
        // Always there: with none open it is null.
        out.nullable("conversation_id", conversation_id);
        out.field("rooms", rooms);
        out.field("messages", messages);
        out.field("mounted", mounted);
        out.field("outbox", outbox);
    }
}

impl ToJson for Debug {
    fn write(&self, out: &mut Writer) {
        out.record(self);
    }
}

impl Debug {
    /// As the page's JavaScript reads it.
    #[must_use]
    pub fn to_json(&self) -> String {
        to_camel_text(self)
    }
}

/// One part of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct PartText {
    pub kind: PartKind,
    pub id: Option<String>,
    pub name: Option<String>,
    pub text: String,
}

riacho_protocol::to_json! {
    PartText { kind, id, name, text }
}

impl Client {
    /// The parts of a message as they have come, as JSON for the page; `None` when there is no such message.
    #[must_use]
    pub fn parts_json(&self, id: &MessageId) -> Option<String> {
        let mut parts = Vec::new();
        for (PartInfo { kind, id, name }, text) in self.registry.get(id)?.texts() {
            parts.push(PartText { kind, id, name, text });
        }
        Some(to_camel_text(&parts))
    }

    #[must_use]
    pub fn debug(&self) -> Debug {
        let mut rooms = Vec::new();
        for room in self.router.rooms() {
            rooms.push(DebugRoom {
                joined: self.router.join_state(&room) == Some(Join::Done),
                live: self.registry.has_live(&room),
                conversation_id: room,
            });
        }
        let mut messages = Vec::new();
        for (id, message) in self.registry.iter() {
            messages.push(DebugMessage {
                conversation_id: message.conversation.clone(),
                message_id: id.clone(),
                status: message.status,
                is_streaming: message.is_live(),
                paused: message.paused,
                mounted: self.views.contains_key(id),
                epoch: message.epoch,
                offset: message.position().offset,
            });
        }
        Debug {
            connection: self.connection.name(),
            conversation_id: self.router.on_screen().cloned(),
            rooms,
            messages,
            mounted: self.views.len(),
            outbox: self.outbox.len(),
        }
    }

    /// The raw text of a message, as far as it has come.
    #[must_use]
    pub fn text(&self, id: &MessageId) -> Option<&str> {
        self.registry.get(id).map(|message| message.text())
    }

    /// The messages of a conversation, in order.
    pub fn messages(
        &self,
        conversation: &ConversationId,
    ) -> impl Iterator<Item = (&MessageId, &crate::core::message::Message)> {
        self.registry.in_order(conversation)
    }

    /// The conversation on screen.
    #[must_use]
    pub fn conversation(&self) -> Option<&ConversationId> {
        self.router.on_screen()
    }
}
