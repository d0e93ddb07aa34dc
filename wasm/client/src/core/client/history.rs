//! Older messages: a page of them at a time, when the reader comes near the first one.

use riacho_protocol::{ConversationId, History, LoadHistory, MessageId};

use super::Client;
use crate::core::Millis;
use crate::core::event::Event;
use crate::core::registry::Place;
use crate::core::router::Join;

/// Messages in a page: more than a screen, and little enough to be read at once.
const PAGE: u32 = 40;

/// What is known of the messages before the first one here. Nothing known, nothing to fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Older {
    There,
    /// Asked for on the socket of the moment.
    Asked,
    None,
}

impl Client {
    /// Asks for older messages of the conversation on screen. False when there are none, or when they are on their way.
    pub fn load_older(&mut self) -> bool {
        let Some(conversation) = self.router.on_screen().cloned() else { return false };
        let joined = self.connection.is_open() && self.router.join_state(&conversation) == Some(Join::Done);
        let before = self.registry.in_order(&conversation).next().map(|(id, _)| id.clone());
        if !joined || before.is_none() || self.older.get(&conversation) != Some(&Older::There) {
            return false;
        }
        self.older.insert(conversation.clone(), Older::Asked);
        self.transmit(&LoadHistory { conversation_id: conversation, before, limit: PAGE }.into());
        true
    }

    /// A join describes the newest messages. What was asked for on another socket is not coming any more.
    pub(super) fn note_joined(
        &mut self,
        conversation: &ConversationId,
        first: Option<&MessageId>,
        more: bool,
    ) {
        let have = self.registry.in_order(conversation).next().map(|(id, _)| id);
        let is_first = have.is_none() || have == first;
        let older = match self.older.get(conversation) {
            _ if is_first => {
                if more {
                    Older::There
                } else {
                    Older::None
                }
            }
            // Pages before that one are here already; what they said of still older ones holds.
            Some(Older::None) => Older::None,
            Some(Older::There | Older::Asked) => Older::There,
            None => {
                if more {
                    Older::There
                } else {
                    Older::None
                }
            }
        };
        self.older.insert(conversation.clone(), older);
    }

    pub(super) fn on_history(&mut self, history: History, now: Millis) {
        let History { conversation_id, messages, more } = history;
        if self.has_left(&conversation_id) {
            return;
        }
        self.older.insert(conversation_id.clone(), if more { Older::There } else { Older::None });
        self.describe(&conversation_id, messages, Place::First, now);
        self.emit(Event::History { conversation_id, more });
    }
}
