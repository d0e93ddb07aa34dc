//! What the page wants: open, send, stop, pause, resume, retry.

use std::fmt;

use riacho_protocol::json::decimal;
use riacho_protocol::{
    ClientFrame, ConversationId, ErrorCode, LeaveConversation, MessageId, Options, Pause, Resume, Retry,
    Role, SendMessage, Status, Stop,
};

use super::{Client, Output, Transport};
use crate::core::Millis;
use crate::core::event::Event;
use crate::core::message::{Ending, Message, Origin};
use crate::core::registry::Place;
use crate::core::router::Join;

/// What [`Client::send`] takes: the ids are the caller's, made from its clock and its randomness.
#[derive(Debug, Clone, PartialEq)]
pub struct SendRequest {
    pub message_id: MessageId,
    pub reply_id: MessageId,
    pub content: String,
    pub provider: Option<String>,
    pub model: Option<String>,
    pub options: Options,
}

riacho_protocol::to_json! { SendRequest { message_id, reply_id, content, provider, model, options } }
riacho_protocol::from_json! { SendRequest { message_id, reply_id, content, provider, model, options } }

/// The ids of what was sent and of the answer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub message_id: MessageId,
    pub reply_id: MessageId,
}

/// Why the page can't do that now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    NoConversation,
    Empty,
    TooLong { length: usize, most: u64 },
    OutboxFull(usize),
    UnknownMessage(String),
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words())
    }
}

impl SendError {
    /// What `Display` says, without the machinery that formats.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            SendError::NoConversation => "open a conversation first".to_owned(),
            SendError::Empty => "there is no text to send".to_owned(),
            SendError::TooLong { length, most } => {
                ["the text has ", &decimal(*length as u64), " bytes, and ", &decimal(*most), " is the most"]
                    .concat()
            }
            SendError::OutboxFull(count) => {
                [&decimal(*count as u64), " messages wait for the connection already"].concat()
            }
            SendError::UnknownMessage(id) => ["no message has the id \"", id, "\""].concat(),
        }
    }

    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            SendError::NoConversation => "no_conversation",
            SendError::Empty => ErrorCode::ContentEmpty.as_str(),
            SendError::TooLong { .. } => ErrorCode::ContentTooLong.as_str(),
            SendError::OutboxFull(_) => "outbox_full",
            SendError::UnknownMessage(_) => ErrorCode::UnknownMessage.as_str(),
        }
    }
}

const MOST_IN_OUTBOX: usize = 100;

impl Client {
    /// Shows a conversation and joins it. The one before goes on streaming, unseen, while anything there is live.
    pub fn open(&mut self, conversation: ConversationId, now: Millis) {
        if self.router.is_on_screen(&conversation) {
            return;
        }
        let before = self.router.show(conversation.clone());
        self.show_view(&conversation, now);
        self.join(&conversation);
        if let Some(before) = before
            && !self.registry.has_live(&before)
        {
            self.leave(&before);
        }
        self.emit(Event::Opened { conversation_id: conversation });
    }

    /// Sends a message in the conversation on screen. Both messages show at once; offline, it is sent when the line
    /// stands again.
    ///
    /// # Errors
    /// [`SendError`], and nothing has happened.
    pub fn send(&mut self, request: SendRequest, now: Millis) -> Result<Receipt, SendError> {
        let conversation = self.router.on_screen().cloned().ok_or(SendError::NoConversation)?;
        if request.content.chars().all(char::is_whitespace) {
            return Err(SendError::Empty);
        }
        if request.content.len() as u64 > self.limits.max_content_bytes {
            return Err(SendError::TooLong {
                length: request.content.len(),
                most: self.limits.max_content_bytes,
            });
        }
        if self.outbox.len() >= MOST_IN_OUTBOX {
            return Err(SendError::OutboxFull(self.outbox.len()));
        }
        let parent_id = self.registry.in_order(&conversation).next_back().map(|(id, _)| id.clone());
        let receipt = Receipt { message_id: request.message_id.clone(), reply_id: request.reply_id.clone() };

        let mut question = Message::new(conversation.clone(), Role::User);
        question.parent_id = parent_id;
        question.append(0, &request.content);
        // A user's text is whole the moment it is sent; whether it has arrived is `acknowledged`.
        question.status = Status::Completed;
        question.ended_at = Some(now);
        let mut answer = Message::new(conversation.clone(), Role::Assistant);
        answer.parent_id = Some(request.message_id.clone());
        answer.provider.clone_from(&request.provider);
        answer.model.clone_from(&request.model);
        self.add_message(request.message_id.clone(), question, Place::Last);
        self.add_message(request.reply_id.clone(), answer, Place::Last);

        if self.config.transport == Transport::Relay {
            if self.connection.is_open() && self.router.join_state(&conversation) == Some(Join::Done) {
                self.transmit_send(&conversation, &request);
            }
            self.outbox.push(request);
        }
        Ok(receipt)
    }

    pub(super) fn transmit_send(&mut self, conversation: &ConversationId, request: &SendRequest) {
        let parent_id = self.registry.get(&request.message_id).and_then(|message| message.parent_id.clone());
        self.transmit(
            &SendMessage {
                conversation_id: conversation.clone(),
                message_id: request.message_id.clone(),
                reply_id: request.reply_id.clone(),
                parent_id,
                content: request.content.clone(),
                provider: request.provider.clone(),
                model: request.model.clone(),
                options: request.options.clone(),
            }
            .into(),
        );
    }

    /// Ends a run; what arrived is kept. One that has ended is left as it is.
    ///
    /// # Errors
    /// [`SendError::UnknownMessage`].
    pub fn stop(&mut self, id: &MessageId, now: Millis) -> Result<(), SendError> {
        let (epoch, live) = self.fence(id)?;
        if !live {
            return Ok(());
        }
        if self.config.transport == Transport::Page {
            self.end_message(id, Ending::interrupted(riacho_protocol::InterruptReason::Stopped, 0), now);
            return Ok(());
        }
        self.about(id, Stop { message_id: id.clone(), epoch }.into());
        Ok(())
    }

    /// The display stands still; the text comes in all the same.
    ///
    /// # Errors
    /// [`SendError::UnknownMessage`].
    pub fn pause(&mut self, id: &MessageId) -> Result<(), SendError> {
        let (epoch, live) = self.fence(id)?;
        if live && self.set_paused(id, Paused::Yes) {
            self.about(id, Pause { message_id: id.clone(), epoch }.into());
        }
        Ok(())
    }

    /// The display catches up and goes on.
    ///
    /// # Errors
    /// [`SendError::UnknownMessage`].
    pub fn resume(&mut self, id: &MessageId) -> Result<(), SendError> {
        let (epoch, _) = self.fence(id)?;
        if self.set_paused(id, Paused::No) {
            self.about(id, Resume { message_id: id.clone(), epoch }.into());
        }
        Ok(())
    }

    /// Starts an answer that has ended once more, in the same container.
    ///
    /// # Errors
    /// [`SendError::UnknownMessage`].
    pub fn retry(&mut self, id: &MessageId) -> Result<(), SendError> {
        let (epoch, live) = self.fence(id)?;
        match self.config.transport {
            _ if live => {}
            Transport::Relay => self.about(id, Retry { message_id: id.clone(), epoch }.into()),
            // Whoever brings the events asks for the answer again; here is where it will go.
            Transport::Page => {
                let epoch = epoch.saturating_add(1);
                self.start_epoch(id, epoch);
                if let Some(conversation_id) = self.registry.get(id).map(|m| m.conversation.clone()) {
                    self.emit(Event::Retry { conversation_id, message_id: id.clone(), epoch });
                }
            }
        }
        Ok(())
    }

    fn fence(&self, id: &MessageId) -> Result<(u32, bool), SendError> {
        self.registry
            .get(id)
            .map(|message| (message.epoch, message.is_live()))
            .ok_or_else(|| SendError::UnknownMessage(id.as_str().to_owned()))
    }

    /// A frame about a message: it must come behind the send that made the message.
    fn about(&mut self, id: &MessageId, frame: ClientFrame) {
        if self.outbox.iter().any(|request| request.reply_id == *id) && !self.is_sent(id) {
            self.waiting_frames.push(frame);
        } else {
            self.transmit_or_keep(frame);
        }
    }

    /// The send that made this answer is on the socket of the moment.
    fn is_sent(&self, id: &MessageId) -> bool {
        self.connection.is_open()
            && self
                .registry
                .get(id)
                .is_some_and(|message| self.router.join_state(&message.conversation) == Some(Join::Done))
    }

    fn set_paused(&mut self, id: &MessageId, paused: Paused) -> bool {
        let Some(message) = self.registry.get_mut(id) else { return false };
        let paused = paused == Paused::Yes;
        if message.paused == paused {
            return false;
        }
        message.paused = paused;
        self.show_status(id);
        if !paused {
            self.catch_up(id);
        }
        true
    }

    /// Asks to join a room, with what is here of it. One join is under way at a time, unless it was lost with its
    /// socket.
    pub(super) fn join(&mut self, conversation: &ConversationId) {
        if self.connection.is_open() {
            self.router.set_join(conversation, Join::Asked);
            let frame = self.join_frame(conversation);
            self.transmit(&frame);
        }
    }

    pub(super) fn leave(&mut self, conversation: &ConversationId) {
        if self.router.leave(conversation) {
            if self.connection.is_open() {
                self.transmit(&LeaveConversation { conversation_id: conversation.clone() }.into());
            }
            self.emit(Event::Left { conversation_id: conversation.clone() });
            self.forget_older(conversation);
        }
    }

    /// Nothing comes any more in a room that was left: the text of the last few stays for a quick return, older ones
    /// are fetched again.
    fn forget_older(&mut self, left: &ConversationId) {
        const MOST_KEPT: usize = 4;
        if self.config.transport == Transport::Page {
            // Nobody could bring them back.
            return;
        }
        self.left.retain(|room| room != left);
        self.left.push(left.clone());
        while self.left.len() > MOST_KEPT {
            let room = self.left.remove(0);
            let rendered_elsewhere =
                self.registry.in_order(&room).any(|(_, message)| message.origin == Origin::Page);
            if self.router.join_state(&room).is_none() && !rendered_elsewhere {
                self.registry.forget(&room);
                self.older.remove(&room);
            }
        }
    }

    /// For good: no reconnect, no timer, nothing on the page is touched.
    pub fn close(&mut self) {
        self.connection.close();
        self.next_sweep = None;
        self.outputs.push_back(Output::Disconnect);
        self.emit(Event::Connection {
            state: crate::core::event::ConnectionState::Closed,
            retry_in_ms: None,
        });
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Paused {
    Yes,
    No,
}
