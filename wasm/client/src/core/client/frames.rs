//! What the relay says, and what a foreign transport says, frame by frame.

use riacho_protocol::{
    ConversationId, ConversationJoined, DecodeError, ErrorCode, ErrorFrame, Failure, InterruptReason,
    MessageChunk, MessageId, MessageInfo, MessageStarted, MessageStatus, PartInfo, PartKind, Position,
    ResponseComplete, Role, ServerFrame, Status, StreamError,
};

use super::{Client, Output, Transport};
use crate::core::Millis;
use crate::core::event::{Event, EventError};
use crate::core::foreign::{ForeignEvent, Reconciled, reconcile};
use crate::core::message::{Ending, Message, Shown};
use crate::core::registry::Place;
use crate::core::router::{Join, Route, route};

impl Client {
    /// A text frame from the relay. What this version does not know is left aside; what can't be read is an event.
    pub fn handle_text(&mut self, text: &str, now: Millis) {
        self.heard(now);
        match ServerFrame::decode(text) {
            Ok(frame) => self.handle_frame(frame, now),
            Err(DecodeError::UnknownType(_)) => {}
            Err(error @ (DecodeError::Json(_) | DecodeError::NoType | DecodeError::Field { .. })) => {
                self.emit_error(error.code().as_str(), error.words());
            }
        }
    }

    /// An event of the page's own transport: a frame of the wire, or one without offsets.
    ///
    /// # Errors
    /// [`DecodeError`] when it is neither; nothing has happened.
    pub fn handle_event(&mut self, text: &str, now: Millis) -> Result<(), DecodeError> {
        match ServerFrame::decode(text) {
            Ok(frame) => self.handle_frame(frame, now),
            Err(wire) => match ForeignEvent::decode(text) {
                Ok(event) => self.handle_foreign(event, now),
                // Of the two readings the wire's says more, but where only the foreign one knows the type.
                Err(DecodeError::UnknownType(_)) => return Err(wire),
                Err(foreign) => return Err(foreign),
            },
        }
        Ok(())
    }

    fn handle_frame(&mut self, frame: ServerFrame, now: Millis) {
        match frame {
            ServerFrame::Welcome(welcome) => self.on_welcome(welcome, now),
            ServerFrame::ConversationJoined(joined) => self.on_joined(joined, now),
            ServerFrame::Conversations(list) => {
                let mut conversations = Vec::new();
                for line in list.conversations {
                    conversations.push(line.into());
                }
                self.emit(Event::Conversations { conversations });
            }
            ServerFrame::History(history) => self.on_history(history, now),
            ServerFrame::MessageStarted(started) => self.on_started(started),
            ServerFrame::MessageChunk(chunk) => self.on_chunk(&chunk, now),
            ServerFrame::MessageStatus(status) => self.on_status(status),
            ServerFrame::ResponseComplete(complete) => self.on_complete(complete, now),
            ServerFrame::StreamError(error) => self.on_stream_error(error, now),
            ServerFrame::LeaveConversation(leave) => {
                // Unless the reader has come back to it meanwhile.
                if !self.router.is_on_screen(&leave.conversation_id) {
                    self.leave(&leave.conversation_id);
                }
            }
            ServerFrame::ErrorFrame(error) => self.on_error(error, now),
            ServerFrame::Pong(_) => {}
        }
    }

    fn on_joined(&mut self, joined: ConversationJoined, now: Millis) {
        let ConversationJoined { conversation_id, messages, more } = joined;
        if self.has_left(&conversation_id) {
            return;
        }
        // Live ones that the relay does not know of any more: it lost them, and must not leave the page hanging.
        let lost = self.registry.those(&conversation_id, &|id, message| {
            message.is_live() && message.acknowledged && !messages.iter().any(|info| info.message_id == *id)
        });
        self.note_joined(&conversation_id, messages.first().map(|info| &info.message_id), more);
        self.describe(&conversation_id, messages, Place::Last, now);
        for id in lost {
            let length = self.registry.get(&id).map_or(0, |message| message.position().offset);
            self.end_message(&id, Ending::interrupted(InterruptReason::Restart, length), now);
        }
        self.after_joined(&conversation_id);
        self.emit(Event::Joined { conversation_id, more });
    }

    /// What was on its way when a room was left: nothing new comes to be there.
    pub(super) fn has_left(&self, conversation: &ConversationId) -> bool {
        self.config.transport == Transport::Relay && self.router.join_state(conversation).is_none()
    }

    /// The first of them goes where `place` says, each of the others behind the one before.
    pub(super) fn describe(
        &mut self,
        conversation: &ConversationId,
        messages: Vec<MessageInfo>,
        place: Place<'_>,
        now: Millis,
    ) {
        let mut after: Option<MessageId> = None;
        for info in messages {
            let id = info.message_id.clone();
            self.describe_one(conversation, info, after.as_ref().map_or(place, Place::After), now);
            after = Some(id);
        }
    }

    fn describe_one(
        &mut self,
        conversation: &ConversationId,
        info: MessageInfo,
        place: Place<'_>,
        now: Millis,
    ) {
        let id = info.message_id;
        if self.registry.get(&id).is_none() {
            let mut message = Message::new(conversation.clone(), info.role);
            message.epoch = info.epoch;
            message.acknowledged = true;
            self.add_message(id.clone(), message, place);
        }
        self.claim(&id);
        let Some(message) = self.registry.get_mut(&id) else { return };
        if info.epoch < message.epoch {
            return;
        }
        let next_epoch = info.epoch > message.epoch;
        message.acknowledged = true;
        message.parent_id = info.parent_id.or(message.parent_id.take());
        message.provider = info.provider.or(message.provider.take());
        message.model = info.model.or(message.model.take());
        if next_epoch {
            self.start_epoch(&id, info.epoch);
        }
        if let Some(message) = self.registry.get_mut(&id) {
            for (index, part) in info.parts.into_iter().enumerate() {
                message.describe_part(u32::try_from(index).unwrap_or(u32::MAX), part);
            }
        }
        if info.status.is_terminal() {
            let ending = Ending {
                status: info.status,
                length: info.length,
                reason: info.reason,
                error: info.error,
                usage: info.usage,
                metrics: info.metrics,
            };
            self.end_message(&id, ending, now);
        }
    }

    fn on_started(&mut self, started: MessageStarted) {
        let id = started.message_id;
        if self.registry.get(&id).is_none() {
            let mut message = Message::new(started.conversation_id, started.role);
            message.epoch = started.epoch;
            message.parent_id = started.parent_id;
            message.provider = started.provider;
            message.model = started.model;
            message.acknowledged = true;
            self.add_message(id, message, Place::Last);
            return;
        }
        self.claim(&id);
        let Some(message) = self.registry.get_mut(&id) else { return };
        if started.epoch < message.epoch {
            return;
        }
        message.acknowledged = true;
        message.provider = started.provider.or(message.provider.take());
        message.model = started.model.or(message.model.take());
        let next_epoch = started.epoch > message.epoch;
        self.forget_arrived();
        if next_epoch {
            self.start_epoch(&id, started.epoch);
        }
    }

    fn on_chunk(&mut self, chunk: &MessageChunk, now: Millis) {
        let id = &chunk.message_id;
        let at = Position { epoch: chunk.epoch, offset: chunk.offset };
        if self.registry.get(id).is_none() {
            if self.has_left(&chunk.conversation_id) {
                return;
            }
            if chunk.offset != 0 {
                self.mend_gap(&chunk.conversation_id);
                return;
            }
            let mut message = Message::new(chunk.conversation_id.clone(), Role::Assistant);
            message.epoch = chunk.epoch;
            message.acknowledged = true;
            self.add_message(id.clone(), message, Place::Last);
        }
        self.claim(id);
        let Some(message) = self.registry.get_mut(id) else { return };
        match route(message.position(), at, chunk.content.len()) {
            Route::Stale | Route::Duplicate => {}
            Route::Gap => {
                let conversation = message.conversation.clone();
                self.mend_gap(&conversation);
            }
            Route::NextEpoch => {
                self.start_epoch(id, chunk.epoch);
                self.append(id, chunk, 0, now);
            }
            Route::Append { skip } => self.append(id, chunk, skip, now),
        }
    }

    fn append(&mut self, id: &MessageId, chunk: &MessageChunk, skip: usize, now: Millis) {
        // An overlap that ends inside a character is no overlap of ours: offsets lie between characters.
        let Some(content) = chunk.content.get(skip..) else {
            let conversation = chunk.conversation_id.clone();
            return self.mend_gap(&conversation);
        };
        let Some(message) = self.registry.get_mut(id) else { return };
        if message.status.is_terminal() {
            return;
        }
        message.describe_part(
            chunk.part,
            PartInfo { kind: chunk.kind.unwrap_or_default(), id: chunk.id.clone(), name: chunk.name.clone() },
        );
        self.append_text(id, chunk.part, content, now);
    }

    /// Text that is new goes into the message, and onto the screen where the message is there.
    fn append_text(&mut self, id: &MessageId, part: u32, content: &str, now: Millis) {
        self.replace_adopted(id);
        let Some(message) = self.registry.get_mut(id) else { return };
        let before = (message.status, message.detail.is_some());
        let shown = message.append(part, content);
        let changed = (message.status, message.detail.is_some()) != before;
        let kind = message.parts().get(part as usize).map_or(PartKind::Text, |info| info.kind);
        let event = Event::Chunk {
            conversation_id: message.conversation.clone(),
            message_id: id.clone(),
            epoch: message.epoch,
            kind,
            offset: message.position().offset - content.len() as u64,
            length: message.position().offset,
            text: content.to_owned(),
            in_code: message.fence().is_open(),
            language: message.fence().language().map(str::to_owned),
        };
        let paused = message.paused;
        match shown {
            Shown::Nothing => {}
            Shown::Continued | Shown::NewBlock if paused => {}
            Shown::Continued => self.show_text(id, "", content),
            Shown::NewBlock => self.show_text(id, crate::core::message::PART_SEPARATOR, content),
        }
        self.emit(event);
        if changed {
            self.show_status(id);
            self.emit_status(id);
        }
        self.end_if_whole(id, now);
    }

    fn on_status(&mut self, status: MessageStatus) {
        let Some(message) = self.registry.get_mut(&status.message_id) else { return };
        if status.epoch == message.epoch && message.is_live() {
            let id = status.message_id.clone();
            message.detail = Some(Box::new(status));
            self.show_status(&id);
            self.emit_status(&id);
        }
    }

    fn on_complete(&mut self, complete: ResponseComplete, now: Millis) {
        let ending = Ending {
            status: if complete.status.is_terminal() { complete.status } else { Status::Completed },
            length: complete.length,
            reason: complete.reason,
            error: None,
            usage: Some(complete.usage),
            metrics: Some(complete.metrics),
        };
        self.on_ending(&complete.message_id, complete.epoch, ending, now);
    }

    fn on_stream_error(&mut self, error: StreamError, now: Millis) {
        let ending = Ending {
            status: Status::Error,
            length: error.length,
            reason: None,
            error: Some(Failure { code: error.code, message: error.message, retry_after: error.retry_after }),
            usage: None,
            metrics: None,
        };
        self.on_ending(&error.message_id, error.epoch, ending, now);
    }

    fn on_ending(&mut self, id: &MessageId, epoch: u32, ending: Ending, now: Millis) {
        let Some(message) = self.registry.get(id) else { return };
        if epoch < message.epoch {
            return;
        }
        let conversation = message.conversation.clone();
        if epoch > message.epoch {
            if ending.length > 0 {
                return self.mend_gap(&conversation);
            }
            self.start_epoch(id, epoch);
        }
        let short = self.registry.get(id).is_some_and(|m| m.position().offset < ending.length);
        self.end_message(id, ending, now);
        if short {
            self.mend_gap(&conversation);
        }
    }

    /// Remembers how a message ends, and ends it as soon as its text is whole. The first ending stands.
    pub(super) fn end_message(&mut self, id: &MessageId, ending: Ending, now: Millis) {
        let Some(message) = self.registry.get_mut(id) else { return };
        if message.ending.is_none() {
            message.ending = Some(ending);
        }
        self.end_if_whole(id, now);
    }

    fn end_if_whole(&mut self, id: &MessageId, now: Millis) {
        let Some(message) = self.registry.get_mut(id) else { return };
        let Some(ending) = &message.ending else { return };
        if message.position().offset < ending.length || message.status.is_terminal() {
            return;
        }
        message.status = ending.status;
        message.ended_at = Some(now);
        self.show_end(id);
        self.show_status(id);
        self.emit_status(id);
    }

    pub(super) fn start_epoch(&mut self, id: &MessageId, epoch: u32) {
        let Some(message) = self.registry.get_mut(id) else { return };
        message.start_epoch(epoch);
        let event = Event::Message {
            conversation_id: message.conversation.clone(),
            message_id: id.clone(),
            epoch,
            role: message.role,
        };
        self.reset_view(id);
        self.emit(event);
        self.emit_status(id);
    }

    /// Something is missing: join again with what is here. One join at a time answers every gap of a room.
    fn mend_gap(&mut self, conversation: &ConversationId) {
        if self.config.transport == Transport::Page {
            return;
        }
        match self.router.join_state(conversation) {
            Some(Join::Asked) | None => {}
            Some(Join::Wanted | Join::Done) => self.join(conversation),
        }
    }

    fn on_error(&mut self, error: ErrorFrame, now: Millis) {
        match error.code {
            ErrorCode::Unauthorized | ErrorCode::TokenRevoked | ErrorCode::UnsupportedProtocol => {
                self.refuse()
            }
            _ => {}
        }
        self.fail_unsent(&error, now);
        self.emit(Event::Error {
            code: error.code.as_str(),
            message: error.message,
            in_reply_to: error.in_reply_to,
            retry_after: error.retry_after,
        });
    }

    /// An error that answers a send: the message never came to be there, and its reply says so.
    fn fail_unsent(&mut self, error: &ErrorFrame, now: Millis) {
        let Some(index) = self
            .outbox
            .iter()
            .position(|request| Some(request.message_id.as_str()) == error.in_reply_to.as_deref())
        else {
            return;
        };
        let request = self.outbox.remove(index);
        let failure =
            Failure { code: error.code, message: error.message.clone(), retry_after: error.retry_after };
        let ending = Ending {
            status: Status::Error,
            length: 0,
            reason: None,
            error: Some(failure),
            usage: None,
            metrics: None,
        };
        self.end_message(&request.reply_id, ending, now);
    }

    fn handle_foreign(&mut self, event: ForeignEvent, now: Millis) {
        match event {
            ForeignEvent::Started { conversation, message: id, role, epoch } => {
                if self.know_foreign(conversation, &id, role)
                    && let Some(epoch) = epoch
                    && self.registry.get(&id).is_some_and(|message| epoch > message.epoch)
                {
                    self.start_epoch(&id, epoch);
                }
            }
            ForeignEvent::Chunk { conversation, message: id, piece } => {
                if !self.know_foreign(conversation, &id, Role::Assistant) {
                    return;
                }
                let Some(message) = self.registry.get_mut(&id) else { return };
                let replayed =
                    piece.number.is_some_and(|n| message.last_chunk_number.is_some_and(|last| n <= last));
                if replayed || message.status.is_terminal() {
                    return;
                }
                message.last_chunk_number = piece.number.or(message.last_chunk_number);
                message.describe_part(piece.part, piece.info);
                self.append_text(&id, piece.part, &piece.content, now);
            }
            ForeignEvent::Complete { conversation, message: id, whole } => {
                if !self.know_foreign(conversation, &id, Role::Assistant) {
                    return;
                }
                self.complete_foreign(&id, whole.as_deref(), now);
            }
            ForeignEvent::Failed { conversation, message: id, failure } => {
                if !self.know_foreign(conversation, &id, Role::Assistant) {
                    return;
                }
                let length = self.registry.get(&id).map_or(0, |message| message.position().offset);
                let ending = Ending {
                    status: Status::Error,
                    length,
                    reason: None,
                    error: Some(failure),
                    usage: None,
                    metrics: None,
                };
                self.end_message(&id, ending, now);
            }
        }
    }

    /// Makes sure that a message is known. False when nobody says in which conversation it would be.
    fn know_foreign(&mut self, conversation: Option<ConversationId>, id: &MessageId, role: Role) -> bool {
        if self.registry.get(id).is_some() {
            self.claim(id);
            return true;
        }
        let Some(conversation) = conversation.or_else(|| self.router.on_screen().cloned()) else {
            let words = ["message ", id.as_str(), " names no conversation, and none is open"].concat();
            self.emit_error("no_conversation", words);
            return false;
        };
        self.add_message(id.clone(), Message::new(conversation, role), Place::Last);
        true
    }

    fn complete_foreign(&mut self, id: &MessageId, whole: Option<&str>, now: Millis) {
        let Some(message) = self.registry.get(id) else { return };
        // The reader stopped it: what a transport still says of it takes nothing away.
        if message.ending.as_ref().is_some_and(|ending| ending.status == Status::Interrupted) {
            return;
        }
        let (epoch, have) = (message.epoch, message.text().to_owned());
        match whole.map(|whole| reconcile(&have, whole)) {
            Some(Reconciled::Append(rest)) if !rest.is_empty() && message.is_live() => {
                self.append_text(id, 0, rest, now);
            }
            Some(Reconciled::Replace(whole)) => {
                self.start_epoch(id, epoch.saturating_add(1));
                self.append_text(id, 0, whole, now);
            }
            Some(Reconciled::Append(_)) | None => {}
        }
        let length = self.registry.get(id).map_or(0, |message| message.position().offset);
        let ending = Ending {
            status: Status::Completed,
            length,
            reason: None,
            error: None,
            usage: None,
            metrics: None,
        };
        self.end_message(id, ending, now);
    }

    pub(super) fn emit_error(&mut self, code: &'static str, message: String) {
        self.emit(Event::Error { code, message, in_reply_to: None, retry_after: None });
    }

    pub(super) fn emit_status(&mut self, id: &MessageId) {
        let Some(message) = self.registry.get(id) else { return };
        let ending = message.ending.as_ref().filter(|_| message.status.is_terminal());
        let event = Event::Status {
            conversation_id: message.conversation.clone(),
            message_id: id.clone(),
            epoch: message.epoch,
            status: message.status,
            detail: self.detail(message),
            reason: ending.and_then(|ending| ending.reason),
            error: ending.and_then(|ending| ending.error.clone()).map(|failure| EventError {
                code: failure.code,
                message: failure.message,
                retry_after: failure.retry_after,
            }),
            usage: ending.and_then(|ending| ending.usage).map(Into::into),
            metrics: ending.and_then(|ending| ending.metrics.clone()).map(Into::into),
        };
        self.outputs.push_back(Output::Emit(event));
    }
}
