//! Every message that this page knows, and their order in each conversation. It decides nothing.

use riacho_protocol::{ConversationId, Map, MessageId};

use super::message::Message;

/// Where in its conversation a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    First,
    /// Last, if that one is not known.
    After(&'a MessageId),
    Last,
}

/// Invariant: a message is in exactly one conversation's order, and each id in an order is known.
#[derive(Debug, Default)]
pub struct Registry {
    messages: Map<MessageId, Message>,
    order: Map<ConversationId, Vec<MessageId>>,
}

impl Registry {
    #[must_use]
    pub fn get(&self, id: &MessageId) -> Option<&Message> {
        self.messages.get(id)
    }

    pub fn get_mut(&mut self, id: &MessageId) -> Option<&mut Message> {
        self.messages.get_mut(id)
    }

    /// Adds a message, and says where in its conversation it stands now. One that is known stays as it is.
    pub fn insert(&mut self, id: MessageId, message: Message, place: Place<'_>) -> Option<usize> {
        if self.messages.contains_key(&id) {
            return None;
        }
        let order = self.order.get_or_insert(message.conversation.clone(), Vec::new());
        let index = match place {
            Place::First => 0,
            Place::After(after) => {
                order.iter().rposition(|known| known == after).map_or(order.len(), |index| index + 1)
            }
            Place::Last => order.len(),
        };
        order.insert(index, id.clone());
        self.messages.insert(id, message);
        Some(index)
    }

    pub fn remove(&mut self, id: &MessageId) -> Option<Message> {
        let message = self.messages.remove(id)?;
        if let Some(order) = self.order.get_mut(&message.conversation) {
            order.retain(|known| known != id);
        }
        Some(message)
    }

    /// Lets go of a whole conversation.
    pub fn forget(&mut self, conversation: &ConversationId) {
        for id in self.order.remove(conversation).unwrap_or_default() {
            self.messages.remove(&id);
        }
    }

    /// The messages of one conversation, in order.
    #[must_use]
    pub fn in_order(&self, conversation: &ConversationId) -> InOrder<'_> {
        InOrder { messages: &self.messages, order: self.order(conversation).iter() }
    }

    /// Those of one conversation of which something is true, in order.
    #[must_use]
    pub fn those(
        &self,
        conversation: &ConversationId,
        is_so: &dyn Fn(&MessageId, &Message) -> bool,
    ) -> Vec<MessageId> {
        let mut those = Vec::new();
        for (id, message) in self.in_order(conversation) {
            if is_so(id, message) {
                those.push(id.clone());
            }
        }
        those
    }

    /// The ids of one conversation, in order.
    #[must_use]
    pub fn order(&self, conversation: &ConversationId) -> &[MessageId] {
        self.order.get(conversation).map(Vec::as_slice).unwrap_or_default()
    }

    /// Where it stands in its conversation.
    #[must_use]
    pub fn index(&self, id: &MessageId) -> Option<usize> {
        self.order(&self.messages.get(id)?.conversation).iter().position(|known| known == id)
    }

    /// Text may still come for something there.
    #[must_use]
    pub fn has_live(&self, conversation: &ConversationId) -> bool {
        self.in_order(conversation).any(|(_, message)| message.is_live())
    }

    pub fn iter(&self) -> impl Iterator<Item = (&MessageId, &Message)> {
        self.messages.iter()
    }
}

/// The messages of one conversation, from both ends.
#[derive(Debug)]
pub struct InOrder<'a> {
    messages: &'a Map<MessageId, Message>,
    order: std::slice::Iter<'a, MessageId>,
}

impl<'a> Iterator for InOrder<'a> {
    type Item = (&'a MessageId, &'a Message);

    fn next(&mut self) -> Option<Self::Item> {
        self.messages.get_key_value(self.order.next()?)
    }
}

impl DoubleEndedIterator for InOrder<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.messages.get_key_value(self.order.next_back()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use riacho_protocol::Role;

    #[test]
    fn order_is_by_place_not_by_arrival() {
        let (c, id) = (ConversationId::new("c").unwrap(), |id: &str| MessageId::new(id).unwrap());
        let mut registry = Registry::default();
        let message = || Message::new(c.clone(), Role::User);
        assert_eq!(registry.insert(id("1"), message(), Place::Last), Some(0));
        registry.insert(id("3"), message(), Place::Last);
        assert_eq!(registry.insert(id("2"), message(), Place::After(&id("1"))), Some(1));
        assert_eq!(registry.insert(id("2"), message(), Place::Last), None);
        registry.insert(id("0"), message(), Place::First);
        let order: Vec<_> = registry.in_order(&c).map(|(id, _)| id.as_str()).collect();
        assert_eq!(order, ["0", "1", "2", "3"]);
        assert_eq!(registry.index(&id("2")), Some(2));
        assert!(registry.remove(&id("2")).is_some());
        assert_eq!(registry.index(&id("3")), Some(2));
        assert_eq!(registry.order(&c), [id("0"), id("1"), id("3")]);
    }
}
