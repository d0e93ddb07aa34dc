//! The log: the one place that owns append, read from a cursor, wake, and terminal records.
//!
//! A conversation is a room with an append-only list of runs; a run is one append-only text with a status and exactly one
//! terminal record. A reader is a cursor ([`Subscription`]), not a queue: it takes what lies between its cursor and the
//! end when it can be written to. Nothing here knows a provider, a socket, or the task that writes a run.
//!
//! Locks are taken in one order, rooms before readers, and never held across an await.

mod cursor;
mod room;
mod text;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{SystemTime, UNIX_EPOCH};

use riacho_protocol::{
    ConversationId, ConversationInfo, ConversationStatus, ErrorCode, Failure, InterruptReason, MessageId,
    MessageStarted, Metrics, Options, PartInfo, Role, Status, Usage,
};

pub use cursor::Subscription;
use cursor::Waker;
use room::Room;

/// Lines in `conversations`, the last used first.
const MAX_LISTED: usize = 200;
/// The longest title that is kept, in characters.
const MAX_TITLE_CHARS: usize = 200;

/// A handle on the log; clones are the same log.
#[derive(Clone)]
pub struct Log {
    shared: Arc<Shared>,
}

struct Shared {
    rooms: Mutex<HashMap<ConversationId, Arc<Room>>>,
    /// Where each message is. An id belongs to one message, whatever the conversation.
    places: Mutex<HashMap<MessageId, ConversationId>>,
    /// Who wants to know when the list of conversations changes.
    listeners: Mutex<Vec<Weak<Waker>>>,
}

/// Why the log did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("no such conversation")]
    UnknownConversation,
    #[error("this socket has not joined that conversation")]
    NotJoined,
    #[error("the conversation is closed; open it again to send there")]
    ConversationClosed,
    #[error("no such message")]
    UnknownMessage,
    #[error("the current epoch is {current}")]
    StaleEpoch { current: u32 },
    #[error("{0}")]
    BadStatus(&'static str),
    #[error("the id belongs to another message")]
    IdTaken,
    #[error("this socket has joined {0} conversations already; leave one first")]
    TooManyJoined(u32),
}

impl Refused {
    pub fn code(&self) -> ErrorCode {
        match self {
            Refused::UnknownConversation | Refused::NotJoined => ErrorCode::UnknownConversation,
            Refused::ConversationClosed => ErrorCode::ConversationClosed,
            Refused::UnknownMessage => ErrorCode::UnknownMessage,
            Refused::StaleEpoch { .. } => ErrorCode::StaleEpoch,
            Refused::BadStatus(_) => ErrorCode::BadStatus,
            Refused::IdTaken => ErrorCode::IdTaken,
            Refused::TooManyJoined(_) => ErrorCode::TooManyJoined,
        }
    }
}

/// The run has its terminal record: nothing can be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the run has ended")]
pub struct Ended;

/// A user's message, and the answer that is to come.
#[derive(Debug, Clone)]
pub struct NewTurn {
    pub conversation_id: ConversationId,
    pub message_id: MessageId,
    pub reply_id: MessageId,
    pub parent_id: Option<MessageId>,
    pub content: String,
    pub answer: AnswerBy,
}

/// Who is asked for an answer, and how; kept, so that a retry asks the same.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerBy {
    pub provider: String,
    pub model: Option<String>,
    pub options: Options,
}

/// What became of a [`NewTurn`].
pub enum Added {
    New(Run),
    /// It was there already; this is what is known of both messages.
    Again(Box<[MessageStarted; 2]>),
}

/// One text of one message, for whoever writes it.
#[derive(Clone)]
pub struct Run {
    room: Arc<Room>,
    pub message_id: MessageId,
    pub epoch: u32,
}

/// What is appended to a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// The next part begins.
    Part(PartInfo),
    /// Text of a part; a part that was not announced is text.
    Text { part: u32, text: String },
}

/// How a run ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    Completed,
    Interrupted(InterruptReason),
    Failed(Failure),
}

impl Ending {
    fn status(&self) -> Status {
        match self {
            Ending::Completed => Status::Completed,
            Ending::Interrupted(_) => Status::Interrupted,
            Ending::Failed(_) => Status::Error,
        }
    }
}

/// The one terminal record of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal {
    pub ending: Ending,
    pub usage: Usage,
    pub metrics: Metrics,
}

/// A message on the path to an answer, as a provider is to read it: text parts only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub role: Role,
    pub text: String,
}

impl Log {
    /// A log that lasts as long as the process.
    pub fn in_memory() -> Self {
        Self {
            shared: Arc::new(Shared {
                rooms: Mutex::default(),
                places: Mutex::default(),
                listeners: Mutex::default(),
            }),
        }
    }

    /// A reader, with no cursor yet.
    pub fn subscribe(&self, max_chunk: usize, max_page: usize, max_joined: usize) -> Subscription {
        Subscription::new(self.clone(), cursor::Bounds { max_chunk, max_page, max_joined })
    }

    /// Adds a user's message, whole, and the pending run of its answer, in one step.
    pub async fn add_turn(&self, turn: NewTurn) -> Result<Added, Refused> {
        if turn.message_id == turn.reply_id {
            return Err(Refused::IdTaken);
        }
        let room = self.room(&turn.conversation_id).ok_or(Refused::UnknownConversation)?;
        let added = {
            // Both locks, so that two sockets that send the same ids at once make one message.
            let mut state = room.lock();
            let mut places = lock(&self.shared.places);
            let known = [&turn.message_id, &turn.reply_id].map(|id| places.contains_key(id));
            if known != [false, false] {
                return state.said_before(&turn).map(Added::Again).ok_or(Refused::IdTaken);
            }
            if state.status == ConversationStatus::Closed {
                return Err(Refused::ConversationClosed);
            }
            let (message_id, reply_id) = (turn.message_id.clone(), turn.reply_id.clone());
            state.add_turn(turn, now())?;
            places.insert(message_id, room.id.clone());
            places.insert(reply_id.clone(), room.id.clone());
            state.wake(&room.id);
            Added::New(Run { room: Arc::clone(&room), message_id: reply_id, epoch: 0 })
        };
        self.list_changed();
        Ok(added)
    }

    /// Appends to a run, and wakes its readers.
    pub async fn append(&self, run: &Run, pieces: Vec<Piece>) -> Result<(), Ended> {
        let mut state = run.room.lock();
        state.append(&run.message_id, run.epoch, pieces)?;
        state.wake(&run.room.id);
        Ok(())
    }

    /// Says what happens while no text comes.
    pub async fn note(&self, run: &Run, detail: String) -> Result<(), Ended> {
        let mut state = run.room.lock();
        state.note(&run.message_id, run.epoch, detail)?;
        state.wake(&run.room.id);
        Ok(())
    }

    /// Writes the terminal record. The first one stands: `false` says that there was one.
    pub async fn finish(&self, run: &Run, terminal: Terminal) -> bool {
        let first = {
            let mut state = run.room.lock();
            let first = state.finish(&run.message_id, run.epoch, terminal, now());
            if first {
                state.wake(&run.room.id);
            }
            first
        };
        if first {
            self.list_changed();
        }
        first
    }

    /// The run that `epoch` names, if that is the current one, and its status.
    pub async fn run(&self, message_id: &MessageId, epoch: u32) -> Result<(Run, Status), Refused> {
        let room = self.room_of(message_id)?;
        let status = room.lock().current(message_id, epoch)?;
        Ok((Run { room, message_id: message_id.clone(), epoch }, status))
    }

    /// Starts the next epoch of an answer that has ended, and says who is to be asked.
    pub async fn next_epoch(&self, message_id: &MessageId, epoch: u32) -> Result<(Run, AnswerBy), Refused> {
        let room = self.room_of(message_id)?;
        let (epoch, answer) = {
            let mut state = room.lock();
            let started = state.next_epoch(message_id, epoch, now())?;
            state.wake(&room.id);
            started
        };
        self.list_changed();
        Ok((Run { room, message_id: message_id.clone(), epoch }, answer))
    }

    /// What was said on the way to an answer, oldest first and without the answer itself. It goes back no further than
    /// to the message with which `max_bytes` are exceeded.
    pub async fn path_to(&self, run: &Run, max_bytes: usize) -> Vec<Said> {
        run.room.lock().path_to(&run.message_id, max_bytes)
    }

    /// Names, closes or opens a conversation. An empty title brings back the default one.
    pub async fn update(
        &self,
        conversation_id: &ConversationId,
        title: Option<String>,
        status: Option<ConversationStatus>,
    ) -> Result<(), Refused> {
        let room = self.room(conversation_id).ok_or(Refused::UnknownConversation)?;
        {
            let mut state = room.lock();
            if let Some(title) = title {
                let title = one_line(&title, MAX_TITLE_CHARS);
                state.title = (!title.is_empty()).then_some(title);
            }
            if let Some(status) = status {
                state.status = status;
            }
        }
        self.list_changed();
        Ok(())
    }

    /// Conversations in which something was said, the last used first.
    pub async fn list(&self) -> Vec<ConversationInfo> {
        let rooms: Vec<Arc<Room>> = lock(&self.shared.rooms).values().cloned().collect();
        let mut list: Vec<ConversationInfo> =
            rooms.iter().filter_map(|room| room.lock().info(&room.id)).collect();
        list.sort_by(|a, b| {
            b.updated_at.cmp(&a.updated_at).then_with(|| b.conversation_id.cmp(&a.conversation_id))
        });
        list.truncate(MAX_LISTED);
        list
    }

    fn room(&self, id: &ConversationId) -> Option<Arc<Room>> {
        lock(&self.shared.rooms).get(id).cloned()
    }

    fn room_of(&self, message_id: &MessageId) -> Result<Arc<Room>, Refused> {
        let place = lock(&self.shared.places).get(message_id).cloned();
        place.and_then(|id| self.room(&id)).ok_or(Refused::UnknownMessage)
    }

    /// The room, made if it does not exist, with this reader in it.
    fn enter(&self, id: &ConversationId, waker: &Arc<Waker>) -> Arc<Room> {
        let mut rooms = lock(&self.shared.rooms);
        let room = rooms.entry(id.clone()).or_insert_with(|| Arc::new(Room::new(id.clone())));
        room.lock().add_reader(waker);
        Arc::clone(room)
    }

    /// Takes the reader out. A room in which nothing was said and that nobody reads is forgotten.
    fn exit(&self, room: &Arc<Room>, waker: &Arc<Waker>) {
        let mut rooms = lock(&self.shared.rooms);
        let mut state = room.lock();
        state.remove_reader(waker);
        if state.is_forgettable() {
            rooms.remove(&room.id);
        }
    }

    fn listen(&self, waker: &Arc<Waker>) {
        let mut listeners = lock(&self.shared.listeners);
        listeners.retain(|listener| listener.strong_count() > 0);
        listeners.push(Arc::downgrade(waker));
    }

    fn list_changed(&self) {
        lock(&self.shared.listeners).retain(|listener| match listener.upgrade() {
            Some(waker) => {
                waker.list_changed();
                true
            }
            None => false,
        });
    }
}

/// A panic elsewhere does not take the data down with it: each change is made in one piece.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Milliseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The first line that says something, cut to a length.
fn one_line(text: &str, max_chars: usize) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let mut cut: String = line.chars().filter(|c| !c.is_control()).take(max_chars).collect();
    cut.truncate(cut.trim_end().len());
    cut
}
