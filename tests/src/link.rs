//! A TCP proxy between the page and the relay, which can cut WebSockets, refuse them for a while, and remembers every frame.
//!
//! The page's own files go through untouched. What it cuts, it cuts with a reset, between any two bytes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, watch};
use tokio::task::AbortHandle;

use crate::frames::Frames;

/// Who sent a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    Page,
    Relay,
}

/// A frame that went over the link whole, in the order in which it was seen.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Which WebSocket, counted from 0 in the order they were opened.
    pub socket: usize,
    pub from: From,
    pub frame: Value,
}

impl Seen {
    #[must_use]
    pub fn is(&self, kind: &str) -> bool {
        self.frame["type"] == kind
    }
}

#[derive(Default)]
struct State {
    seen: Vec<Seen>,
    opened: usize,
    refused: usize,
    refusing: bool,
    /// Bytes towards the page until the open WebSocket is cut; counted over all of them.
    cut_in: Option<usize>,
    cuts: usize,
}

pub struct Link {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    /// Each change cuts every WebSocket that is open.
    cut: watch::Sender<()>,
    /// Frames that the link says to the page by itself.
    said: broadcast::Sender<Vec<u8>>,
    server: AbortHandle,
}

impl Link {
    pub async fn start(relay: SocketAddr) -> Link {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let state = Arc::new(Mutex::new(State::default()));
        let (cut, cuts) = watch::channel(());
        let said = broadcast::Sender::new(1024);
        let (shared, saying) = (Arc::clone(&state), said.clone());
        let server = tokio::spawn(async move {
            while let Ok((page, _)) = listener.accept().await {
                let (state, mut cuts) = (Arc::clone(&shared), cuts.clone());
                // Only cuts from now on are meant for this connection.
                cuts.mark_unchanged();
                let said = saying.subscribe();
                tokio::spawn(async move { carry(page, relay, state, cuts, said).await });
            }
        })
        .abort_handle();
        Link { address, state, cut, said, server }
    }

    /// Where the page is, seen through the link.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Cuts every WebSocket that is open, now.
    pub fn cut(&self) {
        let _ = self.cut.send(());
    }

    /// Cuts the WebSocket after this many more bytes towards the page.
    pub fn cut_after(&self, bytes: usize) {
        locked(&self.state).cut_in = Some(bytes);
    }

    /// Says a frame to the page as if the relay had, between two of the relay's own.
    pub fn say(&self, frame: &Value) {
        let _ = self.said.send(crate::frames::text(&frame.to_string()));
    }

    /// While it refuses, a new WebSocket is closed before it is opened. The page's files still come.
    pub fn refuse(&self, refusing: bool) {
        locked(&self.state).refusing = refusing;
    }

    /// How many WebSockets were carried so far.
    #[must_use]
    pub fn opened(&self) -> usize {
        locked(&self.state).opened
    }

    /// How many were refused.
    #[must_use]
    pub fn refused(&self) -> usize {
        locked(&self.state).refused
    }

    /// How many were cut after a number of bytes.
    #[must_use]
    pub fn cuts(&self) -> usize {
        locked(&self.state).cuts
    }

    /// Every frame so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        locked(&self.state).seen.clone()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.server.abort();
        self.cut();
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Carries one connection until either side ends it or the link cuts it.
async fn carry(
    mut page: TcpStream,
    relay: SocketAddr,
    state: Arc<Mutex<State>>,
    mut cuts: watch::Receiver<()>,
    said: broadcast::Receiver<Vec<u8>>,
) {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match page.read_buf(&mut head).await {
            Ok(1..) if head.len() < 64 * 1024 => {}
            _ => return,
        }
    }
    let is_socket =
        String::from_utf8_lossy(&head).to_ascii_lowercase().contains("\r\nupgrade: websocket\r\n");
    let socket = is_socket.then(|| {
        let mut state = locked(&state);
        if state.refusing {
            state.refused += 1;
            return None;
        }
        state.opened += 1;
        Some(state.opened - 1)
    });
    if socket == Some(None) {
        return;
    }
    let Ok(mut relay) = TcpStream::connect(relay).await else { return };
    if relay.write_all(&head).await.is_err() {
        return;
    }
    match socket.flatten() {
        None => {
            let _ = tokio::io::copy_bidirectional(&mut page, &mut relay).await;
        }
        Some(socket) => {
            let _ = page.set_nodelay(true);
            let _ = relay.set_nodelay(true);
            tokio::select! {
                () = pump(&mut page, &mut relay, socket, &state, said) => {}
                _ = cuts.changed() => {}
            }
            // A reset towards both: neither may take it for an orderly close.
            let _ = page.set_zero_linger();
            let _ = relay.set_zero_linger();
        }
    }
}

/// Both directions of a WebSocket, reading along.
async fn pump(
    page: &mut TcpStream,
    relay: &mut TcpStream,
    socket: usize,
    state: &Mutex<State>,
    mut said: broadcast::Receiver<Vec<u8>>,
) {
    let (mut from_page, mut to_page) = page.split();
    let (mut from_relay, mut to_relay) = relay.split();
    let up = async {
        let mut frames = Frames::after_head_was_sent();
        let mut bytes = vec![0; 16 * 1024];
        while let Ok(n @ 1..) = from_page.read(&mut bytes).await {
            note(state, socket, From::Page, &mut frames, &bytes[..n]);
            if to_relay.write_all(&bytes[..n]).await.is_err() {
                break;
            }
        }
    };
    let down = async {
        let mut frames = Frames::before_head();
        let mut bytes = vec![0; 16 * 1024];
        loop {
            let n = tokio::select! {
                read = from_relay.read(&mut bytes) => match read {
                    Ok(n @ 1..) => n,
                    _ => break,
                },
                Ok(frame) = said.recv(), if frames.is_between() => {
                    if to_page.write_all(&frame).await.is_err() {
                        break;
                    }
                    continue;
                }
            };
            let allowed = allowed(state, n);
            note(state, socket, From::Relay, &mut frames, &bytes[..allowed]);
            if to_page.write_all(&bytes[..allowed]).await.is_err() || allowed < n {
                break;
            }
        }
    };
    tokio::select! {
        () = up => {}
        () = down => {}
    }
}

/// How many of these bytes may still go before the cut. Fewer than all of them is the cut.
fn allowed(state: &Mutex<State>, n: usize) -> usize {
    let mut state = locked(state);
    match state.cut_in {
        Some(left) if left < n => {
            state.cut_in = None;
            state.cuts += 1;
            left
        }
        Some(left) => {
            state.cut_in = Some(left - n);
            n
        }
        None => n,
    }
}

fn note(state: &Mutex<State>, socket: usize, from: From, frames: &mut Frames, bytes: &[u8]) {
    let texts = frames.read(bytes);
    if texts.is_empty() {
        return;
    }
    let mut state = locked(state);
    for text in texts {
        let frame = serde_json::from_str(&text).unwrap_or(Value::String(text));
        state.seen.push(Seen { socket, from, frame });
    }
}
