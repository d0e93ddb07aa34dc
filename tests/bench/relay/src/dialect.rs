//! What a client says to each server, and what it makes of the answer. Nothing else knows a wire.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use anyhow::{Result, bail};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Riacho,
    Floor,
    /// Engine.IO 4 and Socket.IO 5, on a WebSocket from the start.
    SocketIo,
}

/// What a server says of an answer.
pub enum Said {
    Text(String),
    End,
}

/// A connection whose incoming bytes are counted.
struct Counted {
    stream: TcpStream,
    received: Arc<AtomicU64>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.received.fetch_add((buf.filled().len() - before) as u64, Ordering::Relaxed);
        polled
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// What the kernel holds for a client that does not read: so little, and then so much as it takes to catch up.
const NARROW: usize = 16 * 1024;
const WIDE: usize = 4 * 1024 * 1024;

/// What one that comes back to a Socket.IO server says, so that it is sent what it missed.
#[derive(Debug, Clone, Default)]
pub struct Session {
    id: Option<String>,
    offset: Option<String>,
}

/// One client.
pub struct Link {
    dialect: Dialect,
    socket: WebSocketStream<Counted>,
    room: String,
    received: Arc<AtomicU64>,
    session: Session,
    /// What came before its time: a Socket.IO server sends what was missed before it says that one is connected.
    early: VecDeque<String>,
}

impl Link {
    /// Connects, and says what has to be said before anything else.
    pub async fn open(dialect: Dialect, address: &str, room: &str) -> Result<Self> {
        Self::over(TcpStream::connect(address).await?, dialect, address, room, None).await
    }

    /// One for whom the kernel holds little: what it does not read stays with the server.
    pub async fn narrow(dialect: Dialect, address: &str, room: &str) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(u32::try_from(NARROW)?)?;
        Self::over(socket.connect(address.parse()?).await?, dialect, address, room, None).await
    }

    /// The kernel may hold much for it from now on: else it would send to it in its own time.
    pub fn widen(&self) -> Result<()> {
        let stream = &self.socket.get_ref().stream;
        Ok(socket2::SockRef::from(stream).set_recv_buffer_size(WIDE)?)
    }

    /// One that was there before. What it missed is sent to it without being asked for.
    pub async fn again(dialect: Dialect, address: &str, room: &str, session: Session) -> Result<Self> {
        Self::over(TcpStream::connect(address).await?, dialect, address, room, Some(session)).await
    }

    pub fn session(&self) -> Session {
        self.session.clone()
    }

    async fn over(
        stream: TcpStream,
        dialect: Dialect,
        address: &str,
        room: &str,
        before: Option<Session>,
    ) -> Result<Self> {
        stream.set_nodelay(true)?;
        let received = Arc::new(AtomicU64::new(0));
        let stream = Counted { stream, received: Arc::clone(&received) };
        let path = match dialect {
            Dialect::Riacho => "ws".to_owned(),
            Dialect::Floor => format!("ws?room={room}"),
            Dialect::SocketIo => "socket.io/?EIO=4&transport=websocket".to_owned(),
        };
        let config = WebSocketConfig::default().read_buffer_size(8192);
        let url = format!("ws://{address}/{path}");
        let (socket, _) = tokio_tungstenite::client_async_with_config(url, stream, Some(config)).await?;
        let session = Session::default();
        let mut link =
            Self { dialect, socket, room: room.to_owned(), received, session, early: VecDeque::new() };
        match dialect {
            Dialect::Riacho => {
                link.say(json!({"type": "hello", "protocol": 1}).to_string()).await?;
                link.until(|text| text.contains("\"welcome\"")).await?;
            }
            Dialect::Floor => link.until(|text| text == "joined").await?,
            Dialect::SocketIo => {
                link.until(|text| text.starts_with('0')).await?;
                let before = before.and_then(|before| before.id.zip(before.offset));
                let before = before.map(|(id, offset)| json!({"pid": id, "offset": offset}).to_string());
                link.say(format!("40{}", before.unwrap_or_default())).await?;
                loop {
                    let text = link.text().await?;
                    if let Some(said) = text.strip_prefix("40") {
                        let said: Value = serde_json::from_str(said)?;
                        link.session.id = said["pid"].as_str().map(str::to_owned);
                        break;
                    }
                    link.early.push_back(text);
                }
            }
        }
        Ok(link)
    }

    /// Reads the room from now on.
    pub async fn join(&mut self) -> Result<()> {
        let room = self.room.clone();
        match self.dialect {
            Dialect::Riacho => {
                self.say(
                    json!({"type": "join_conversation", "conversation_id": room, "have": {}}).to_string(),
                )
                .await?;
                self.until(|text| text.contains("\"conversation_joined\"")).await
            }
            Dialect::Floor => Ok(()),
            Dialect::SocketIo => {
                self.say(format!("42{}", json!(["join", room]))).await?;
                self.until(|text| text.starts_with("42[\"joined\"")).await
            }
        }
    }

    /// Asks for an answer in the room.
    pub async fn ask(&mut self) -> Result<()> {
        let id = || uuid::Uuid::now_v7().to_string();
        let room = self.room.clone();
        let text = match self.dialect {
            Dialect::Riacho => json!({"type": "send_message", "conversation_id": room, "message_id": id(),
                "reply_id": id(), "content": "hi"})
            .to_string(),
            Dialect::Floor => "start".to_owned(),
            Dialect::SocketIo => format!("42{}", json!(["send", room])),
        };
        self.say(text).await
    }

    /// The next piece of an answer, or its end.
    pub async fn next(&mut self) -> Result<Said> {
        loop {
            let text = match self.early.pop_front() {
                Some(text) => text,
                None => self.text().await?,
            };
            let frame: Value = match self.dialect {
                Dialect::Riacho | Dialect::Floor => serde_json::from_str(&text)?,
                Dialect::SocketIo => match text.strip_prefix("42") {
                    Some(event) => {
                        let event: Value = serde_json::from_str(event)?;
                        // A server that can be come back to says behind each event how to go on from there.
                        if let Some(offset) = event.get(2).and_then(Value::as_str) {
                            self.session.offset = Some(offset.to_owned());
                        }
                        event.get(1).cloned().unwrap_or_default()
                    }
                    None => continue,
                },
            };
            match (frame["type"].as_str(), frame["content"].as_str()) {
                // The user's own message comes the same way.
                (Some("message_chunk"), Some("hi")) => {}
                (Some("message_chunk"), Some(content)) => return Ok(Said::Text(content.to_owned())),
                (Some("response_complete"), _) if frame["length"] == 2 => {}
                (Some("response_complete"), _) => return Ok(Said::End),
                (Some("stream_error" | "error"), _) => bail!("the server says {text}"),
                _ => {}
            }
        }
    }

    /// Answers what has to be answered, and reads nothing else, for ever.
    pub async fn rest(mut self) {
        while self.text().await.is_ok() {}
    }

    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    async fn say(&mut self, text: impl Into<String>) -> Result<()> {
        Ok(self.socket.send(Message::text(text.into())).await?)
    }

    async fn until(&mut self, found: impl Fn(&str) -> bool) -> Result<()> {
        while !found(&self.text().await?) {}
        Ok(())
    }

    async fn text(&mut self) -> Result<String> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text)))
                    if self.dialect == Dialect::SocketIo && text.as_str() == "2" =>
                {
                    self.say("3").await?;
                }
                Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
                Some(Ok(Message::Close(frame))) => bail!("closed: {frame:?}"),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => bail!("closed"),
            }
        }
    }
}
