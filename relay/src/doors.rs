//! The HTTP doors: conversations and messages as JSON, and an answer as server-sent events (WHATWG HTML, section 9.2).
//!
//! What is behind them is what is behind the socket: the same verbs, the same log, the same limits. A stream is a cursor on one
//! message; who does not read it is not written to.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use futures_util::{Stream, StreamExt};
use riacho_protocol::{
    ConversationId, ErrorCode, Limits, MessageId, Options, Position, SendMessage, ServerFrame, Status,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::Caller;
use crate::context::Context;
use crate::frame::Frame;
use crate::log::{Bounds, Refused, Run, Subscription, Verb};
use crate::quota::{Kind, Slot};
use crate::refusal::Refusal;
use crate::session::{check_content, is_uuid};

/// A body has so long to come.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// A comment goes out when nothing else did for so long: proxies close what is silent.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub fn routes(limits: &Limits) -> Router<Context> {
    Router::new()
        .route("/api/chat/send", post(send))
        .route("/api/conversations", get(list))
        .route("/api/conversations/{id}", get(export).delete(delete))
        .route("/api/messages/{id}", get(message))
        .route("/api/messages/{id}/stream", get(stream))
        .route("/api/messages/{id}/stop", post(stop))
        // The first address of the export.
        .route("/conversations/{id}", get(export).delete(delete))
        .layer(DefaultBodyLimit::max(usize::try_from(limits.max_frame_bytes).unwrap_or(usize::MAX)))
}

/// What `POST /api/chat/send` takes. Ids that are left out are made here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Send {
    conversation_id: Option<String>,
    content: String,
    message_id: Option<String>,
    reply_id: Option<String>,
    parent_id: Option<String>,
    provider: Option<String>,
    model: Option<String>,
    #[serde(default)]
    options: Options,
    /// As events; else as one JSON when the answer has ended.
    #[serde(default = "yes")]
    stream: bool,
}

fn yes() -> bool {
    true
}

async fn send(State(relay): State<Context>, caller: Caller, body: Body) -> Result<Response, Refusal> {
    let bytes = body_of(&relay, body).await?;
    let send: Send = serde_json::from_slice(&bytes).map_err(|wrong| {
        let message = format!("the body is {{\"conversationId\", \"content\"}} as JSON: {wrong}");
        Refusal::new(ErrorCode::BadJson, message)
    })?;
    check_content(&send.content, &relay.settings.limits)
        .map_err(|(code, message)| Refusal::new(code, message))?;
    let streamed = send.stream;
    let frame = send.frame()?;
    let (conversation, said, reply) =
        (frame.conversation_id.clone(), frame.message_id.clone(), frame.reply_id.clone());
    let slot = relay.quota.take(&caller.user, Kind::Socket)?;
    let mut log = relay.log.subscribe(caller.user.clone(), bounds(&relay));
    // Before the message: the room is open then, and a message that is sent twice is told again.
    log.attend(&conversation).await?;
    relay.runs.send(&caller.user, frame).await?;
    log.follow(&conversation, &reply, None)?;
    let reading = Reading { relay, caller, log, _slot: slot };
    match streamed {
        true => Ok(events(reading)),
        false => Ok(whole(reading, &conversation, &said, &reply).await),
    }
}

impl Send {
    fn frame(self) -> Result<SendMessage, Refusal> {
        let conversation = id(self.conversation_id, "conversationId")?;
        Ok(SendMessage {
            conversation_id: ConversationId::new(conversation).map_err(|_| bad_id("conversationId"))?,
            message_id: message_id(self.message_id, "messageId")?,
            reply_id: message_id(self.reply_id, "replyId")?,
            parent_id: self.parent_id.map(|parent| message_id(Some(parent), "parentId")).transpose()?,
            content: self.content,
            provider: self.provider,
            model: self.model,
            options: self.options,
        })
    }
}

/// As it was given, or a new one.
fn id(given: Option<String>, what: &str) -> Result<String, Refusal> {
    let id = given.unwrap_or_else(|| uuid::Uuid::now_v7().hyphenated().to_string());
    if is_uuid(&id) { Ok(id) } else { Err(bad_id(what)) }
}

fn message_id(given: Option<String>, what: &str) -> Result<MessageId, Refusal> {
    MessageId::new(id(given, what)?).map_err(|_| bad_id(what))
}

fn bad_id(what: &str) -> Refusal {
    Refusal::new(ErrorCode::BadId, format!("{what} is a UUID in lower case"))
}

async fn body_of(relay: &Context, body: Body) -> Result<Bytes, Refusal> {
    let limit = usize::try_from(relay.settings.limits.max_frame_bytes).unwrap_or(usize::MAX);
    match tokio::time::timeout(BODY_WITHIN, axum::body::to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => {
            let message = format!("the body broke off, or is longer than {limit} bytes");
            Err(Refusal::new(ErrorCode::FrameTooLarge, message))
        }
        Err(_) => Err(Refusal::new(ErrorCode::BadFrame, "the body took too long")
            .with_status(StatusCode::REQUEST_TIMEOUT)),
    }
}

/// An answer as events, from `Last-Event-ID` on. One that has been read to its end is 204, which tells an `EventSource` not to
/// come again.
async fn stream(
    State(relay): State<Context>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(Seen::read);
    let (run, standing) = find(&relay, &caller, Verb::Read, &id).await?;
    if seen.is_some_and(|seen| seen.end && seen.at.epoch == run.epoch) && standing.is_terminal() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let slot = relay.quota.take(&caller.user, Kind::Socket)?;
    let mut log = relay.log.subscribe(caller.user.clone(), bounds(&relay));
    log.attend(&run.conversation_id).await?;
    log.follow(&run.conversation_id, &run.message_id, seen.map(|seen| seen.at))?;
    Ok(events(Reading { relay, caller, log, _slot: slot }))
}

async fn stop(
    State(relay): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let (run, _) = find(&relay, &caller, Verb::Stop, &id).await?;
    relay.runs.stop(&caller.user, &run.message_id, run.epoch).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list(State(relay): State<Context>, caller: Caller) -> Result<Json<Value>, Refusal> {
    let conversations = relay.log.list(&caller.user).await?;
    Ok(Json(json!({ "conversations": conversations })))
}

/// A conversation as JSON.
async fn export(
    State(relay): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let id = ConversationId::new(id).map_err(|_| Refused::UnknownConversation)?;
    Ok(Json(relay.log.export(&caller.user, &id).await?))
}

/// Deletes a conversation.
async fn delete(
    State(relay): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let id = ConversationId::new(id).map_err(|_| Refused::UnknownConversation)?;
    relay.log.delete(&caller.user, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A message as JSON, as the export has it.
async fn message(
    State(relay): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let (run, _) = find(&relay, &caller, Verb::Read, &id).await?;
    let mut conversation = relay.log.export(&caller.user, &run.conversation_id).await?;
    let messages = conversation.get_mut("messages").and_then(Value::as_array_mut);
    let found = messages.and_then(|all| all.iter_mut().find(|message| message["message_id"] == id.as_str()));
    Ok(Json(found.ok_or(Refused::UnknownMessage)?.take()))
}

async fn find(relay: &Context, caller: &Caller, verb: Verb, id: &str) -> Result<(Run, Status), Refused> {
    let id = MessageId::new(id).map_err(|_| Refused::UnknownMessage)?;
    relay.log.find(&caller.user, verb, &id).await
}

fn bounds(relay: &Context) -> Bounds {
    Bounds::new(&relay.settings.limits)
}

/// One reader of one answer.
struct Reading {
    relay: Context,
    caller: Caller,
    log: Subscription,
    _slot: Slot,
}

impl Reading {
    /// The next frame; none when nothing more is to come, or its reader may read no more.
    async fn next(&mut self) -> Option<ServerFrame> {
        loop {
            let revoked = self.relay.auth.revocations.changed();
            if self.relay.auth.still(&self.caller).is_err() {
                return None;
            }
            if let Some(frame) = self.log.next().await.map(Frame::into_inner) {
                return Some(frame).filter(|frame| !matches!(frame, ServerFrame::LeaveConversation(_)));
            }
            let expiry = self.caller.time_left();
            tokio::select! {
                () = self.log.changed() => {}
                () = revoked => {}
                () = tokio::time::sleep(expiry.unwrap_or_default()), if expiry.is_some() => {}
                () = self.relay.closing.cancelled() => return None,
            }
        }
    }

    /// The frames up to the terminal one.
    fn frames(self) -> impl Stream<Item = ServerFrame> {
        futures_util::stream::unfold(Some(self), |reading| async move {
            let mut reading = reading?;
            let frame = reading.next().await?;
            let goes_on = !is_end(&frame);
            Some((frame, goes_on.then_some(reading)))
        })
    }
}

fn is_end(frame: &ServerFrame) -> bool {
    matches!(frame, ServerFrame::ResponseComplete(_) | ServerFrame::StreamError(_))
}

/// A place in an answer, as an event's `id` says it: `EPOCH:OFFSET`, and `:end` behind the terminal one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    at: Position,
    end: bool,
}

impl Seen {
    fn read(id: &str) -> Option<Self> {
        let (id, end) = id.strip_suffix(":end").map_or((id, false), |id| (id, true));
        let (epoch, offset) = id.split_once(':')?;
        Some(Self { at: Position { epoch: epoch.parse().ok()?, offset: offset.parse().ok()? }, end })
    }

    /// What a reader has seen after this frame. A frame that says nothing of the text leaves it where it was.
    fn after(frame: &ServerFrame) -> Option<Self> {
        let at = |epoch, offset, end| Some(Self { at: Position { epoch, offset }, end });
        match frame {
            ServerFrame::MessageStarted(frame) => at(frame.epoch, 0, false),
            ServerFrame::MessageChunk(frame) => {
                at(frame.epoch, frame.offset + frame.content.len() as u64, false)
            }
            ServerFrame::ResponseComplete(frame) => at(frame.epoch, frame.length, true),
            ServerFrame::StreamError(frame) => at(frame.epoch, frame.length, true),
            _ => None,
        }
    }

    fn id(self) -> String {
        let end = if self.end { ":end" } else { "" };
        format!("{}:{}{end}", self.at.epoch, self.at.offset)
    }
}

/// The frames of the socket, an event each: `event` is the type, `data` the frame.
fn events(reading: Reading) -> Response {
    let metrics = Arc::clone(&reading.relay.metrics);
    let events = reading.frames().map(move |frame| {
        let text = frame.encode();
        metrics.sent(text.len());
        let event = Event::default().event(frame.type_name()).data(text);
        Ok::<_, Infallible>(match Seen::after(&frame) {
            Some(seen) => event.id(seen.id()),
            None => event,
        })
    });
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    let headers = response.headers_mut();
    // A proxy that compresses or buffers would hold the text back.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

/// The answer as one JSON, when it has ended.
async fn whole(
    reading: Reading,
    conversation: &ConversationId,
    said: &MessageId,
    reply: &MessageId,
) -> Response {
    let mut frames = std::pin::pin!(reading.frames());
    let (mut content, mut epoch) = (String::new(), 0);
    while let Some(frame) = frames.next().await {
        match frame {
            ServerFrame::MessageStarted(frame) if frame.epoch != epoch => {
                // The provider failed in mid-text, and another one started over.
                content.clear();
                epoch = frame.epoch;
            }
            ServerFrame::MessageChunk(frame) => content.push_str(&frame.content),
            ServerFrame::ResponseComplete(end) => {
                return Json(json!({
                    "success": true, "conversationId": conversation, "messageId": said, "replyId": reply,
                    "content": content, "status": end.status, "reason": end.reason, "usage": end.usage,
                    "metrics": end.metrics,
                }))
                .into_response();
            }
            ServerFrame::StreamError(end) => {
                let body = json!({
                    "success": false, "conversationId": conversation, "messageId": said, "replyId": reply,
                    "content": content, "code": end.code, "message": end.message,
                    "retryAfter": end.retry_after,
                });
                return (StatusCode::BAD_GATEWAY, Json(body)).into_response();
            }
            _ => {}
        }
    }
    Refusal::new(
        ErrorCode::ShuttingDown,
        "the answer goes on without this request; ask for the message later",
    )
    .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_events_id_reads_back() {
        for (id, epoch, offset, end) in
            [("0:0", 0, 0, false), ("3:65536", 3, 65536, false), ("1:7:end", 1, 7, true)]
        {
            let seen = Seen { at: Position { epoch, offset }, end };
            assert_eq!((Seen::read(id), seen.id()), (Some(seen), id.to_owned()));
        }
        for wrong in ["", "1", "a:b", "1:2:3", "-1:0", ":end", "1:2:ending"] {
            assert_eq!(Seen::read(wrong), None, "{wrong}");
        }
    }
}
