//! One connection: reads frames, holds the cursors, writes what lies after them.
//!
//! It is one task. What it owes to the client is at most a few answers to the client's own frames, and one frame from the log at
//! a time: the next is taken when the socket has taken the one before. A client that does not read is not read from.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::time::Duration;

use axum::extract::WebSocketUpgrade;
use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use axum::response::Response;
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use riacho_protocol::{
    ClientFrame, ErrorCode, ErrorFrame, Hello, Limits, MessageId, PROTOCOL_VERSION, Pong, SendMessage,
    ServerFrame, Welcome,
};
use tokio::time::{Instant, sleep_until};

use crate::http::Context;
use crate::log::{Bounds, Refused, Subscription, User};
use crate::runs::NotSent;

/// A client has so long to say hello.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// Beyond so many times the frame limit a message is not even read.
const HOPELESS: usize = 4;
/// Answers that may wait for the client before no more is read from it.
const MAX_REPLIES: usize = 16;
/// Tungstenite's buffers, a connection.
const READ_BUFFER: usize = 4 * 1024;
const WRITE_BUFFER: usize = 16 * 1024;
/// One frame, and the answers before it. A chunk of control characters has six times its size in JSON.
const MAX_WRITE_BUFFER: usize = 4 * 1024 * 1024;
/// How long the last words may take to be sent and heard.
const LINGER: Duration = Duration::from_secs(1);

/// Upgrades the connection, and serves it until it ends.
pub fn accept(upgrade: WebSocketUpgrade, relay: Context) -> Response {
    let hopeless = size(relay.settings.limits.max_frame_bytes).saturating_mul(HOPELESS);
    let sockets = relay.sockets.clone();
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .max_message_size(hopeless)
        .max_frame_size(hopeless)
        .on_upgrade(move |socket| sockets.track_future(serve(socket, relay)))
}

fn size(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// Why the relay ends a connection.
#[derive(Debug, Clone, Copy)]
enum Close {
    /// 1008: the start was wrong.
    Policy,
    /// 1009: too large to be read.
    TooBig,
    /// 1007: text that is no UTF-8.
    Invalid,
    /// 1001: the relay ends.
    Away,
    /// 1000: nothing came for too long.
    Idle,
    /// The client has closed it, or the line broke.
    Gone,
}

impl Close {
    fn code(self) -> Option<u16> {
        match self {
            Close::Policy => Some(close_code::POLICY),
            Close::TooBig => Some(close_code::SIZE),
            Close::Invalid => Some(close_code::INVALID),
            Close::Away => Some(close_code::AWAY),
            Close::Idle => Some(close_code::NORMAL),
            Close::Gone => None,
        }
    }
}

async fn serve(socket: WebSocket, relay: Context) {
    let limits = relay.settings.limits;
    let bounds = Bounds {
        max_chunk: size(limits.max_chunk_bytes),
        max_page: size(limits.max_page.into()),
        max_joined: size(limits.max_joined.into()),
    };
    let user = User::local();
    let log = relay.log.subscribe(user.clone(), bounds);
    let (mut sink, mut stream) = socket.split();
    let mut connection = Connection { relay, limits, user, log, replies: VecDeque::new(), greeted: false };
    let idle = Duration::from_secs(limits.idle_timeout_seconds.into());
    let mut deadline = Instant::now() + HELLO_WITHIN.min(idle);
    // There may be something in the log; something was written and not flushed.
    let (mut more, mut unflushed) = (false, false);

    let close = loop {
        let to_write = more || !connection.replies.is_empty();
        tokio::select! {
            incoming = stream.next(), if connection.replies.len() < MAX_REPLIES => {
                deadline = Instant::now() + idle;
                match connection.receive(incoming).await {
                    Ok(()) => more = connection.greeted,
                    Err(close) => break close,
                }
            }
            // Only what the socket can take is taken from the log, so a dropped branch loses nothing.
            written = write(&mut sink, to_write), if to_write || unflushed => {
                if written.is_err() {
                    break Close::Gone;
                }
                if !to_write {
                    unflushed = false;
                } else if let Some(frame) = connection.next().await {
                    if sink.start_send_unpin(Message::Text(frame.encode().into())).is_err() {
                        break Close::Gone;
                    }
                    unflushed = true;
                } else {
                    more = false;
                }
            }
            () = connection.log.changed(), if connection.greeted && !more => more = true,
            () = sleep_until(deadline) => break if connection.greeted { Close::Idle } else { Close::Policy },
            () = connection.relay.closing.cancelled() => break Close::Away,
        }
    };
    if let Some(code) = close.code() {
        let _ = tokio::time::timeout(LINGER, farewell(&mut sink, &mut connection, code)).await;
        // What the client is still sending would else make the kernel throw away what it has not read.
        let _ = tokio::time::timeout(LINGER, async { while let Some(Ok(_)) = stream.next().await {} }).await;
        if matches!(close, Close::TooBig | Close::Invalid) {
            tokio::time::sleep(LINGER).await;
        }
    }
}

type Sink = SplitSink<WebSocket, Message>;

/// Waits until a frame can be written, or else until all that was written is sent.
async fn write(sink: &mut Sink, next: bool) -> Result<(), axum::Error> {
    poll_fn(|cx| if next { sink.poll_ready_unpin(cx) } else { sink.poll_flush_unpin(cx) }).await
}

/// Says why, then closes.
async fn farewell(sink: &mut Sink, connection: &mut Connection, code: u16) -> Result<(), axum::Error> {
    while let Some(frame) = connection.replies.pop_front() {
        sink.feed(Message::Text(frame.encode().into())).await?;
    }
    sink.send(Message::Close(Some(CloseFrame { code, reason: "".into() }))).await
}

struct Connection {
    relay: Context,
    limits: Limits,
    user: User,
    log: Subscription,
    /// Answers to the client's frames; they go before what the log has.
    replies: VecDeque<ServerFrame>,
    greeted: bool,
}

/// A frame that could not be done.
struct Trouble {
    code: ErrorCode,
    message: String,
    about: Option<String>,
}

impl Trouble {
    fn new(code: ErrorCode, message: impl Into<String>, about: impl Into<String>) -> Self {
        Self { code, message: message.into(), about: Some(about.into()) }
    }
}

impl Connection {
    async fn next(&mut self) -> Option<ServerFrame> {
        match self.replies.pop_front() {
            Some(reply) => Some(reply),
            None if self.greeted => self.log.next().await,
            None => None,
        }
    }

    async fn receive(&mut self, incoming: Option<Result<Message, axum::Error>>) -> Result<(), Close> {
        match incoming {
            Some(Ok(Message::Text(text))) => self.text(text.as_str()).await,
            Some(Ok(Message::Binary(_))) => {
                self.trouble(ErrorCode::BinaryFrame, "the wire is text frames", None);
                Ok(())
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            Some(Ok(Message::Close(_))) | None => Err(Close::Gone),
            Some(Err(error)) => Err(self.unreadable(error)),
        }
    }

    /// The stream of frames is broken: too much in one, no UTF-8, or the line itself.
    fn unreadable(&mut self, error: axum::Error) -> Close {
        match error.into_inner().downcast_ref::<tungstenite::Error>() {
            Some(tungstenite::Error::Capacity(_)) => {
                self.too_large();
                Close::TooBig
            }
            Some(tungstenite::Error::Utf8(_)) => Close::Invalid,
            _ => Close::Gone,
        }
    }

    fn too_large(&mut self) {
        let message = format!("a frame has at most {} bytes", self.limits.max_frame_bytes);
        self.trouble(ErrorCode::FrameTooLarge, message, None);
    }

    fn trouble(&mut self, code: ErrorCode, message: impl Into<String>, in_reply_to: Option<String>) {
        let error = ErrorFrame { code, message: message.into(), in_reply_to, retry_after: None };
        self.replies.push_back(error.into());
    }

    async fn text(&mut self, text: &str) -> Result<(), Close> {
        if text.len() > size(self.limits.max_frame_bytes) {
            self.too_large();
            return if self.greeted { Ok(()) } else { Err(Close::TooBig) };
        }
        let frame = match ClientFrame::decode(text) {
            Ok(frame) => frame,
            Err(error) => {
                self.trouble(error.code(), error.to_string(), None);
                return Ok(());
            }
        };
        if !self.greeted {
            return self.greet(frame);
        }
        if let Err(trouble) = self.obey(frame).await {
            self.trouble(trouble.code, trouble.message, trouble.about);
        }
        Ok(())
    }

    /// The first frame.
    fn greet(&mut self, frame: ClientFrame) -> Result<(), Close> {
        match frame {
            ClientFrame::Hello(Hello { protocol: PROTOCOL_VERSION, .. }) => {
                self.greeted = true;
                let providers = self.relay.runs.providers();
                self.replies
                    .push_back(Welcome { protocol: PROTOCOL_VERSION, limits: self.limits, providers }.into());
                Ok(())
            }
            ClientFrame::Hello(Hello { protocol, .. }) => {
                let message = format!("this relay speaks protocol {PROTOCOL_VERSION}, not {protocol}");
                self.trouble(ErrorCode::UnsupportedProtocol, message, Some("hello".to_owned()));
                Err(Close::Policy)
            }
            other => {
                let about = Some(other.type_name().to_owned());
                self.trouble(ErrorCode::HelloExpected, "the first frame must be hello", about);
                Err(Close::Policy)
            }
        }
    }

    async fn obey(&mut self, frame: ClientFrame) -> Result<(), Trouble> {
        let kind = frame.type_name();
        let refused = |refused: Refused| Trouble::new(refused.code(), refused.to_string(), kind);
        match frame {
            ClientFrame::Hello(_) => Err(Trouble::new(ErrorCode::BadStatus, "hello was said already", kind)),
            ClientFrame::JoinConversation(frame) => {
                uuid(frame.conversation_id.as_str(), kind)?;
                let joined = self.log.join(frame).await.map_err(refused)?;
                self.replies.push_back(joined.into());
                Ok(())
            }
            ClientFrame::LeaveConversation(frame) => {
                self.log.leave(&frame.conversation_id).await;
                Ok(())
            }
            ClientFrame::SendMessage(frame) => self.send(frame).await,
            ClientFrame::Stop(frame) => {
                let stopped = self.relay.runs.stop(&self.user, &frame.message_id, frame.epoch).await;
                stopped.map_err(|error| about_message(error, &frame.message_id))
            }
            ClientFrame::Retry(frame) => {
                let retried = self.relay.runs.retry(&self.user, &frame.message_id, frame.epoch).await;
                retried.map_err(|error| not_sent(&error, &frame.message_id))
            }
            ClientFrame::Pause(frame) => {
                let paused = self.log.set_paused(&frame.message_id, frame.epoch, true).await;
                paused.map_err(|error| about_message(error, &frame.message_id))
            }
            ClientFrame::Resume(frame) => {
                let resumed = self.log.set_paused(&frame.message_id, frame.epoch, false).await;
                resumed.map_err(|error| about_message(error, &frame.message_id))
            }
            ClientFrame::ListConversations(_) => {
                self.log.listen();
                Ok(())
            }
            ClientFrame::UpdateConversation(frame) => {
                let updated = self
                    .relay
                    .log
                    .update(&self.user, &frame.conversation_id, frame.title, frame.status)
                    .await;
                updated.map_err(refused)?;
                self.log.list_again();
                Ok(())
            }
            ClientFrame::LoadHistory(frame) => {
                let history = self.log.history(frame).await.map_err(refused)?;
                self.replies.push_back(history.into());
                Ok(())
            }
            ClientFrame::Ping(_) => {
                self.replies.push_back(Pong {}.into());
                Ok(())
            }
        }
    }

    async fn send(&mut self, frame: SendMessage) -> Result<(), Trouble> {
        let id = frame.message_id.clone();
        uuid(id.as_str(), id.as_str())?;
        uuid(frame.reply_id.as_str(), id.as_str())?;
        let trouble = |code, message: &str| Err(Trouble::new(code, message, id.as_str()));
        if frame.content.trim().is_empty() {
            return trouble(ErrorCode::ContentEmpty, "there is nothing to send");
        }
        if frame.content.len() > size(self.limits.max_content_bytes) {
            let message = format!("a message has at most {} bytes", self.limits.max_content_bytes);
            return trouble(ErrorCode::ContentTooLong, &message);
        }
        if !self.log.has_joined(&frame.conversation_id) {
            return Err(about_message(Refused::NotJoined, &id));
        }
        let again = self.relay.runs.send(&self.user, frame).await.map_err(|error| not_sent(&error, &id))?;
        for started in again.into_iter().flat_map(|started| *started) {
            self.replies.push_back(started.into());
        }
        Ok(())
    }
}

fn about_message(refused: Refused, id: &MessageId) -> Trouble {
    Trouble::new(refused.code(), refused.to_string(), id.as_str())
}

fn not_sent(error: &NotSent, id: &MessageId) -> Trouble {
    Trouble::new(error.code(), error.to_string(), id.as_str())
}

/// Ids are UUIDs, so that no two clients make the same one. `about` is what the error names.
fn uuid(id: &str, about: &str) -> Result<(), Trouble> {
    // In one spelling: two of one UUID would be two ids.
    let canonical = uuid::Uuid::try_parse(id).is_ok_and(|uuid| uuid.hyphenated().to_string() == id);
    if canonical {
        return Ok(());
    }
    Err(Trouble::new(
        ErrorCode::BadId,
        "an id is a UUID in lower case, such as 019e0000-0000-7000-8000-000000000001",
        about,
    ))
}
