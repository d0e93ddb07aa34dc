//! Where a chunk goes: one comparison of `(epoch, offset)`; and which rooms are joined, which one is looked at.

use riacho_protocol::{ConversationId, Map, Position};

/// What a chunk at a position means for who holds another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Append what comes after the first `skip` bytes; those are here already.
    Append { skip: usize },
    /// All of it is here already.
    Duplicate,
    /// Something before it is missing: join again with what is here.
    Gap,
    /// It belongs to a text that has been replaced.
    Stale,
    /// It starts the text that replaces this one.
    NextEpoch,
}

/// The one comparison that de-duplication, resume, reload and a slow reader all are.
#[must_use]
pub fn route(have: Position, at: Position, length: usize) -> Route {
    if at.epoch < have.epoch {
        return Route::Stale;
    }
    if at.epoch > have.epoch {
        return if at.offset == 0 { Route::NextEpoch } else { Route::Gap };
    }
    if at.offset > have.offset {
        return Route::Gap;
    }
    match usize::try_from(have.offset - at.offset) {
        Ok(skip) if skip < length => Route::Append { skip },
        Ok(0) => Route::Append { skip: 0 },
        _ => Route::Duplicate,
    }
}

/// How far the join of a room is, on the socket of the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// Not asked for on this socket.
    Wanted,
    /// Asked for; the answer is on its way. A gap that shows meanwhile needs no second join.
    Asked,
    /// Answered.
    Done,
}

/// The rooms this page is in. At most one is on screen, and that one is always among them.
#[derive(Debug, Default)]
pub struct Router {
    on_screen: Option<ConversationId>,
    rooms: Map<ConversationId, Join>,
}

impl Router {
    #[must_use]
    pub fn on_screen(&self) -> Option<&ConversationId> {
        self.on_screen.as_ref()
    }

    #[must_use]
    pub fn is_on_screen(&self, conversation: &ConversationId) -> bool {
        self.on_screen.as_ref() == Some(conversation)
    }

    /// Puts a conversation on screen, and returns the one that was.
    pub fn show(&mut self, conversation: ConversationId) -> Option<ConversationId> {
        self.rooms.get_or_insert(conversation.clone(), Join::Wanted);
        self.on_screen.replace(conversation)
    }

    #[must_use]
    pub fn join_state(&self, conversation: &ConversationId) -> Option<Join> {
        self.rooms.get(conversation).copied()
    }

    pub fn set_join(&mut self, conversation: &ConversationId, join: Join) {
        if let Some(state) = self.rooms.get_mut(conversation) {
            *state = join;
        }
    }

    /// In a room, though not looking: something there is live.
    pub fn keep(&mut self, conversation: ConversationId) {
        self.rooms.get_or_insert(conversation, Join::Wanted);
    }

    /// Out of a room, unless it is the one on screen. True when there was one to leave.
    pub fn leave(&mut self, conversation: &ConversationId) -> bool {
        !self.is_on_screen(conversation) && self.rooms.remove(conversation).is_some()
    }

    /// The socket is gone: every room must be joined anew.
    pub fn forget_joins(&mut self) {
        for join in self.rooms.values_mut() {
            *join = Join::Wanted;
        }
    }

    /// Every room, the one on screen last: the last one joined is the one that is looked at.
    #[must_use]
    pub fn rooms(&self) -> Vec<ConversationId> {
        let mut rooms = Vec::new();
        for room in self.rooms.keys() {
            if !self.is_on_screen(room) {
                rooms.push(room.clone());
            }
        }
        if let Some(room) = &self.on_screen {
            rooms.push(room.clone());
        }
        rooms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(epoch: u32, offset: u64) -> Position {
        Position { epoch, offset }
    }

    #[test]
    fn one_comparison() {
        let have = at(1, 10);
        let table = [
            (at(1, 10), 3, Route::Append { skip: 0 }),
            (at(1, 8), 5, Route::Append { skip: 2 }),
            (at(1, 8), 2, Route::Duplicate),
            (at(1, 0), 4, Route::Duplicate),
            (at(1, 11), 1, Route::Gap),
            (at(0, 10), 1, Route::Stale),
            (at(2, 0), 1, Route::NextEpoch),
            (at(2, 5), 1, Route::Gap),
            (at(1, 10), 0, Route::Append { skip: 0 }),
        ];
        for (at, length, expected) in table {
            assert_eq!(route(have, at, length), expected, "{at:?} with {length} bytes");
        }
    }

    #[test]
    fn the_room_on_screen_is_joined_last_and_never_left() {
        let c = |id: &str| ConversationId::new(id).unwrap();
        let mut router = Router::default();
        assert_eq!(router.show(c("z")), None);
        assert_eq!(router.show(c("a")), Some(c("z")));
        assert_eq!(router.rooms(), [c("z"), c("a")]);
        assert!(!router.leave(&c("a")));
        assert!(router.leave(&c("z")));
        assert_eq!(router.rooms(), [c("a")]);
    }
}
