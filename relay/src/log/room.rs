//! One conversation: its messages, the append-only list of its runs, and who reads it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use riacho_protocol::{ConversationId, MessageId, MessageInfo, MessageStarted, Position, Role, Status};

use super::access::User;
use super::message::{At, Body, Message, RunCursor, Step};
use super::sql::Stored;
use super::text::Text;
use super::waker::Waker;
use super::{AnswerBy, Ending, NewTurn, Piece, Refused, Terminal, lock};
use crate::detail::Detail;
use crate::frame::Frame;

pub struct Room {
    pub id: ConversationId,
    pub owner: User,
    state: Mutex<RoomState>,
}

impl Room {
    /// As it is stored.
    pub fn new(id: ConversationId, owner: User, messages: Vec<Stored>) -> Self {
        let mut state = RoomState::default();
        messages.into_iter().for_each(|message| state.start(Message::stored(message)));
        Self { id, owner, state: Mutex::new(state) }
    }

    pub fn lock(&self) -> MutexGuard<'_, RoomState> {
        lock(&self.state)
    }
}

/// What readers see of a room; the store has it already. `messages` and `runs` only grow. A message holds its current epoch.
#[derive(Default)]
pub struct RoomState {
    messages: Vec<Message>,
    by_id: HashMap<MessageId, usize>,
    /// Each start of an epoch, in order: the index of its message.
    runs: Vec<usize>,
    /// Messages without a terminal record.
    live: usize,
    /// The conversation was deleted.
    gone: bool,
    readers: Vec<Arc<Waker>>,
}

/// The cursor of one reader in one room.
#[derive(Default)]
pub struct RoomCursor {
    /// The runs before this one were taken up, or were over when the reader joined.
    next_run: usize,
    reading: VecDeque<RunCursor>,
    follows: Follows,
}

/// Which messages a reader wants of a room.
#[derive(Default, Clone, Copy, PartialEq)]
enum Follows {
    #[default]
    All,
    Nothing,
    One(usize),
}

/// What a room has for a reader.
pub enum Next {
    Frame(Frame),
    Nothing,
    /// These texts are wanted first.
    Fetch(Vec<MessageId>),
}

/// Texts that are fetched at a time.
const FETCH: usize = 16;

impl RoomState {
    pub fn add_reader(&mut self, waker: &Arc<Waker>) {
        if !self.readers.iter().any(|reader| Arc::ptr_eq(reader, waker)) {
            self.readers.push(Arc::clone(waker));
        }
    }

    /// Takes a reader out, and says whether it was the last one.
    pub fn remove_reader(&mut self, waker: &Arc<Waker>) -> bool {
        self.readers.retain(|reader| !Arc::ptr_eq(reader, waker));
        self.readers.is_empty()
    }

    pub fn delete(&mut self) {
        self.gone = true;
    }

    pub fn is_gone(&self) -> bool {
        self.gone
    }

    pub fn is_idle(&self) -> bool {
        self.live == 0
    }

    /// Wakes everyone who reads here.
    pub fn wake(&self, id: &ConversationId) {
        self.readers.iter().for_each(|reader| reader.room_changed(id));
    }

    pub fn started(&self, room: &ConversationId, id: &MessageId) -> Option<MessageStarted> {
        self.message(id).map(|message| message.started(room))
    }

    pub fn add_turn(&mut self, turn: NewTurn, parent_id: Option<MessageId>) {
        let mut said = Message::new(turn.message_id.clone(), Role::User, parent_id, None);
        let mut text = Text::default();
        text.append(&Piece::Text { part: 0, text: turn.content });
        said.body = Body::Here(text);
        said.status = Status::Completed;
        said.terminal = Some(Terminal { ending: Ending::Completed, ..Terminal::default() });
        self.start(said);
        self.start(Message::new(turn.reply_id, Role::Assistant, Some(turn.message_id), Some(turn.answer)));
    }

    fn start(&mut self, mut message: Message) {
        let index = self.messages.len();
        message.run = self.runs.len();
        self.runs.push(index);
        self.live += usize::from(message.terminal.is_none());
        self.by_id.insert(message.id.clone(), index);
        self.messages.push(message);
    }

    pub fn append(&mut self, id: &MessageId, pieces: &[Piece]) {
        let Some(message) = self.message_mut(id) else { return };
        if let Body::Here(text) = &mut message.body {
            pieces.iter().for_each(|piece| text.append(piece));
        }
        if !pieces.is_empty() {
            message.status = Status::Streaming;
            // Whoever comes now sees that it goes on.
            message.detail = None;
        }
    }

    pub fn note(&mut self, id: &MessageId, epoch: u32, detail: Detail) {
        let message = self.message_mut(id);
        if let Some(message) = message.filter(|message| message.epoch == epoch && message.terminal.is_none())
        {
            message.detail = Some(detail);
            message.details += 1;
        }
    }

    pub fn finish(&mut self, id: &MessageId, epoch: u32, terminal: &Terminal) {
        let message = self.message_mut(id);
        if let Some(message) = message.filter(|message| message.epoch == epoch && message.terminal.is_none())
        {
            message.status = terminal.ending.status();
            message.terminal = Some(terminal.clone());
            self.live -= 1;
        }
    }

    pub fn set_answer(&mut self, id: &MessageId, answer: &AnswerBy) {
        if let Some(message) = self.message_mut(id) {
            message.answer = Some(answer.clone());
        }
    }

    pub fn next_epoch(&mut self, id: &MessageId, epoch: u32) {
        let Some(&index) = self.by_id.get(id) else { return };
        let run = self.runs.len();
        if let Some(message) = self.messages.get_mut(index) {
            message.epoch = epoch;
            message.run = run;
            message.status = Status::Pending;
            message.body = Body::Here(Text::default());
            self.live += usize::from(message.terminal.take().is_some());
            message.detail = None;
            self.runs.push(index);
        }
    }

    /// Texts that were fetched. One that was replaced meanwhile is not taken; one that the store does not have is empty, so
    /// that nobody asks for ever.
    pub fn set_texts(&mut self, wanted: &[MessageId], mut texts: HashMap<MessageId, (u32, String)>) {
        for id in wanted {
            let Some(message) = self.message_mut(id) else { continue };
            if let Body::InStore { layout, .. } = &mut message.body {
                let found = texts.remove(id).filter(|(epoch, _)| *epoch == message.epoch);
                let text = found.map(|(_, content)| Text::new(content, std::mem::take(layout)));
                message.body = Body::Here(text.unwrap_or_default());
            }
        }
    }

    fn message(&self, id: &MessageId) -> Option<&Message> {
        self.by_id.get(id).and_then(|index| self.messages.get(*index))
    }

    fn message_mut(&mut self, id: &MessageId) -> Option<&mut Message> {
        self.by_id.get(id).and_then(|index| self.messages.get_mut(*index))
    }

    // What readers see.

    /// Describes the newest messages, every live one among them, and puts a cursor on each.
    pub fn join(
        &self,
        have: impl Fn(&MessageId) -> Option<Position>,
        max_page: usize,
    ) -> (RoomCursor, Vec<MessageInfo>, bool) {
        let newest = self.messages.len().saturating_sub(max_page);
        let described = self
            .messages
            .iter()
            .enumerate()
            .filter(|(index, message)| *index >= newest || message.terminal.is_none());
        let mut cursor = RoomCursor { next_run: self.runs.len(), ..RoomCursor::default() };
        let mut infos = Vec::new();
        for (index, message) in described {
            let offset = have(&message.id).filter(|at| at.epoch == message.epoch).map_or(0, |at| at.offset);
            cursor.read(RunCursor::told(index, message, offset));
            infos.push(message.info());
        }
        (cursor, infos, newest > 0)
    }

    /// Describes a page before a message, and puts a cursor on each of it that has none yet.
    pub fn history(
        &self,
        cursor: &mut RoomCursor,
        before: Option<&MessageId>,
        limit: usize,
    ) -> Result<(Vec<MessageInfo>, bool), Refused> {
        let end = match before {
            Some(id) => *self.by_id.get(id).ok_or(Refused::UnknownMessage)?,
            None => self.messages.len(),
        };
        let start = end.saturating_sub(limit);
        let mut infos = Vec::new();
        for (index, message) in self.messages.iter().enumerate().take(end).skip(start) {
            if message.run < cursor.next_run && !cursor.reading.iter().any(|run| run.message == index) {
                cursor.read(RunCursor::told(index, message, 0));
            }
            infos.push(message.info());
        }
        Ok((infos, start > 0))
    }

    /// Reads one message alone, from what the reader has, or else from its start.
    pub fn follow(
        &self,
        cursor: &mut RoomCursor,
        id: &MessageId,
        have: Option<Position>,
    ) -> Result<(), Refused> {
        let index = *self.by_id.get(id).ok_or(Refused::UnknownMessage)?;
        let message = self.messages.get(index).ok_or(Refused::UnknownMessage)?;
        let have = have.filter(|at| at.epoch == message.epoch);
        let offset = have.map_or(0, |at| at.offset);
        let run =
            RunCursor { started: have.is_some(), told: false, ..RunCursor::told(index, message, offset) };
        *cursor =
            RoomCursor { next_run: self.runs.len(), reading: [run].into(), follows: Follows::One(index) };
        Ok(())
    }

    /// Makes the cursor of one message rest, or go on.
    pub fn set_paused(&self, cursor: &mut RoomCursor, id: &MessageId, paused: bool) {
        self.take_up(cursor);
        let index = self.by_id.get(id).copied();
        for run in cursor.reading.iter_mut().filter(|run| Some(run.message) == index) {
            run.paused = paused;
        }
    }

    /// The next frame for a reader, and its cursor behind that frame.
    pub fn next(&mut self, room: &ConversationId, cursor: &mut RoomCursor, max_chunk: usize) -> Next {
        self.take_up(cursor);
        for _ in 0..cursor.reading.len() {
            let Some(mut run) = cursor.reading.pop_front() else { break };
            let Some(message) = self.messages.get_mut(run.message).filter(|_| !run.paused) else {
                cursor.reading.push_back(run);
                continue;
            };
            match message.step(room, &mut run, max_chunk) {
                Step::Nothing => cursor.reading.push_back(run),
                // What is over is read to its end; what lives takes turns.
                Step::Frame(frame) if message.terminal.is_some() => {
                    cursor.reading.push_front(run);
                    return Next::Frame(frame);
                }
                Step::Frame(frame) => {
                    cursor.reading.push_back(run);
                    return Next::Frame(frame);
                }
                Step::Done(Some(frame)) => return Next::Frame(frame),
                Step::Done(None) => {}
                Step::Fetch => {
                    cursor.reading.push_front(run);
                    return Next::Fetch(self.wanted(cursor));
                }
            }
        }
        Next::Nothing
    }

    /// The first texts that a reader lacks.
    fn wanted(&self, cursor: &RoomCursor) -> Vec<MessageId> {
        let messages =
            cursor.reading.iter().filter(|run| !run.paused).filter_map(|run| self.messages.get(run.message));
        let away = messages.filter(|message| matches!(message.body, Body::InStore { .. }));
        away.take(FETCH).map(|message| message.id.clone()).collect()
    }

    /// Puts a cursor on each run that has started since. A new epoch takes the place of the one before.
    fn take_up(&self, cursor: &mut RoomCursor) {
        while let Some(&index) = self.runs.get(cursor.next_run) {
            let run = cursor.next_run;
            cursor.next_run += 1;
            if !matches!(cursor.follows, Follows::All) && cursor.follows != Follows::One(index) {
                continue;
            }
            cursor.reading.retain(|reading| reading.message != index);
            if self.messages.get(index).is_some_and(|message| message.run == run) {
                cursor.read(RunCursor {
                    message: index,
                    run,
                    started: false,
                    place: At::Holds(0),
                    details: 0,
                    told: false,
                    paused: false,
                });
            }
        }
    }
}

impl RoomCursor {
    /// For a reader of one message, which is not known yet.
    pub fn of_one() -> Self {
        Self { follows: Follows::Nothing, ..Self::default() }
    }

    fn read(&mut self, run: RunCursor) {
        self.reading.push_back(run);
    }

    /// The reader has all there is, and waits for nothing.
    pub fn is_done(&self) -> bool {
        self.reading.is_empty()
    }
}
