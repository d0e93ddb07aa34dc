//! What a reload keeps: the open conversation, the text so far and where it is, what was not sent yet.
//!
//! A snapshot has a budget. The newest messages of the conversation on screen come first; a message that does not fit is
//! left out whole, and the relay sends it again.

use riacho_protocol::json::{ReadError, from_text, to_text};
use riacho_protocol::{ConversationId, MessageId, PartInfo, Role, Status};

use super::{Client, SendRequest, Transport};
use crate::core::message::{Ending, Message, Origin};
use crate::core::registry::Place;

/// Changes when an old page's snapshot could not be read by a new one's code: it is then as good as none.
const VERSION: u32 = 1;

struct Snapshot {
    version: u32,
    open: Option<ConversationId>,
    rooms: Vec<ConversationId>,
    /// Oldest first within a conversation.
    messages: Vec<Kept>,
    outbox: Vec<SendRequest>,
}

riacho_protocol::to_json! { Snapshot { version, open, rooms, messages, outbox } }
riacho_protocol::from_json! { Snapshot { version, open, rooms, messages, outbox } }

struct Kept {
    id: MessageId,
    conversation: ConversationId,
    role: Role,
    epoch: u32,
    status: Status,
    text: String,
    stretches: Vec<(u32, usize)>,
    parts: Vec<PartInfo>,
    parent_id: Option<MessageId>,
    provider: Option<String>,
    model: Option<String>,
    acknowledged: bool,
    ending: Option<Ending>,
}

riacho_protocol::to_json! { Kept {
    id, conversation, role, epoch, status, text, stretches, parts, parent_id, provider, model, acknowledged,
    ending,
} }
riacho_protocol::from_json! { Kept {
    id, conversation, role, epoch, status, text, stretches, parts, parent_id, provider, model, acknowledged,
    ending,
} }

/// Why a snapshot is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    #[error("the snapshot can't be read: {0}")]
    Unreadable(#[from] ReadError),
    #[error("the snapshot is of version {0}")]
    Version(u32),
}

impl Client {
    /// What to keep over a reload, in at most about `budget` bytes of text.
    #[must_use]
    pub fn snapshot(&self, budget: usize) -> String {
        let mut left = budget;
        let mut messages = Vec::new();
        let mut rooms = self.router.rooms();
        rooms.reverse();
        for room in &rooms {
            let mut of_room = Vec::new();
            for (id, message) in self.registry.in_order(room).rev() {
                let cost = message.text().len() + 300;
                if message.origin == Origin::Page {
                    continue;
                }
                if cost > left {
                    // Nothing older either: what is here must be the end of the conversation, without holes.
                    break;
                }
                left -= cost;
                of_room.push(keep(id, message));
            }
            of_room.reverse();
            messages.extend(of_room);
        }
        rooms.reverse();
        let snapshot = Snapshot {
            version: VERSION,
            open: self.router.on_screen().cloned(),
            rooms,
            messages,
            outbox: self.outbox.clone(),
        };
        to_text(&snapshot)
    }

    /// Takes up what a snapshot kept, on a client that has done nothing yet. Returns the conversation that was open,
    /// for the caller to open.
    ///
    /// # Errors
    /// [`SnapshotError`]; the client is as it was.
    pub fn restore(&mut self, snapshot: &str) -> Result<Option<ConversationId>, SnapshotError> {
        let snapshot: Snapshot = from_text(snapshot)?;
        if snapshot.version != VERSION {
            return Err(SnapshotError::Version(snapshot.version));
        }
        for kept in snapshot.messages {
            let (id, message) = take_up(kept);
            self.registry.insert(id, message, Place::Last);
        }
        if self.config.transport == Transport::Relay {
            for room in snapshot.rooms {
                if self.registry.has_live(&room) {
                    self.router.keep(room);
                }
            }
            self.outbox = snapshot.outbox;
            self.forget_arrived();
        }
        Ok(snapshot.open)
    }
}

fn keep(id: &MessageId, message: &Message) -> Kept {
    Kept {
        id: id.clone(),
        conversation: message.conversation.clone(),
        role: message.role,
        epoch: message.epoch,
        status: message.status,
        text: message.text().to_owned(),
        stretches: message.stretches(),
        parts: message.parts().to_vec(),
        parent_id: message.parent_id.clone(),
        provider: message.provider.clone(),
        model: message.model.clone(),
        acknowledged: message.acknowledged,
        ending: message.ending.clone(),
    }
}

fn take_up(kept: Kept) -> (MessageId, Message) {
    let mut message = Message::new(kept.conversation, kept.role);
    message.epoch = kept.epoch;
    message.parent_id = kept.parent_id;
    message.provider = kept.provider;
    message.model = kept.model;
    message.acknowledged = kept.acknowledged;
    message.ending = kept.ending;
    for (index, part) in kept.parts.into_iter().enumerate() {
        message.describe_part(u32::try_from(index).unwrap_or(u32::MAX), part);
    }
    let ends = kept.stretches.iter().skip(1).map(|(_, start)| *start).chain([kept.text.len()]);
    for (&(part, start), end) in kept.stretches.iter().zip(ends) {
        message.append(part, kept.text.get(start..end).unwrap_or_default());
    }
    message.status = kept.status;
    if kept.status.is_terminal() {
        message.ended_at = Some(0);
    }
    (kept.id, message)
}
