//! What a client that has said who it is asks for: each of its frames is done here, or refused with a reason.

use std::collections::VecDeque;

use riacho_protocol::{
    ClientFrame, ErrorCode, ErrorFrame, Limits, MessageId, Pong, SendMessage, ServerFrame,
};

use crate::auth::Caller;
use crate::context::Context;
use crate::log::{Refused, Subscription};
use crate::quota::{Exceeded, Slot};
use crate::runs::NotSent;

/// What a client has once it has said who it is.
pub struct Session {
    pub caller: Caller,
    pub log: Subscription,
    _slot: Slot,
}

impl Session {
    pub fn new(caller: Caller, log: Subscription, slot: Slot) -> Self {
        Self { caller, log, _slot: slot }
    }
}

/// A frame that could not be done.
pub struct Trouble {
    pub code: ErrorCode,
    pub message: String,
    pub about: Option<String>,
    pub retry_after: Option<u64>,
}

impl Trouble {
    fn new(code: ErrorCode, message: impl Into<String>, about: impl Into<String>) -> Self {
        Self { code, message: message.into(), about: Some(about.into()), retry_after: None }
    }
}

impl From<Trouble> for ServerFrame {
    fn from(trouble: Trouble) -> Self {
        let Trouble { code, message, about, retry_after } = trouble;
        ErrorFrame { code, message, in_reply_to: about, retry_after }.into()
    }
}

/// Does what a frame asks for.
pub async fn obey(
    relay: &Context,
    session: &mut Session,
    replies: &mut VecDeque<ServerFrame>,
    frame: ClientFrame,
) -> Result<(), Trouble> {
    let user = &session.caller.user;
    let kind = frame.type_name();
    let refused = |refused: Refused| Trouble::new(refused.code(), refused.to_string(), kind);
    match frame {
        ClientFrame::Hello(_) => Err(Trouble::new(ErrorCode::BadStatus, "hello was said already", kind)),
        ClientFrame::JoinConversation(frame) => {
            uuid(frame.conversation_id.as_str(), kind)?;
            let joined = session.log.join(frame).await.map_err(refused)?;
            replies.push_back(joined.into());
            Ok(())
        }
        ClientFrame::LeaveConversation(frame) => {
            session.log.leave(&frame.conversation_id).await;
            Ok(())
        }
        ClientFrame::SendMessage(frame) => send(relay, session, replies, frame).await,
        ClientFrame::Stop(frame) => {
            let stopped = relay.runs.stop(user, &frame.message_id, frame.epoch).await;
            stopped.map_err(|error| about_message(error, &frame.message_id))
        }
        ClientFrame::Retry(frame) => {
            let retried = relay.runs.retry(user, &frame.message_id, frame.epoch).await;
            retried.map_err(|error| not_sent(&error, &frame.message_id))
        }
        ClientFrame::Pause(frame) => {
            let paused = session.log.set_paused(&frame.message_id, frame.epoch, true).await;
            paused.map_err(|error| about_message(error, &frame.message_id))
        }
        ClientFrame::Resume(frame) => {
            let resumed = session.log.set_paused(&frame.message_id, frame.epoch, false).await;
            resumed.map_err(|error| about_message(error, &frame.message_id))
        }
        ClientFrame::ListConversations(_) => {
            session.log.listen();
            Ok(())
        }
        ClientFrame::UpdateConversation(frame) => {
            let updated = relay.log.update(user, &frame.conversation_id, frame.title, frame.status).await;
            updated.map_err(refused)?;
            session.log.list_again();
            Ok(())
        }
        ClientFrame::LoadHistory(frame) => {
            let history = session.log.history(frame).await.map_err(refused)?;
            replies.push_back(history.into());
            Ok(())
        }
        ClientFrame::Ping(_) => {
            replies.push_back(Pong {}.into());
            Ok(())
        }
    }
}

async fn send(
    relay: &Context,
    session: &Session,
    replies: &mut VecDeque<ServerFrame>,
    frame: SendMessage,
) -> Result<(), Trouble> {
    let id = frame.message_id.clone();
    uuid(id.as_str(), id.as_str())?;
    uuid(frame.reply_id.as_str(), id.as_str())?;
    let trouble = |code, message: &str| Err(Trouble::new(code, message, id.as_str()));
    if let Err((code, message)) = check_content(&frame.content, &relay.settings.limits) {
        return trouble(code, &message);
    }
    if !session.log.has_joined(&frame.conversation_id) {
        return Err(about_message(Refused::NotJoined, &id));
    }
    let again = relay.runs.send(&session.caller.user, frame).await.map_err(|error| not_sent(&error, &id))?;
    for started in again.into_iter().flat_map(|started| *started) {
        replies.push_back(started.into());
    }
    Ok(())
}

/// What can be sent at all.
pub fn check_content(content: &str, limits: &Limits) -> Result<(), (ErrorCode, String)> {
    if content.trim().is_empty() {
        return Err((ErrorCode::ContentEmpty, "there is nothing to send".to_owned()));
    }
    if content.len() > size(limits.max_content_bytes) {
        let message = format!("a message has at most {} bytes", limits.max_content_bytes);
        return Err((ErrorCode::ContentTooLong, message));
    }
    Ok(())
}

pub fn rate_limited(exceeded: &Exceeded, about: &str) -> Trouble {
    let retry_after = Some(exceeded.retry_after);
    Trouble { retry_after, ..Trouble::new(ErrorCode::RateLimited, exceeded.to_string(), about) }
}

fn about_message(refused: Refused, id: &MessageId) -> Trouble {
    Trouble::new(refused.code(), refused.to_string(), id.as_str())
}

fn not_sent(error: &NotSent, id: &MessageId) -> Trouble {
    Trouble { retry_after: error.retry_after(), ..Trouble::new(error.code(), error.to_string(), id.as_str()) }
}

/// Ids are UUIDs, so that no two clients make the same one. `about` is what the error names.
fn uuid(id: &str, about: &str) -> Result<(), Trouble> {
    if is_uuid(id) {
        return Ok(());
    }
    Err(Trouble::new(
        ErrorCode::BadId,
        "an id is a UUID in lower case, such as 019e0000-0000-7000-8000-000000000001",
        about,
    ))
}

/// In one spelling: two of one UUID would be two ids.
pub fn is_uuid(id: &str) -> bool {
    uuid::Uuid::try_parse(id).is_ok_and(|uuid| uuid.hyphenated().to_string() == id)
}

/// A limit of the wire, in memory.
pub fn size(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
