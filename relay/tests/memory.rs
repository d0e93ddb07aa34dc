//! What readers that do not read cost the relay: the text, once, and for each of them about a frame.
//! The stall outlasts the whole stream. `RIACHO_LONG=1` makes it a full minute.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use common::{Act, Client, Process, Upstream, delta, done, finish, id, sse_head};
use serde_json::json;
use tokio_tungstenite::MaybeTlsStream;

const PIECES: usize = 8192;
const MANY: usize = 41;
/// For a reader that does not read: one frame that it does not take, in tungstenite's buffer. That is 64 KB of text, 72 KB as JSON, behind at
/// most 16 KB of small frames; the rest is what an allocator rounds up to. It is a sixteenth of the text.
const EACH: usize = (72 + 16 + 40) * 1024;

/// A client whose receive buffer is small, so that what it does not read stays with the relay.
async fn narrow(address: SocketAddr) -> Client {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    let stream = MaybeTlsStream::Plain(socket.connect(address).await.expect("it connects"));
    let url = format!("ws://{address}/ws");
    let (socket, _) = tokio_tungstenite::client_async(url, stream).await.expect("a socket");
    let mut client = Client { socket, log: HashMap::new() };
    client.send(json!({"type": "hello", "protocol": 1})).await;
    assert_eq!(client.next().await["type"], "welcome");
    client
}

/// How much a relay of its own grew at most, from before the stream until the end of the stall.
async fn grown(stalled: usize, text: &str) -> usize {
    let piece = text.get(..text.len() / PIECES).expect("a piece");
    let pieces = (0..PIECES).map(|_| delta(piece));
    let acts = std::iter::once(sse_head()).chain(pieces).chain([finish(), done()]).map(Act::Write).collect();
    let upstream = Upstream::start(vec![acts]).await;
    // In a file, as a relay that keeps anything has it: in memory the store itself would be what grows.
    let folder = tempfile::tempdir().expect("a folder");
    let relay = Process::asking(&folder.path().join("relay.db"), &upstream);
    let address = relay.address;
    let room = id();
    let mut still = Vec::new();
    for _ in 0..stalled {
        let mut client = narrow(address).await;
        client.join(&room).await;
        still.push(client);
    }
    let mut quick = Client::connect(address).await;
    quick.join(&room).await;
    let before = relay.memory("VmRSS:");
    let (_, reply) = quick.say(&room, "much").await;
    quick.until_end(&reply).await;
    assert_eq!(quick.text(&reply), text);
    let long = std::env::var_os("RIACHO_LONG").is_some();
    tokio::time::sleep(Duration::from_secs(if long { 60 } else { 2 })).await;
    let grown = relay.memory("VmHWM:").saturating_sub(before);
    // All at once: to a narrow window the kernel sends in its own time.
    futures_util::future::join_all(still.iter_mut().map(|client| client.until_whole(&reply))).await;
    assert!(still.iter().all(|client| client.text(&reply) == text));
    grown
}

#[tokio::test]
async fn readers_that_do_not_read_cost_the_text_once() {
    let text = "0123456789abcde\n".repeat(16 * PIECES);
    let (none, one, many) = (grown(0, &text).await, grown(1, &text).await, grown(MANY, &text).await);
    println!(
        "a text of {} bytes: grown by {none} for no reader that stalls, {one} for one, {many} for {MANY}",
        text.len()
    );
    // One more reader costs at most the text; each after it, far less.
    assert!(one.saturating_sub(none) <= text.len(), "one that stalls: {one}, none: {none}");
    let each = many.saturating_sub(one) / (MANY - 1);
    assert!(each <= EACH, "each further reader that stalls costs {each} bytes");
}
