//! One message in memory, and what one reader is sent of it: its start, its text, what is said meanwhile, its end.

use std::sync::Arc;

use riacho_protocol::{
    ConversationId, MessageChunk, MessageId, MessageInfo, MessageStarted, MessageStatus, ResponseComplete,
    Role, ServerFrame, Status, StreamError,
};

use super::sql::Stored;
use super::text::{Layout, Place, Text};
use super::{AnswerBy, Ending, Terminal};
use crate::detail::Detail;
use crate::frame::{Frame, Shared};

/// A chunk of at most so many bytes is kept for the others that stand at the same place: that is what came last. A longer one is for
/// those that come back, and each is somewhere else.
const MAX_SHARED: usize = 4096;

/// A message with its current epoch.
pub struct Message {
    pub id: MessageId,
    pub role: Role,
    pub parent_id: Option<MessageId>,
    /// Of an answer: who gives it.
    pub answer: Option<AnswerBy>,
    pub epoch: u32,
    /// Where in `runs` the current epoch started.
    pub run: usize,
    pub status: Status,
    pub body: Body,
    /// What happens while no text comes; none since text has come.
    pub detail: Option<Detail>,
    /// Counts the details, so that a reader gets the newest one, once.
    pub details: u64,
    pub terminal: Option<Terminal>,
    edge: Option<Edge>,
}

/// The newest chunk that was sent, and from where to where it goes.
struct Edge {
    run: usize,
    from: Place,
    to: Place,
    chunk: Arc<Shared>,
}

/// The text of a message. That of a live one is always here; the others are fetched when a reader lacks something of them.
pub enum Body {
    Here(Text),
    InStore { length: u64, layout: Layout },
}

impl Body {
    fn len(&self) -> u64 {
        match self {
            Body::Here(text) => text.len(),
            Body::InStore { length, .. } => *length,
        }
    }

    fn layout(&self) -> &Layout {
        match self {
            Body::Here(text) => text.layout(),
            Body::InStore { layout, .. } => layout,
        }
    }
}

/// The cursor of one reader in one run.
pub struct RunCursor {
    pub message: usize,
    pub run: usize,
    pub started: bool,
    pub place: At,
    pub details: u64,
    /// The reader was told its status when it joined: no terminal frame follows.
    pub told: bool,
    pub paused: bool,
}

/// Where a reader is in a text.
#[derive(Clone, Copy)]
pub enum At {
    /// It holds so many bytes, and the text was not looked at yet.
    Holds(u64),
    Place(Place),
}

pub enum Step {
    Frame(Frame),
    Nothing,
    Done(Option<Frame>),
    /// The text is in the store.
    Fetch,
}

impl RunCursor {
    /// For a reader that was just told of the message.
    pub fn told(index: usize, message: &Message, have: u64) -> Self {
        Self {
            message: index,
            run: message.run,
            started: true,
            place: At::Holds(have),
            details: 0,
            told: message.terminal.is_some(),
            paused: false,
        }
    }
}

impl Message {
    pub fn new(id: MessageId, role: Role, parent_id: Option<MessageId>, answer: Option<AnswerBy>) -> Self {
        Self {
            id,
            role,
            parent_id,
            answer,
            epoch: 0,
            run: 0,
            status: Status::Pending,
            body: Body::Here(Text::default()),
            detail: None,
            details: 0,
            terminal: None,
            edge: None,
        }
    }

    pub fn stored(stored: Stored) -> Self {
        let Stored { id, role, parent_id, answer, epoch, status, length, layout, terminal, text } = stored;
        let body = text.map_or(Body::InStore { length, layout }, Body::Here);
        Self { epoch, status, body, terminal, ..Self::new(id, role, parent_id, answer) }
    }

    pub fn started(&self, room: &ConversationId) -> MessageStarted {
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

    pub fn info(&self) -> MessageInfo {
        let terminal = self.terminal.as_ref();
        let answered = terminal.filter(|_| self.role == Role::Assistant);
        MessageInfo {
            message_id: self.id.clone(),
            epoch: self.epoch,
            role: self.role,
            status: self.status,
            length: self.body.len(),
            parts: self.body.layout().parts().to_vec(),
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
    pub fn step(&mut self, room: &ConversationId, cursor: &mut RunCursor, max_chunk: usize) -> Step {
        if cursor.run != self.run {
            return Step::Done(None); // Replaced; the epoch that took its place has its own cursor.
        }
        if !cursor.started {
            cursor.started = true;
            return Step::Frame(self.started(room).into());
        }
        if cursor.told && matches!(cursor.place, At::Holds(have) if have == self.body.len()) {
            return Step::Done(None); // It holds all of it, and was told of the end.
        }
        let Body::Here(text) = &self.body else { return Step::Fetch };
        let place = match cursor.place {
            At::Holds(have) => text.place(have),
            At::Place(place) => place,
        };
        cursor.place = At::Place(place);
        if let Some((slice, after)) = text.next(place, max_chunk) {
            cursor.place = At::Place(after);
            let same = |edge: &&Edge| (edge.run, edge.from, edge.to) == (self.run, place, after);
            if let Some(edge) = self.edge.as_ref().filter(same) {
                return Step::Frame(Frame::Shared(Arc::clone(&edge.chunk)));
            }
            let begins = slice.begins;
            let chunk = MessageChunk {
                conversation_id: room.clone(),
                message_id: self.id.clone(),
                epoch: self.epoch,
                offset: slice.offset,
                part: slice.part,
                kind: begins.map(|info| info.kind),
                id: begins.and_then(|info| info.id.clone()),
                name: begins.and_then(|info| info.name.clone()),
                content: slice.content.to_owned(),
            };
            if slice.content.len() > MAX_SHARED {
                return Step::Frame(chunk.into());
            }
            let chunk = Shared::new(chunk.into());
            self.edge = Some(Edge { run: self.run, from: place, to: after, chunk: Arc::clone(&chunk) });
            return Step::Frame(Frame::Shared(chunk));
        }
        match &self.terminal {
            Some(_) if cursor.told => Step::Done(None),
            Some(terminal) => Step::Done(Some(self.terminal_frame(terminal).into())),
            None if cursor.details < self.details => {
                cursor.details = self.details;
                let Some(detail) = &self.detail else { return Step::Nothing };
                let status = MessageStatus {
                    message_id: self.id.clone(),
                    epoch: self.epoch,
                    status: self.status,
                    detail: Some(detail.words.clone()),
                    code: Some(detail.code.to_owned()),
                    provider: detail.provider.clone(),
                    retry_after: detail.retry_after,
                };
                Step::Frame(status.into())
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
                length: self.body.len(),
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
                length: self.body.len(),
            }
            .into(),
        }
    }
}
