//! A relay in this process, a client on a real socket, and an upstream that writes exact bytes.
#![allow(dead_code, reason = "each test file uses what it needs")]

pub mod streams;
pub mod tokens;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use riacho_relay::{DemoSettings, Patience, RemoteSettings, Secret, Settings, Wire};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Far more than anything takes; only a hang reaches it.
pub const HANG: Duration = Duration::from_secs(60);

pub fn id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// A relay at a free port. It ends when this is dropped.
pub struct Relay {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<()>,
}

impl Relay {
    pub async fn start(settings: Settings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let shutdown = async {
                let _ = stopped.await;
            };
            riacho_relay::run(listener, settings, shutdown).await.expect("the relay runs");
        });
        Self { address, stop: Some(stop), task }
    }

    /// One whose demo is as fast as it can be.
    pub async fn fast() -> Self {
        Self::start(fast()).await
    }

    /// One that asks `upstream`.
    pub async fn asking(upstream: &Upstream) -> Self {
        Self::start(upstream.settings()).await
    }

    pub async fn stop(mut self) {
        self.stop.take().map(|stop| stop.send(()));
        timeout(HANG, &mut self.task).await.expect("it ends").expect("it does not panic");
    }

    pub async fn connect(&self) -> Client {
        Client::connect(self.address).await
    }

    pub async fn connect_raw(&self) -> Client {
        Client::connect_raw(self.address).await
    }

    /// So many clients that look at one new conversation.
    pub async fn tabs<const TABS: usize>(&self) -> ([Client; TABS], String) {
        let room = id();
        let mut tabs = Vec::new();
        for _ in 0..TABS {
            let mut client = self.connect().await;
            client.join(&room).await;
            tabs.push(client);
        }
        (tabs.try_into().unwrap_or_else(|_| unreachable!("as many as were made")), room)
    }
}

/// The real binary at a free port. When this is dropped it is killed with SIGKILL: it can do nothing about it.
pub struct Process {
    child: std::process::Child,
    pub address: SocketAddr,
}

impl Process {
    /// With nothing of this environment's own settings.
    pub fn start(store: &std::path::Path, more: impl FnOnce(&mut std::process::Command)) -> Self {
        use std::io::BufRead;
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_riacho-relay"));
        let settings = ["RIACHO_", "OPENAI_", "AZURE_OPENAI_", "ANTHROPIC_", "GEMINI_"];
        for (name, _) in
            std::env::vars().filter(|(name, _)| settings.iter().any(|prefix| name.starts_with(prefix)))
        {
            command.env_remove(name);
        }
        command.args(["--port", "0", "--store"]).arg(store).stdout(std::process::Stdio::piped());
        more(&mut command);
        let mut child = command.spawn().expect("it starts");
        let mut line = String::new();
        std::io::BufReader::new(child.stdout.as_mut().expect("stdout")).read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("riacho-relay listening on http://").expect("the line");
        let address = address.trim_end_matches('/').parse().expect("an address");
        Self { child, address }
    }

    /// One that asks `upstream`.
    pub fn asking(store: &std::path::Path, upstream: &Upstream) -> Self {
        Self::start(store, |command| {
            command.env("OPENAI_BASE_URL", format!("http://{}/v1", upstream.address));
            command.env("OPENAI_API_KEY", "key-of-the-test").env("RIACHO_LOG", "error");
        })
    }

    pub async fn connect(&self) -> Client {
        Client::connect(self.address).await
    }

    /// Sockets, files and whatever else it has open.
    pub fn open_files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("a process").count()
    }

    /// A figure of its memory, in bytes: `VmRSS` is what it holds, `VmHWM` the most it ever held.
    pub fn memory(&self, figure: &str) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a status");
        let line = status.lines().find_map(|line| line.strip_prefix(figure)).expect("the figure");
        line.trim_matches(|c: char| !c.is_ascii_digit()).parse::<usize>().expect("a number") * 1024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn fast() -> Settings {
    Settings {
        demo: DemoSettings { pace: Duration::ZERO, chunk_chars: 40 },
        // A test that wants more asks for it.
        patience: Patience { retries: 0, ..Patience::default() },
        ..Settings::default()
    }
}

/// What a client that follows the three rules of the wire holds of one message.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Held {
    pub epoch: u64,
    pub text: String,
    pub parts: Vec<(String, String)>,
    pub status: String,
    /// Of the whole text, once it has ended.
    pub length: Option<u64>,
    pub terminal_frames: usize,
    pub chunks: usize,
}

impl Held {
    pub fn is_whole(&self) -> bool {
        self.length == Some(self.text.len() as u64)
    }
}

pub struct Client {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub log: HashMap<String, Held>,
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Self {
        let mut client = Self::connect_raw(address).await;
        client.send(json!({"type": "hello", "protocol": 1})).await;
        assert_eq!(client.next().await["type"], "welcome");
        client
    }

    /// A socket, if there is one to be had, with what was held before.
    pub async fn reconnect(address: SocketAddr, log: HashMap<String, Held>) -> Option<Self> {
        let (socket, _) = tokio_tungstenite::connect_async(format!("ws://{address}/ws")).await.ok()?;
        let mut client = Self { socket, log };
        client.try_send(json!({"type": "hello", "protocol": 1})).await?;
        client.next_or_close().await.ok()?;
        Some(client)
    }

    /// Sends, unless the line is broken.
    pub async fn try_send(&mut self, frame: Value) -> Option<()> {
        self.socket.send(Message::text(frame.to_string())).await.ok()
    }

    pub async fn connect_raw(address: SocketAddr) -> Self {
        let (socket, _) =
            tokio_tungstenite::connect_async(format!("ws://{address}/ws")).await.expect("a socket");
        Self { socket, log: HashMap::new() }
    }

    pub async fn send(&mut self, frame: Value) {
        self.send_text(frame.to_string()).await;
    }

    pub async fn send_text(&mut self, text: impl Into<String>) {
        self.socket.send(Message::text(text.into())).await.expect("it is sent");
    }

    /// The next frame, taken into what the client holds.
    pub async fn next(&mut self) -> Value {
        match timeout(HANG, self.next_or_close()).await.expect("a frame in time") {
            Ok(frame) => frame,
            Err(close) => panic!("closed: {close:?}"),
        }
    }

    pub async fn next_or_close(&mut self) -> Result<Value, Option<u16>> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).expect("JSON");
                    self.take(&frame);
                    return Ok(frame);
                }
                Some(Ok(Message::Close(frame))) => return Err(frame.map(|frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// Frames until one of a type, which is the last.
    pub async fn until(&mut self, kind: &str) -> Vec<Value> {
        self.until_frame(|frame| frame["type"] == kind).await
    }

    pub async fn until_frame(&mut self, mut last: impl FnMut(&Value) -> bool) -> Vec<Value> {
        let mut frames = Vec::new();
        loop {
            frames.push(self.next().await);
            if frames.last().is_some_and(&mut last) {
                return frames;
            }
        }
    }

    /// Frames until a message has its terminal one.
    pub async fn until_end(&mut self, message: &str) -> Value {
        let mut frames = self
            .until_frame(|frame| {
                frame["message_id"] == message
                    && (frame["type"] == "response_complete" || frame["type"] == "stream_error")
            })
            .await;
        frames.pop().expect("the last")
    }

    /// Frames until a message has ended and is held whole, whichever way that is told.
    pub async fn until_whole(&mut self, message: &str) {
        while !self.log.get(message).is_some_and(Held::is_whole) {
            self.next().await;
        }
    }

    /// Everything up to the answer to a ping: what the relay had to say by now.
    pub async fn settle(&mut self) -> Vec<Value> {
        self.send(json!({"type": "ping"})).await;
        self.until("pong").await
    }

    /// At most so many frames, and fewer when the relay has no more to say.
    pub async fn some(&mut self, frames: usize) {
        self.send(json!({"type": "ping"})).await;
        for _ in 0..frames {
            if self.next().await["type"] == "pong" {
                return;
            }
        }
    }

    pub async fn join(&mut self, conversation: &str) -> Value {
        let have: serde_json::Map<String, Value> = self
            .log
            .iter()
            .map(|(id, held)| (id.clone(), json!({"epoch": held.epoch, "offset": held.text.len()})))
            .collect();
        self.send(json!({"type": "join_conversation", "conversation_id": conversation, "have": have})).await;
        let joined = self.until("conversation_joined").await.pop().expect("joined");
        assert_eq!(joined["conversation_id"], conversation);
        joined
    }

    /// Sends a message; gives the ids of it and of its answer.
    pub async fn say(&mut self, conversation: &str, content: &str) -> (String, String) {
        let (message, reply) = (id(), id());
        self.send(json!({"type": "send_message", "conversation_id": conversation, "message_id": message,
            "reply_id": reply, "content": content}))
            .await;
        (message, reply)
    }

    pub fn text(&self, message: &str) -> &str {
        self.log.get(message).map_or("", |held| held.text.as_str())
    }

    pub fn held(&self, message: &str) -> Held {
        self.log.get(message).cloned().unwrap_or_default()
    }

    fn take(&mut self, frame: &Value) {
        let kind = frame["type"].as_str().unwrap_or_default();
        if kind == "conversation_joined" || kind == "history" {
            for info in frame["messages"].as_array().into_iter().flatten() {
                let held = self.log.entry(text(&info["message_id"])).or_default();
                if held.epoch != info["epoch"].as_u64().unwrap_or_default() {
                    *held = Held { epoch: info["epoch"].as_u64().unwrap_or_default(), ..Held::default() };
                }
                held.status = text(&info["status"]);
                let over = !matches!(held.status.as_str(), "pending" | "streaming");
                held.length = over.then(|| info["length"].as_u64()).flatten();
            }
            return;
        }
        let Some(message) = frame["message_id"].as_str() else { return };
        let held = self.log.entry(message.to_owned()).or_default();
        let epoch = frame["epoch"].as_u64().unwrap_or_default();
        if epoch > held.epoch {
            *held = Held { epoch, ..Held::default() };
        }
        assert_eq!(epoch, held.epoch, "an older epoch came after a newer one: {frame}");
        match kind {
            "message_chunk" => {
                let content = frame["content"].as_str().expect("content");
                let offset = usize::try_from(frame["offset"].as_u64().expect("offset")).expect("small");
                assert!(offset <= held.text.len(), "a gap: {frame}, held {}", held.text.len());
                assert!(!held.text.is_char_boundary(0) || held.text.is_char_boundary(offset));
                let known = held.text.get(offset..).expect("a boundary").len().min(content.len());
                let (before, fresh) = content.split_at(known);
                assert!(held.text[offset..].starts_with(before), "an overlap differs: {frame}");
                held.text.push_str(fresh);
                held.chunks += 1;
                if held.length.is_none() {
                    held.status = "streaming".into();
                }
                let part = usize::try_from(frame["part"].as_u64().unwrap_or_default()).expect("small");
                while held.parts.len() <= part {
                    held.parts.push(("text".into(), String::new()));
                }
                if let Some(kind) = frame["kind"].as_str() {
                    held.parts[part].0 = kind.to_owned();
                }
                held.parts[part].1.push_str(fresh);
            }
            "response_complete" | "stream_error" => {
                held.terminal_frames += 1;
                held.length = frame["length"].as_u64();
                assert_eq!(
                    frame["length"].as_u64(),
                    Some(held.text.len() as u64),
                    "a gap at the end: {frame}"
                );
                held.status = frame["status"].as_str().unwrap_or("error").to_owned();
            }
            _ => {}
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What an upstream does with one request.
#[derive(Debug, Clone)]
pub enum Act {
    /// Writes these bytes as they are, in one go.
    Write(Vec<u8>),
    Wait(Duration),
    /// Goes on when the test says so.
    Gate,
    /// Ends without any of the ceremony.
    Reset,
}

/// A real HTTP server that does what a test tells it, byte by byte.
pub struct Upstream {
    pub address: SocketAddr,
    /// Each request as it came: head and body.
    pub requests: mpsc::UnboundedReceiver<String>,
    /// Each connection that the relay ended before the upstream did.
    pub gone: mpsc::UnboundedReceiver<()>,
    pub gate: std::sync::Arc<tokio::sync::Semaphore>,
}

impl Upstream {
    /// Answers the n-th request with the n-th list of acts, and all after the last with the last.
    pub async fn start(acts: Vec<Vec<Act>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (told, requests) = mpsc::unbounded_channel();
        let (left, gone) = mpsc::unbounded_channel();
        let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
        let gates = gate.clone();
        tokio::spawn(async move {
            for turn in 0.. {
                let Ok((socket, _)) = listener.accept().await else { return };
                let _ = socket.set_nodelay(true);
                let acts = acts.get(turn).or(acts.last()).cloned().unwrap_or_default();
                tokio::spawn(serve(socket, acts, told.clone(), left.clone(), gates.clone()));
            }
        });
        Self { address, requests, gone, gate }
    }

    pub fn settings(&self) -> Settings {
        Settings { remotes: vec![self.remote("openai", Wire::Chat)], ..fast() }
    }

    /// A provider that is this upstream.
    pub fn remote(&self, name: &str, wire: Wire) -> RemoteSettings {
        RemoteSettings {
            name: name.into(),
            wire,
            base_url: format!("http://{}/v1", self.address),
            api_key: Some(Secret::new("sk-secret-of-the-test")),
            model: "test-model".into(),
            streams: true,
            background: false,
            thread: false,
        }
    }
}

async fn serve(
    mut socket: TcpStream,
    acts: Vec<Act>,
    told: mpsc::UnboundedSender<String>,
    left: mpsc::UnboundedSender<()>,
    gate: std::sync::Arc<tokio::sync::Semaphore>,
) {
    let mut request = Vec::new();
    while !is_whole(&request) {
        let mut buffer = [0; 4096];
        match socket.read(&mut buffer).await {
            Ok(n) if n > 0 => request.extend_from_slice(&buffer[..n]),
            _ => return,
        }
    }
    let _ = told.send(String::from_utf8_lossy(&request).into_owned());
    let (mut read, mut write) = socket.into_split();
    let acting = async {
        for act in acts {
            match act {
                Act::Write(bytes) => {
                    if write.write_all(&bytes).await.is_err() || write.flush().await.is_err() {
                        return false;
                    }
                }
                Act::Wait(time) => tokio::time::sleep(time).await,
                Act::Gate => gate.acquire().await.expect("open").forget(),
                Act::Reset => {
                    let _ = write.as_ref().set_zero_linger();
                    return true;
                }
            }
        }
        let _ = write.shutdown().await;
        true
    };
    let mut byte = [0];
    tokio::select! {
        true = acting => {}
        _ = read.read(&mut byte) => { let _ = left.send(()); }
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length:").map(str::to_owned))
        .and_then(|length| length.trim().parse::<usize>().ok())
        .unwrap_or(0);
    body.len() >= length
}

/// The head of a streamed answer whose body ends with the connection.
pub fn head(status: &str, more: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{more}connection: close\r\n\r\n").into_bytes()
}

pub fn sse_head() -> Vec<u8> {
    head("200 OK", "content-type: text/event-stream\r\n")
}

/// Acts that stream these pieces.
pub fn streaming(pieces: impl IntoIterator<Item = Vec<u8>>) -> Vec<Act> {
    std::iter::once(Act::Write(sse_head())).chain(pieces.into_iter().map(Act::Write)).collect()
}

/// One event with a piece of text, as Chat Completions sends it.
pub fn delta(content: &str) -> Vec<u8> {
    let chunk = json!({"id": "c", "object": "chat.completion.chunk", "model": "test-model",
        "choices": [{"index": 0, "delta": {"content": content}, "finish_reason": null}]});
    format!("data: {chunk}\n\n").into_bytes()
}

pub fn finish() -> Vec<u8> {
    let chunk = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
    format!("data: {chunk}\n\n").into_bytes()
}

pub fn done() -> Vec<u8> {
    b"data: [DONE]\n\n".to_vec()
}

/// An upstream that says "one ", waits for the gate, says "two", and ends.
pub async fn gated(turns: usize) -> Upstream {
    let acts = vec![
        Act::Write(sse_head()),
        Act::Write(delta("one ")),
        Act::Gate,
        Act::Write(delta("two")),
        Act::Write(finish()),
        Act::Write(done()),
    ];
    Upstream::start(vec![acts; turns]).await
}

pub async fn until_text(client: &mut Client, message: &str, text: &str) {
    while client.text(message) != text {
        client.next().await;
    }
}
