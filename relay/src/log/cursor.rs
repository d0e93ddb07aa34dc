//! A reader: one cursor a room, and one flag a room that something there has changed. It holds no text.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use riacho_protocol::{
    ConversationId, ConversationJoined, Conversations, History, JoinConversation, LeaveConversation, Limits,
    LoadHistory, MessageId, Position,
};

use super::room::{Next, Room, RoomCursor};
use super::waker::Waker;
use super::{Log, Refused, User, Verb};
use crate::frame::Frame;

/// What a reader takes at a time.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub max_chunk: usize,
    pub max_page: usize,
    pub max_joined: usize,
}

impl Bounds {
    pub fn new(limits: &Limits) -> Self {
        let size = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
        Self {
            max_chunk: size(limits.max_chunk_bytes),
            max_page: size(limits.max_page.into()),
            max_joined: size(limits.max_joined.into()),
        }
    }
}

/// One reader of the log. The order of calls: [`join`](Self::join) and the like put cursors down,
/// [`next`](Self::next) is called until it has nothing, then [`changed`](Self::changed) waits.
pub struct Subscription {
    log: Log,
    user: User,
    bounds: Bounds,
    waker: Arc<Waker>,
    rooms: HashMap<ConversationId, Joined>,
    /// The room that is looked at: the last one joined.
    looked_at: Option<ConversationId>,
    /// Rooms that may have something, each once, in turns.
    turn: VecDeque<ConversationId>,
    listens: bool,
}

struct Joined {
    room: Arc<Room>,
    cursor: RoomCursor,
    /// The reader was told that nothing lives there any more.
    let_go: bool,
}

impl Subscription {
    pub(super) fn new(log: Log, user: User, bounds: Bounds) -> Self {
        Self {
            log,
            user,
            bounds,
            waker: Arc::default(),
            rooms: HashMap::new(),
            looked_at: None,
            turn: VecDeque::new(),
            listens: false,
        }
    }

    /// Joins, or joins again with the cursors set anew, and makes it the room that is looked at.
    pub async fn join(&mut self, frame: JoinConversation) -> Result<ConversationJoined, Refused> {
        let id = frame.conversation_id;
        if !self.rooms.contains_key(&id) && self.rooms.len() >= self.bounds.max_joined {
            return Err(Refused::TooManyJoined(u32::try_from(self.bounds.max_joined).unwrap_or(u32::MAX)));
        }
        let room = self.log.enter(&self.user, &id, &self.waker).await?;
        let (cursor, messages, more) =
            room.lock().join(|message| frame.have.get(message).copied(), self.bounds.max_page);
        self.rooms.insert(id.clone(), Joined { room, cursor, let_go: false });
        self.take_turn(id.clone());
        if let Some(before) = self.looked_at.replace(id.clone()).filter(|before| *before != id) {
            self.take_turn(before); // It may be idle, and then it is let go.
        }
        Ok(ConversationJoined { conversation_id: id, messages, more })
    }

    /// Enters a room to read one message of it, which [`follow`](Self::follow) names; nothing comes before.
    pub async fn attend(&mut self, id: &ConversationId) -> Result<(), Refused> {
        let room = self.log.enter(&self.user, id, &self.waker).await?;
        self.rooms.insert(id.clone(), Joined { room, cursor: RoomCursor::of_one(), let_go: true });
        Ok(())
    }

    /// Reads one message of a room that is attended: from what the reader has, or else from its start; its end is told
    /// whenever that was.
    pub fn follow(
        &mut self,
        id: &ConversationId,
        message: &MessageId,
        have: Option<Position>,
    ) -> Result<(), Refused> {
        let joined = self.rooms.get_mut(id).ok_or(Refused::NotJoined)?;
        joined.room.lock().follow(&mut joined.cursor, message, have)?;
        self.take_turn(id.clone());
        Ok(())
    }

    /// Puts the cursors of a room down. Leaving where one is not does nothing.
    pub async fn leave(&mut self, id: &ConversationId) {
        if let Some(joined) = self.rooms.remove(id) {
            self.log.exit(&joined.room, &self.waker);
            self.turn.retain(|room| room != id);
        }
        self.looked_at.take_if(|room| room == id);
    }

    pub fn has_joined(&self, id: &ConversationId) -> bool {
        self.rooms.contains_key(id)
    }

    pub async fn history(&mut self, frame: LoadHistory) -> Result<History, Refused> {
        let id = frame.conversation_id;
        let joined = self.rooms.get_mut(&id).ok_or(Refused::NotJoined)?;
        let limit = usize::try_from(frame.limit).unwrap_or(usize::MAX).clamp(1, self.bounds.max_page);
        let (messages, more) =
            joined.room.lock().history(&mut joined.cursor, frame.before.as_ref(), limit)?;
        self.take_turn(id.clone());
        Ok(History { conversation_id: id, messages, more })
    }

    /// This reader takes no more of a run, or takes it up again. Others are not touched.
    pub async fn set_paused(&mut self, message: &MessageId, epoch: u32, paused: bool) -> Result<(), Refused> {
        let (run, _) = self.log.run(&self.user, Verb::Read, message, epoch).await?;
        let joined = self.rooms.get_mut(&run.conversation_id).ok_or(Refused::NotJoined)?;
        joined.room.lock().set_paused(&mut joined.cursor, message, paused);
        self.take_turn(run.conversation_id);
        Ok(())
    }

    /// The list of conversations, now and whenever it changes.
    pub fn listen(&mut self) {
        if !self.listens {
            self.listens = true;
            self.log.listen(&self.user, &self.waker);
        }
        self.waker.list_changed();
    }

    /// The list once more, for a reader that changed something there.
    pub fn list_again(&self) {
        self.waker.list_changed();
    }

    /// The next frame, if there is one now.
    pub async fn next(&mut self) -> Option<Frame> {
        if self.waker.take_list()
            && let Ok(conversations) = self.log.list(&self.user).await
        {
            return Some(Conversations { conversations }.into());
        }
        self.waker.take_rooms(|id| queue(&mut self.turn, id));
        while let Some(id) = self.turn.pop_front() {
            let looked_at = self.looked_at.as_ref() == Some(&id);
            let Some(joined) = self.rooms.get_mut(&id) else { continue };
            let (next, idle) = {
                let mut state = joined.room.lock();
                let next = match state.is_gone() {
                    true => None,
                    false => Some(state.next(&id, &mut joined.cursor, self.bounds.max_chunk)),
                };
                (next, state.is_idle())
            };
            let Some(next) = next else {
                self.leave(&id).await;
                return Some(LeaveConversation { conversation_id: id }.into());
            };
            match next {
                Next::Frame(frame) => {
                    joined.let_go = false;
                    self.turn.push_back(id);
                    return Some(frame);
                }
                Next::Fetch(wanted) => match self.log.load(&joined.room, wanted).await {
                    Ok(()) => self.turn.push_front(id),
                    // Whoever joins again asks again.
                    Err(_) => continue,
                },
                Next::Nothing if !looked_at && !joined.let_go && idle && joined.cursor.is_done() => {
                    joined.let_go = true;
                    return Some(LeaveConversation { conversation_id: id }.into());
                }
                Next::Nothing => {}
            }
        }
        None
    }

    /// Waits until [`next`](Self::next) may have something. Dropping the future loses nothing.
    pub async fn changed(&self) {
        self.waker.woken().await;
    }

    /// A room may have something, and whoever waits is to ask.
    fn take_turn(&mut self, id: ConversationId) {
        queue(&mut self.turn, id);
        self.waker.wake();
    }
}

fn queue(turn: &mut VecDeque<ConversationId>, id: ConversationId) {
    if !turn.contains(&id) {
        turn.push_back(id);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        for joined in self.rooms.values() {
            self.log.exit(&joined.room, &self.waker);
        }
        if self.listens {
            self.log.listen_no_more(&self.user, &self.waker);
        }
    }
}
