//! One connection: reads frames, holds the cursors, writes what lies after them.
//!
//! It is one task. Before `hello` it knows nobody; with it comes the caller, and a [`Session`]. What it owes to the client is at most a few answers to the client's own frames, and one frame from the log at
//! a time: the next is taken when the socket has taken the one before. A client that does not read is not read from.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::num::NonZeroU32;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::WebSocketUpgrade;
use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use axum::response::Response;
use futures_util::{SinkExt, StreamExt};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota as Rate, RateLimiter};
use riacho_protocol::{ClientFrame, ErrorCode, Hello, Limits, PROTOCOL_VERSION, ServerFrame, Welcome};
use tokio::time::{Instant, sleep_until};

use crate::auth::{Caller, Denied};
use crate::context::Context;
use crate::log::Bounds;
use crate::quota::Kind;
use crate::session::{Session, Trouble, obey, rate_limited, size};

/// A client has so long to say hello.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// Beyond so many times the frame limit a message is not even read.
const HOPELESS: usize = 4;
/// Answers that may wait for the client before no more is read from it.
const MAX_REPLIES: usize = 16;
/// Tungstenite's buffers, a connection. It has the first for good, and fills it with zeros before each read: most frames of a client are
/// small, and a long one is read in pieces.
const READ_BUFFER: usize = 1024;
const WRITE_BUFFER: usize = 16 * 1024;
/// One frame, and the answers before it. A chunk of control characters has six times its size in JSON.
const MAX_WRITE_BUFFER: usize = 4 * 1024 * 1024;
/// Frames a second that are read from one client, and how many may come at once. What comes faster waits in its own socket.
const FRAMES: NonZeroU32 = NonZeroU32::new(50).unwrap();
const BURST: NonZeroU32 = NonZeroU32::new(60).unwrap();
/// Frames that are done before whoever else waits has a turn. What is there already is read without any wait, so that one client would
/// have its whole burst done first.
const FRAMES_IN_A_ROW: u32 = 4;
/// Bytes for which a frame counts as one more: who sends large frames is heard less often.
const FRAME_BYTES: usize = 4096;
/// Frames that are written before the client is heard again.
const FRAMES_AT_ONCE: usize = 16;
/// How long the last words may take to be sent and heard.
const LINGER: Duration = Duration::from_secs(1);

/// Upgrades the connection, and serves it until it ends. `caller` is whose token came in the header.
pub fn accept(upgrade: WebSocketUpgrade, relay: Context, caller: Option<Caller>) -> Response {
    let hopeless = size(relay.settings.limits.max_frame_bytes).saturating_mul(HOPELESS);
    let sockets = relay.sockets.clone();
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .max_message_size(hopeless)
        .max_frame_size(hopeless)
        .on_upgrade(move |socket| sockets.track_future(serve(socket, relay, caller)))
}

/// Why the relay ends a connection.
#[derive(Debug, Clone, Copy)]
enum Close {
    /// 1008: the start was wrong, or the token is no longer good.
    Policy,
    /// 1013: there are too many already.
    Again,
    /// 1009: too large to be read.
    TooBig,
    /// 1007: text that is no UTF-8.
    Invalid,
    /// 1002: no frame of RFC 6455.
    Protocol,
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
            Close::Again => Some(close_code::AGAIN),
            Close::TooBig => Some(close_code::SIZE),
            Close::Invalid => Some(close_code::INVALID),
            Close::Protocol => Some(close_code::PROTOCOL),
            Close::Away => Some(close_code::AWAY),
            Close::Idle => Some(close_code::NORMAL),
            Close::Gone => None,
        }
    }
}

async fn serve(mut socket: WebSocket, relay: Context, caller: Option<Caller>) {
    let limits = relay.settings.limits;
    let idle = Duration::from_secs(limits.idle_timeout_seconds.into());
    let ping_every = idle / 3;
    // Each is registered once, and not again with every frame: all sockets of a relay share what is behind them.
    let mut closing = pin!(relay.closing.clone().cancelled_owned());
    let mut revoked = pin!(relay.auth.revocations.changed());
    let mut connection = Connection::new(relay, caller);
    let mut heard = Instant::now();
    let mut next_ping = heard + ping_every;
    let mut timer = pin!(sleep_until(heard));
    // There may be something in the log; something was written and not flushed; a ping is due.
    let (mut more, mut unflushed, mut ping) = (false, false, false);
    let mut received = 0_u32;
    let close = loop {
        let to_write = more || ping || !connection.replies.is_empty();
        let greeted = connection.session.is_some();
        let deadline = if greeted { heard + idle } else { connection.opened + HELLO_WITHIN.min(idle) };
        let waits = connection.read_after.take_if(|until| *until <= Instant::now()).is_none()
            && connection.read_after.is_some();
        let times = [connection.expires, connection.read_after, greeted.then_some(next_ping)];
        let next = times.into_iter().flatten().fold(deadline, Instant::min);
        if timer.deadline() != next {
            timer.as_mut().reset(next);
        }
        let wants = Wants {
            read: connection.replies.len() < MAX_REPLIES && !waits,
            change: greeted && !more,
            write: if to_write { Some(Write::Next) } else { unflushed.then_some(Write::Rest) },
        };
        tokio::select! {
            turn = turn(&mut socket, &connection, wants) => match turn {
                Turn::Read(incoming) => {
                    heard = Instant::now();
                    next_ping = heard + ping_every;
                    // In a box: what a frame may lead to is large, and a connection that is silent does not have to hold the room for it.
                    match Box::pin(connection.receive(incoming)).await {
                        Ok(()) => more = connection.session.is_some(),
                        Err(close) => break close,
                    }
                    received = received.wrapping_add(1);
                    if received.is_multiple_of(FRAMES_IN_A_ROW) {
                        tokio::task::yield_now().await;
                    }
                }
                Turn::Changed => more = true,
                Turn::Written(Err(_)) => break Close::Gone,
                Turn::Written(Ok(next)) => {
                    unflushed = false;
                    if matches!(next, Write::Next) {
                        match connection.write_on(&mut socket, &mut ping).await {
                            Ok(wrote) => (more, unflushed) = (wrote.more, wrote.unflushed),
                            Err(_) => break Close::Gone,
                        }
                    }
                }
            },
            () = timer.as_mut() => {
                let now = Instant::now();
                if connection.expires.is_some_and(|expires| expires <= now) {
                    connection.deny(&Denied::Expired);
                    break Close::Policy;
                }
                if deadline <= now {
                    break if greeted { Close::Idle } else { Close::Policy };
                }
                if greeted && next_ping <= now {
                    next_ping += ping_every;
                    ping = true;
                }
            }
            () = revoked.as_mut() => {
                revoked.set(connection.relay.auth.revocations.changed());
                if let Err(close) = connection.still() {
                    break close;
                }
            }
            () = closing.as_mut() => break Close::Away,
        }
    };
    if let Some(code) = close.code() {
        if matches!(close, Close::Away) {
            // What has just ended has its last words in the log.
            let _ = tokio::time::timeout(LINGER, rest(&mut socket, &mut connection)).await;
        }
        let _ = tokio::time::timeout(LINGER, farewell(&mut socket, &mut connection, code)).await;
        // What the client is still sending would else make the kernel throw away what it has not read.
        let _ = tokio::time::timeout(LINGER, async { while let Some(Ok(_)) = socket.next().await {} }).await;
        if matches!(close, Close::TooBig | Close::Invalid | Close::Protocol) {
            tokio::time::sleep(LINGER).await;
        }
    }
}

/// What the socket is waited for, to write.
#[derive(Clone, Copy)]
enum Write {
    /// That it takes a frame.
    Next,
    /// That all that was written is sent.
    Rest,
}

/// What a connection waits for.
#[derive(Clone, Copy)]
struct Wants {
    read: bool,
    /// The log has something new.
    change: bool,
    write: Option<Write>,
}

enum Turn {
    Read(Option<Result<Message, axum::Error>>),
    /// The log has something, and the socket takes nothing now.
    Changed,
    Written(Result<Write, axum::Error>),
}

/// Waits for the first of what is wanted. The socket is not split for it: a split sink takes one frame more, and holds it, before it
/// asks whether the socket takes any.
async fn turn(socket: &mut WebSocket, connection: &Connection, wants: Wants) -> Turn {
    let mut changed = pin!(connection.changed());
    poll_fn(|cx| {
        // Where both go on without end, neither waits for the other for long.
        let read_first = fastrand::bool();
        for read in [read_first, !read_first] {
            if read {
                match wants.read.then(|| socket.poll_next_unpin(cx)) {
                    Some(Poll::Ready(incoming)) => return Poll::Ready(Turn::Read(incoming)),
                    _ => continue,
                }
            }
            let write = match wants.write {
                // What comes now is written at once, if it can be.
                None if wants.change && changed.as_mut().poll(cx).is_ready() => {
                    return Poll::Ready(match socket.poll_ready_unpin(cx) {
                        Poll::Ready(ready) => Turn::Written(ready.map(|()| Write::Next)),
                        Poll::Pending => Turn::Changed,
                    });
                }
                None => continue,
                Some(write) => write,
            };
            let written = match write {
                Write::Next => socket.poll_ready_unpin(cx),
                Write::Rest => socket.poll_flush_unpin(cx),
            };
            if let Poll::Ready(written) = written {
                return Poll::Ready(Turn::Written(written.map(|()| write)));
            }
            // What is on its way goes first.
            if wants.change && changed.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Turn::Changed);
            }
        }
        Poll::Pending
    })
    .await
}

/// What became of writing.
struct Wrote {
    /// There may be more.
    more: bool,
    unflushed: bool,
}

/// What the log has for the client now.
async fn rest(socket: &mut WebSocket, connection: &mut Connection) -> Result<(), axum::Error> {
    while let Some(message) = connection.next(&mut false).await {
        socket.feed(message).await?;
    }
    Ok(())
}

/// Says why, then closes.
async fn farewell(socket: &mut WebSocket, connection: &mut Connection, code: u16) -> Result<(), axum::Error> {
    while let Some(frame) = connection.replies.pop_front() {
        socket.feed(Message::Text(frame.encode().into())).await?;
    }
    socket.send(Message::Close(Some(CloseFrame { code, reason: "".into() }))).await
}

struct Connection {
    relay: Context,
    limits: Limits,
    opened: Instant,
    /// Whose token came in the header.
    caller: Option<Caller>,
    session: Option<Session>,
    /// When the token is no longer good.
    expires: Option<Instant>,
    /// Answers to the client's frames; they go before what the log has.
    replies: VecDeque<ServerFrame>,
    pace: DefaultDirectRateLimiter,
    /// The last frame had the store read, which everyone shares: it counts as two.
    read_store: bool,
    /// It said too much at once: no more is read from it until then.
    read_after: Option<Instant>,
}

impl Connection {
    fn new(relay: Context, caller: Option<Caller>) -> Self {
        Self {
            limits: relay.settings.limits,
            relay,
            opened: Instant::now(),
            caller,
            session: None,
            expires: None,
            replies: VecDeque::new(),
            pace: RateLimiter::direct(Rate::per_second(FRAMES).allow_burst(BURST)),
            read_store: false,
            read_after: None,
        }
    }

    /// Writes what there is into a socket that can take it, and sends it off. Only what the socket can take is taken from the
    /// log, so a reader that does not read costs one frame.
    async fn write_on(&mut self, socket: &mut WebSocket, ping: &mut bool) -> Result<Wrote, axum::Error> {
        let mut more = true;
        for _ in 0..FRAMES_AT_ONCE {
            let Some(message) = self.next(ping).await else {
                more = false;
                break;
            };
            socket.start_send_unpin(message)?;
            match poll_fn(|cx| Poll::Ready(socket.poll_ready_unpin(cx))).await {
                Poll::Ready(ready) => ready?,
                Poll::Pending => break,
            }
        }
        match poll_fn(|cx| Poll::Ready(socket.poll_flush_unpin(cx))).await {
            Poll::Ready(flushed) => flushed.map(|()| Wrote { more, unflushed: false }),
            Poll::Pending => Ok(Wrote { more, unflushed: true }),
        }
    }

    async fn next(&mut self, ping: &mut bool) -> Option<Message> {
        if std::mem::take(ping) {
            return Some(Message::Ping(Bytes::new()));
        }
        let frame = match (self.replies.pop_front(), &mut self.session) {
            (Some(reply), _) => Some(reply.into()),
            (None, Some(session)) => session.log.next().await,
            (None, None) => None,
        };
        let text = frame?.text();
        self.relay.metrics.sent(text.len());
        Some(Message::Text(text))
    }

    async fn changed(&self) {
        match &self.session {
            Some(session) => session.log.changed().await,
            None => std::future::pending().await,
        }
    }

    /// Something was taken back: this token perhaps.
    fn still(&mut self) -> Result<(), Close> {
        let known = self.session.as_ref().map(|session| &session.caller).or(self.caller.as_ref());
        if let Some(Err(denied)) = known.map(|caller| self.relay.auth.still(caller)) {
            self.deny(&denied);
            return Err(Close::Policy);
        }
        Ok(())
    }

    fn deny(&mut self, denied: &Denied) {
        self.trouble(denied.code(), denied.to_string(), Some("hello".to_owned()));
    }

    async fn receive(&mut self, incoming: Option<Result<Message, axum::Error>>) -> Result<(), Close> {
        let bytes = match &incoming {
            Some(Ok(Message::Text(text))) => text.len(),
            Some(Ok(Message::Binary(bytes))) => bytes.len(),
            _ => 0,
        };
        let received = self.done(incoming).await;
        let more = u32::try_from(bytes / FRAME_BYTES).unwrap_or(u32::MAX);
        let more = more.saturating_add(u32::from(std::mem::take(&mut self.read_store)));
        let frames = NonZeroU32::MIN.saturating_add(more).min(BURST);
        if let Ok(Err(until)) = self.pace.check_n(frames) {
            self.read_after = Some(Instant::now() + until.wait_time_from(DefaultClock::default().now()));
        }
        received
    }

    async fn done(&mut self, incoming: Option<Result<Message, axum::Error>>) -> Result<(), Close> {
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
            Some(tungstenite::Error::Protocol(_)) => Close::Protocol,
            _ => Close::Gone,
        }
    }

    fn too_large(&mut self) {
        let message = format!("a frame has at most {} bytes", self.limits.max_frame_bytes);
        self.trouble(ErrorCode::FrameTooLarge, message, None);
    }

    fn trouble(&mut self, code: ErrorCode, message: impl Into<String>, about: Option<String>) {
        self.refuse(Trouble { code, message: message.into(), about, retry_after: None });
    }

    fn refuse(&mut self, trouble: Trouble) {
        self.relay.metrics.refused(trouble.code);
        self.replies.push_back(trouble.into());
    }

    async fn text(&mut self, text: &str) -> Result<(), Close> {
        self.relay.metrics.received_bytes.inc_by(text.len() as u64);
        if text.len() > size(self.limits.max_frame_bytes) {
            self.too_large();
            return if self.session.is_some() { Ok(()) } else { Err(Close::TooBig) };
        }
        let frame = match ClientFrame::decode(text) {
            Ok(frame) => frame,
            Err(error) => {
                self.trouble(error.code(), error.to_string(), None);
                return Ok(());
            }
        };
        self.read_store = matches!(frame, ClientFrame::JoinConversation(_) | ClientFrame::LoadHistory(_));
        let Some(session) = &mut self.session else { return self.greet(frame) };
        match obey(&self.relay, session, &mut self.replies, frame).await {
            Ok(()) => {}
            Err(trouble) => self.refuse(trouble),
        }
        Ok(())
    }

    /// The first frame.
    fn greet(&mut self, frame: ClientFrame) -> Result<(), Close> {
        let (token, preferences) = match frame {
            ClientFrame::Hello(Hello { protocol: PROTOCOL_VERSION, token, preferences }) => {
                (token, preferences)
            }
            ClientFrame::Hello(Hello { protocol, .. }) => {
                let message = format!("this relay speaks protocol {PROTOCOL_VERSION}, not {protocol}");
                self.trouble(ErrorCode::UnsupportedProtocol, message, Some("hello".to_owned()));
                return Err(Close::Policy);
            }
            other => {
                let about = Some(other.type_name().to_owned());
                self.trouble(ErrorCode::HelloExpected, "the first frame must be hello", about);
                return Err(Close::Policy);
            }
        };
        let known = self.caller.take().filter(|_| token.is_none());
        let caller = match known.map_or_else(|| self.relay.auth.caller(token.as_deref()), Ok) {
            Ok(caller) => caller,
            Err(denied) => {
                self.deny(&denied);
                return Err(Close::Policy);
            }
        };
        let slot = match self.relay.quota.take(&caller.user, Kind::Socket) {
            Ok(slot) => slot,
            Err(exceeded) => {
                self.refuse(rate_limited(&exceeded, "hello"));
                return Err(Close::Again);
            }
        };
        self.relay.metrics.prefers(&preferences);
        let bounds = Bounds::new(&self.limits);
        let log = self.relay.log.subscribe(caller.user.clone(), bounds);
        self.expires = caller.time_left().and_then(|left| Instant::now().checked_add(left));
        self.session = Some(Session::new(caller, log, slot));
        let providers = self.relay.runs.providers();
        self.replies.push_back(Welcome { protocol: PROTOCOL_VERSION, limits: self.limits, providers }.into());
        Ok(())
    }
}
