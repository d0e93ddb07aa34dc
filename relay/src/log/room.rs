//! One conversation: its messages, the append-only list of its runs, and who reads it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use riacho_protocol::{
    ConversationId, ConversationInfo, ConversationStatus, MessageChunk, MessageId, MessageInfo,
    MessageStarted, MessageStatus, Metrics, Position, ResponseComplete, Role, ServerFrame, Status,
    StreamError, Usage,
};

use super::cursor::Waker;
use super::text::{Place, Text};
use super::{AnswerBy, Ended, Ending, NewTurn, Piece, Refused, Said, Terminal, lock, one_line};

/// The title of a conversation that nobody named: so much of its first message.
const DEFAULT_TITLE_CHARS: usize = 60;

pub struct Room {
    pub id: ConversationId,
    state: Mutex<RoomState>,
}

impl Room {
    pub fn new(id: ConversationId) -> Self {
        Self { id, state: Mutex::default() }
    }

    pub fn lock(&self) -> MutexGuard<'_, RoomState> {
        lock(&self.state)
    }
}

/// `messages` and `runs` only grow. A message holds its current run; the text of an epoch that was replaced is let go.
#[derive(Default)]
pub struct RoomState {
    messages: Vec<Message>,
    by_id: HashMap<MessageId, usize>,
    /// Each start of an epoch, in order: the index of its message.
    runs: Vec<usize>,
    live: usize,
    pub title: Option<String>,
    default_title: String,
    pub status: ConversationStatus,
    updated_at: u64,
    readers: Vec<Arc<Waker>>,
}

struct Message {
    id: MessageId,
    role: Role,
    parent_id: Option<MessageId>,
    /// Of an answer: who gives it.
    answer: Option<AnswerBy>,
    epoch: u32,
    /// Where in `runs` the current epoch started.
    run: usize,
    status: Status,
    text: Text,
    detail: Option<String>,
    /// Counts the details, so that a reader gets the newest one, once.
    details: u64,
    terminal: Option<Terminal>,
}

/// The cursor of one reader in one room.
#[derive(Default)]
pub struct RoomCursor {
    /// The runs before this one were taken up, or were over when the reader joined.
    next_run: usize,
    reading: VecDeque<RunCursor>,
}

/// The cursor of one reader in one run.
struct RunCursor {
    message: usize,
    run: usize,
    started: bool,
    place: Place,
    details: u64,
    /// The reader was told its status when it joined: no terminal frame follows.
    told: bool,
    paused: bool,
}

enum Step {
    Frame(ServerFrame),
    Nothing,
    Done(Option<ServerFrame>),
}

impl RoomState {
    pub fn add_reader(&mut self, waker: &Arc<Waker>) {
        if !self.readers.iter().any(|reader| Arc::ptr_eq(reader, waker)) {
            self.readers.push(Arc::clone(waker));
        }
    }

    pub fn remove_reader(&mut self, waker: &Arc<Waker>) {
        self.readers.retain(|reader| !Arc::ptr_eq(reader, waker));
    }

    pub fn is_forgettable(&self) -> bool {
        self.readers.is_empty() && self.messages.is_empty() && self.title.is_none()
    }

    pub fn is_idle(&self) -> bool {
        self.live == 0
    }

    /// Wakes everyone who reads here.
    pub fn wake(&self, id: &ConversationId) {
        self.readers.iter().for_each(|reader| reader.room_changed(id));
    }

    pub fn info(&self, id: &ConversationId) -> Option<ConversationInfo> {
        (!self.messages.is_empty()).then(|| ConversationInfo {
            conversation_id: id.clone(),
            title: self.title.clone().unwrap_or_else(|| self.default_title.clone()),
            status: self.status,
            updated_at: self.updated_at,
            streaming: self.live > 0,
        })
    }

    /// The same turn, sent before: its two messages as they started.
    pub fn said_before(&self, turn: &NewTurn) -> Option<Box<[MessageStarted; 2]>> {
        let (said, reply) = (self.message(&turn.message_id)?, self.message(&turn.reply_id)?);
        let same = said.role == Role::User && reply.parent_id.as_ref() == Some(&said.id);
        same.then(|| Box::new([said.started(&turn.conversation_id), reply.started(&turn.conversation_id)]))
    }

    pub fn add_turn(&mut self, turn: NewTurn, now: u64) -> Result<(), Refused> {
        // Without a parent it follows the newest message.
        let parent_id = match turn.parent_id {
            Some(parent) if !self.by_id.contains_key(&parent) => return Err(Refused::UnknownMessage),
            Some(parent) => Some(parent),
            None => self.messages.last().map(|last| last.id.clone()),
        };
        if self.messages.is_empty() {
            self.default_title = one_line(&turn.content, DEFAULT_TITLE_CHARS);
        }
        let mut said = Message::new(turn.message_id.clone(), Role::User, parent_id, None);
        said.text.append(Piece::Text { part: 0, text: turn.content });
        said.status = Status::Completed;
        said.terminal = Some(Terminal {
            ending: Ending::Completed,
            usage: Usage::default(),
            metrics: Metrics::default(),
        });
        self.start(said);
        self.start(Message::new(turn.reply_id, Role::Assistant, Some(turn.message_id), Some(turn.answer)));
        self.live += 1;
        self.updated_at = now.max(self.updated_at);
        Ok(())
    }

    fn start(&mut self, mut message: Message) {
        let index = self.messages.len();
        message.run = self.runs.len();
        self.runs.push(index);
        self.by_id.insert(message.id.clone(), index);
        self.messages.push(message);
    }

    pub fn append(&mut self, id: &MessageId, epoch: u32, pieces: Vec<Piece>) -> Result<(), Ended> {
        let message = self.live(id, epoch)?;
        for piece in pieces {
            message.text.append(piece);
        }
        if !message.text.is_untouched() {
            message.status = Status::Streaming;
        }
        Ok(())
    }

    pub fn note(&mut self, id: &MessageId, epoch: u32, detail: String) -> Result<(), Ended> {
        let message = self.live(id, epoch)?;
        message.detail = Some(detail);
        message.details += 1;
        Ok(())
    }

    pub fn finish(&mut self, id: &MessageId, epoch: u32, terminal: Terminal, now: u64) -> bool {
        let Ok(message) = self.live(id, epoch) else { return false };
        message.status = terminal.ending.status();
        message.terminal = Some(terminal);
        self.live -= 1;
        self.updated_at = now.max(self.updated_at);
        true
    }

    fn live(&mut self, id: &MessageId, epoch: u32) -> Result<&mut Message, Ended> {
        let index = *self.by_id.get(id).ok_or(Ended)?;
        let message = self.messages.get_mut(index).ok_or(Ended)?;
        (message.epoch == epoch && message.terminal.is_none()).then_some(message).ok_or(Ended)
    }

    /// The status of a message, if `epoch` is the current one.
    pub fn current(&self, id: &MessageId, epoch: u32) -> Result<Status, Refused> {
        let message = self.message(id).ok_or(Refused::UnknownMessage)?;
        if message.epoch == epoch {
            Ok(message.status)
        } else {
            Err(Refused::StaleEpoch { current: message.epoch })
        }
    }

    pub fn next_epoch(&mut self, id: &MessageId, epoch: u32, now: u64) -> Result<(u32, AnswerBy), Refused> {
        let status = self.current(id, epoch)?;
        if !status.is_terminal() {
            return Err(Refused::BadStatus("it has not ended; stop it before a retry"));
        }
        if self.status == ConversationStatus::Closed {
            return Err(Refused::ConversationClosed);
        }
        let index = *self.by_id.get(id).ok_or(Refused::UnknownMessage)?;
        let message = self.messages.get_mut(index).ok_or(Refused::UnknownMessage)?;
        let answer = message.answer.clone().ok_or(Refused::BadStatus("only an answer can be tried again"))?;
        message.epoch = epoch.saturating_add(1);
        message.run = self.runs.len();
        message.status = Status::Pending;
        message.text = Text::default();
        message.terminal = None;
        message.detail = None;
        let epoch = message.epoch;
        self.runs.push(index);
        self.live += 1;
        self.updated_at = now.max(self.updated_at);
        Ok((epoch, answer))
    }

    pub fn path_to(&self, answer: &MessageId, max_bytes: usize) -> Vec<Said> {
        let mut path = Vec::new();
        let mut bytes = 0_usize;
        let mut at = self.message(answer).and_then(|message| message.parent_id.as_ref());
        // A parent was there before its child, so this ends.
        while let Some(message) = at.and_then(|id| self.message(id)).filter(|_| bytes <= max_bytes) {
            let text = message.text.plain();
            bytes = bytes.saturating_add(text.len());
            path.push(Said { role: message.role, text });
            at = message.parent_id.as_ref();
        }
        path.reverse();
        path
    }

    fn message(&self, id: &MessageId) -> Option<&Message> {
        self.by_id.get(id).and_then(|index| self.messages.get(*index))
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
        let mut cursor = RoomCursor { next_run: self.runs.len(), reading: VecDeque::new() };
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

    /// Makes the cursor of one message rest, or go on.
    pub fn set_paused(&self, cursor: &mut RoomCursor, id: &MessageId, paused: bool) {
        self.take_up(cursor);
        let index = self.by_id.get(id).copied();
        for run in cursor.reading.iter_mut().filter(|run| Some(run.message) == index) {
            run.paused = paused;
        }
    }

    /// The next frame for a reader, and its cursor behind that frame.
    pub fn next(
        &self,
        room: &ConversationId,
        cursor: &mut RoomCursor,
        max_chunk: usize,
    ) -> Option<ServerFrame> {
        self.take_up(cursor);
        for _ in 0..cursor.reading.len() {
            let mut run = cursor.reading.pop_front()?;
            let Some(message) = self.messages.get(run.message).filter(|_| !run.paused) else {
                cursor.reading.push_back(run);
                continue;
            };
            match message.step(room, &mut run, max_chunk) {
                Step::Nothing => cursor.reading.push_back(run),
                // What is over is read to its end; what lives takes turns.
                Step::Frame(frame) if message.terminal.is_some() => {
                    cursor.reading.push_front(run);
                    return Some(frame);
                }
                Step::Frame(frame) => {
                    cursor.reading.push_back(run);
                    return Some(frame);
                }
                Step::Done(Some(frame)) => return Some(frame),
                Step::Done(None) => {}
            }
        }
        None
    }

    /// Puts a cursor on each run that has started since. A new epoch takes the place of the one before.
    fn take_up(&self, cursor: &mut RoomCursor) {
        while let Some(&index) = self.runs.get(cursor.next_run) {
            let run = cursor.next_run;
            cursor.next_run += 1;
            cursor.reading.retain(|reading| reading.message != index);
            if self.messages.get(index).is_some_and(|message| message.run == run) {
                cursor.read(RunCursor {
                    message: index,
                    run,
                    started: false,
                    place: Place::default(),
                    details: 0,
                    told: false,
                    paused: false,
                });
            }
        }
    }
}

impl RoomCursor {
    fn read(&mut self, run: RunCursor) {
        self.reading.push_back(run);
    }

    /// The reader has all there is, and waits for nothing.
    pub fn is_done(&self) -> bool {
        self.reading.is_empty()
    }
}

impl RunCursor {
    /// For a reader that was just told of the message.
    fn told(index: usize, message: &Message, have: u64) -> Self {
        Self {
            message: index,
            run: message.run,
            started: true,
            place: message.text.place(have),
            details: 0,
            told: message.terminal.is_some(),
            paused: false,
        }
    }
}

impl Message {
    fn new(id: MessageId, role: Role, parent_id: Option<MessageId>, answer: Option<AnswerBy>) -> Self {
        Self {
            id,
            role,
            parent_id,
            answer,
            epoch: 0,
            run: 0,
            status: Status::Pending,
            text: Text::default(),
            detail: None,
            details: 0,
            terminal: None,
        }
    }

    fn started(&self, room: &ConversationId) -> MessageStarted {
        MessageStarted {
            conversation_id: room.clone(),
            message_id: self.id.clone(),
            epoch: self.epoch,
            role: self.role,
            parent_id: self.parent_id.clone(),
            provider: self.answer.as_ref().map(|answer| answer.provider.clone()),
            model: self.answer.as_ref().and_then(|answer| answer.model.clone()),
        }
    }

    fn info(&self) -> MessageInfo {
        let terminal = self.terminal.as_ref();
        let answered = terminal.filter(|_| self.role == Role::Assistant);
        MessageInfo {
            message_id: self.id.clone(),
            epoch: self.epoch,
            role: self.role,
            status: self.status,
            length: self.text.len(),
            parts: self.text.parts().to_vec(),
            parent_id: self.parent_id.clone(),
            provider: self.answer.as_ref().map(|answer| answer.provider.clone()),
            model: self.answer.as_ref().and_then(|answer| answer.model.clone()),
            reason: terminal.and_then(|terminal| match &terminal.ending {
                Ending::Interrupted(reason) => Some(*reason),
                Ending::Completed | Ending::Failed(_) => None,
            }),
            error: terminal.and_then(|terminal| match &terminal.ending {
                Ending::Failed(failure) => Some(failure.clone()),
                Ending::Completed | Ending::Interrupted(_) => None,
            }),
            usage: answered.map(|terminal| terminal.usage),
            metrics: answered.map(|terminal| terminal.metrics.clone()),
        }
    }

    /// One frame on: the start, the text, what is said meanwhile, the end.
    fn step(&self, room: &ConversationId, cursor: &mut RunCursor, max_chunk: usize) -> Step {
        if cursor.run != self.run {
            return Step::Done(None); // Replaced; the epoch that took its place has its own cursor.
        }
        if !cursor.started {
            cursor.started = true;
            return Step::Frame(self.started(room).into());
        }
        if let Some((slice, after)) = self.text.next(cursor.place, max_chunk) {
            cursor.place = after;
            let begins = slice.begins;
            return Step::Frame(
                MessageChunk {
                    conversation_id: room.clone(),
                    message_id: self.id.clone(),
                    epoch: self.epoch,
                    offset: slice.offset,
                    part: slice.part,
                    kind: begins.map(|info| info.kind),
                    id: begins.and_then(|info| info.id.clone()),
                    name: begins.and_then(|info| info.name.clone()),
                    content: slice.content.to_owned(),
                }
                .into(),
            );
        }
        match &self.terminal {
            Some(_) if cursor.told => Step::Done(None),
            Some(terminal) => Step::Done(Some(self.terminal_frame(terminal))),
            None if cursor.details < self.details => {
                cursor.details = self.details;
                Step::Frame(
                    MessageStatus {
                        message_id: self.id.clone(),
                        epoch: self.epoch,
                        status: self.status,
                        detail: self.detail.clone(),
                    }
                    .into(),
                )
            }
            None => Step::Nothing,
        }
    }

    fn terminal_frame(&self, terminal: &Terminal) -> ServerFrame {
        let complete = |status, reason| {
            ResponseComplete {
                message_id: self.id.clone(),
                epoch: self.epoch,
                status,
                reason,
                length: self.text.len(),
                usage: terminal.usage,
                metrics: terminal.metrics.clone(),
            }
            .into()
        };
        match &terminal.ending {
            Ending::Completed => complete(Status::Completed, None),
            Ending::Interrupted(reason) => complete(Status::Interrupted, Some(*reason)),
            Ending::Failed(failure) => StreamError {
                message_id: self.id.clone(),
                epoch: self.epoch,
                code: failure.code,
                message: failure.message.clone(),
                retry_after: failure.retry_after,
                length: self.text.len(),
            }
            .into(),
        }
    }
}
