//! A fake provider: a real HTTP server whose every byte, and the moment it is sent, is the test's.
//!
//! It speaks HTTP/1.1 by hand, because a server library would not let a test end a body in the middle of a chunk.
//! Each request becomes an [`Exchange`] that the test takes and answers; nothing is answered by itself.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use crate::PATIENCE;

/// The largest request that is read: more is a test gone wrong.
const MAX_REQUEST: usize = 4 * 1024 * 1024;

pub struct Upstream {
    address: SocketAddr,
    exchanges: mpsc::Receiver<Exchange>,
    _server: Task,
}

impl Upstream {
    pub async fn start() -> Upstream {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (sender, exchanges) = mpsc::channel(64);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let sender = sender.clone();
                tokio::spawn(async move {
                    if let Some(exchange) = Exchange::read(stream).await {
                        let _ = sender.send(exchange).await;
                    }
                });
            }
        })
        .abort_handle();
        Upstream { address, exchanges, _server: Task(server) }
    }

    /// What goes into `OPENAI_BASE_URL`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The next request, in the order in which they came.
    pub async fn next(&mut self) -> Exchange {
        tokio::time::timeout(PATIENCE, self.exchanges.recv())
            .await
            .expect("the provider was not asked in time")
            .expect("the upstream server runs as long as it is held")
    }

    /// Whether a request is waiting to be answered. Tests of "it was asked once" end with this.
    pub fn is_idle(&mut self) -> bool {
        self.exchanges.is_empty()
    }
}

/// One request, and the connection on which it is answered. Dropping it closes the connection where it stands.
pub struct Exchange {
    pub path: String,
    headers: Vec<(String, String)>,
    pub body: Value,
    writer: OwnedWriteHalf,
    gone: watch::Receiver<Option<Instant>>,
    _reader: Task,
}

impl Exchange {
    async fn read(mut stream: TcpStream) -> Option<Exchange> {
        stream.set_nodelay(true).ok()?;
        let mut bytes = Vec::new();
        let (path, headers, body_at) = loop {
            if stream.read_buf(&mut bytes).await.ok()? == 0 || bytes.len() > MAX_REQUEST {
                return None;
            }
            if let Some(head) = head(&bytes) {
                break head;
            }
        };
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length: usize = length.map_or(Some(0), |(_, length)| length.parse().ok())?;
        while bytes.len() < body_at + length {
            if stream.read_buf(&mut bytes).await.ok()? == 0 || bytes.len() > MAX_REQUEST {
                return None;
            }
        }
        let body = match bytes.get(body_at..body_at + length)? {
            [] => Value::Null,
            body => serde_json::from_slice(body).ok()?,
        };
        let (reader, writer) = stream.into_split();
        let (sender, gone) = watch::channel(None);
        let reader = tokio::spawn(watch_for_the_end(reader, sender)).abort_handle();
        Some(Exchange { path, headers, body, writer, gone, _reader: Task(reader) })
    }

    /// A request header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The text of the last turn of the request: what the user said.
    #[must_use]
    pub fn asked(&self) -> &str {
        let turns = self.body["messages"].as_array();
        turns.and_then(|turns| turns.last()).and_then(|turn| turn["content"].as_str()).unwrap_or_default()
    }

    /// Answers with this status, and these headers and body, and ends.
    pub async fn answer(&mut self, status: u16, headers: &[(&str, &str)], body: &str) {
        let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(status));
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
        self.write(head.as_bytes()).await;
        let _ = self.writer.shutdown().await;
    }

    /// An error as Chat Completions has it.
    pub async fn refuse(&mut self, status: u16, headers: &[(&str, &str)], message: &str) {
        let body = json!({"error": {"message": message, "type": "an_error", "param": null, "code": null}});
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers);
        self.answer(status, &all, &body.to_string()).await;
    }

    /// Begins a stream: 200, `text/event-stream`, chunked. Nothing of the body yet.
    pub async fn begin(&mut self) {
        self.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n\
              transfer-encoding: chunked\r\n\r\n",
        )
        .await;
    }

    /// These bytes, as they are, as one HTTP chunk.
    pub async fn raw(&mut self, bytes: &[u8]) {
        let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
        chunk.extend_from_slice(bytes);
        chunk.extend_from_slice(b"\r\n");
        self.write(&chunk).await;
    }

    /// One server-sent event with this JSON.
    pub async fn event(&mut self, data: &Value) {
        self.raw(format!("data: {data}\n\n").as_bytes()).await;
    }

    /// A piece of the answer's text.
    pub async fn delta(&mut self, text: &str) {
        self.event(&chunk(&json!({"content": text}), None)).await;
    }

    /// The end as the real thing says it: the finish reason, the usage in a chunk without choices, `[DONE]`.
    pub async fn finish(&mut self) {
        self.event(&chunk(&json!({}), Some("stop"))).await;
        let mut usage = chunk(&json!({}), None);
        usage["choices"] = json!([]);
        usage["usage"] = json!({"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12});
        self.event(&usage).await;
        self.raw(b"data: [DONE]\n\n").await;
        self.end().await;
    }

    /// The end of the body, well-formed; whatever the stream said before.
    pub async fn end(&mut self) {
        self.write(b"0\r\n\r\n").await;
        let _ = self.writer.shutdown().await;
    }

    /// Begins, streams these pieces with this pause after each, and finishes.
    pub async fn stream(&mut self, pieces: impl IntoIterator<Item = &str>, pause: Duration) {
        self.begin().await;
        for piece in pieces {
            self.delta(piece).await;
            tokio::time::sleep(pause).await;
        }
        self.finish().await;
    }

    /// Drops the connection in the middle of whatever it was doing.
    pub fn cut(self) {
        // A reset, not an orderly end: the peer must not take it for one. Dropped plainly, the writer would say goodbye.
        let _ = self.writer.as_ref().set_zero_linger();
        self.writer.forget();
    }

    /// Whether the peer has hung up.
    #[must_use]
    pub fn is_dropped(&self) -> bool {
        self.gone.borrow().is_some()
    }

    /// When the peer hung up; waits for it, and fails the test if it does not.
    pub async fn dropped(&mut self) -> Instant {
        let gone = tokio::time::timeout(PATIENCE, self.gone.wait_for(Option::is_some))
            .await
            .expect("the peer did not hang up in time");
        gone.ok().and_then(|at| *at).expect("the reader says so before it ends")
    }

    /// A peer that has hung up is no error here: tests ask for that by name.
    async fn write(&mut self, bytes: &[u8]) {
        let _ = self.writer.write_all(bytes).await;
    }
}

/// A task that ends with whoever holds this.
struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A chunk of Chat Completions with this delta.
#[must_use]
pub fn chunk(delta: &Value, finish_reason: Option<&str>) -> Value {
    json!({
        "id": "chatcmpl-riacho",
        "object": "chat.completion.chunk",
        "created": 1_790_000_000,
        "model": "fake-model",
        "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish_reason}],
    })
}

/// Reads until there is nothing more to read: a client that has sent its request sends nothing else.
async fn watch_for_the_end(mut reader: OwnedReadHalf, gone: watch::Sender<Option<Instant>>) {
    let mut bytes = [0; 1024];
    while matches!(reader.read(&mut bytes).await, Ok(1..)) {}
    gone.send_replace(Some(Instant::now()));
    // The sender lives on with its receivers' interest: an exchange may ask later.
    gone.closed().await;
}

type Head = (String, Vec<(String, String)>, usize);

/// Path, headers and where the body begins, once the head is there.
fn head(bytes: &[u8]) -> Option<Head> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(body_at) = request.parse(bytes).ok()? else { return None };
    let path = request.path?.to_owned();
    let headers = request
        .headers
        .iter()
        .map(|h| (h.name.to_ascii_lowercase(), String::from_utf8_lossy(h.value).into_owned()))
        .collect();
    Some((path, headers, body_at))
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Status",
    }
}
