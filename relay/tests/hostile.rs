//! Clients that mean harm, one after the other and all at once, against the binary. Meanwhile others talk, and are to notice little.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::io::BufRead;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use common::{Client, id};
use futures_util::SinkExt;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

/// What an attack may add to the memory of the relay.
const MOST: usize = 64 * 1024 * 1024;
/// How long others talk, in quiet and under attack.
const TALK: Duration = Duration::from_millis(1500);
/// Twice a short time is little: an answer passes three timers of the runtime and of the store, and each has a grain of a millisecond.
const GRAIN: Duration = Duration::from_millis(3);

/// How often a pair is measured until one is good.
const TRIES: usize = 8;

struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_riacho-relay"))
            .args([
                "--port",
                "0",
                "--store",
                ":memory:",
                "--demo-pace",
                "0",
                "--demo-chunk",
                "400",
                "--log",
                "off",
            ])
            .env_clear()
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        std::io::BufReader::new(child.stdout.as_mut().expect("stdout")).read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("riacho-relay listening on http://").expect("the line");
        let address = address.trim_end_matches('/').parse().expect("an address");
        Self { child, address }
    }

    fn memory(&self, figure: &str) -> usize {
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

/// A user who sends messages and waits for each answer: how long the slowest of a hundred takes.
async fn talk(address: SocketAddr) -> Duration {
    let talking = (0..4).map(|_| async {
        let mut client = Client::connect(address).await;
        let (room, started) = (id(), Instant::now());
        client.join(&room).await;
        let mut took = Vec::new();
        while started.elapsed() < TALK {
            let asked = Instant::now();
            let (_, reply) = client.say(&room, "hi").await;
            client.until_end(&reply).await;
            took.push(asked.elapsed());
            sleep(Duration::from_millis(10)).await;
        }
        took
    });
    let mut took: Vec<Duration> = futures_util::future::join_all(talking).await.concat();
    took.sort_unstable();
    took[took.len() * 99 / 100]
}

/// The head of a client's frame of so many bytes, masked with zeros: what follows is as it is written (RFC 6455, section 5.2).
fn frame(opcode: u8, length: u64) -> Vec<u8> {
    let mut bytes = vec![opcode];
    match length {
        0..126 => bytes.push(0x80 | u8::try_from(length).expect("small")),
        126..65_536 => {
            bytes.push(0x80 | 126);
            bytes.extend(u16::try_from(length).expect("small").to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend(length.to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes
}

/// A socket past the handshake, for bytes of one's own.
async fn raw(address: SocketAddr) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.expect("a connection");
    let head = format!(
        "GET /ws HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-extensions: permessage-deflate\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.expect("written");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(socket.read_u8().await.expect("an answer"));
    }
    let answer = String::from_utf8(answer).expect("text").to_lowercase();
    assert!(answer.starts_with("http/1.1 101"), "{answer}");
    // A bomb needs compression, and there is none.
    assert!(!answer.contains("sec-websocket-extensions"), "{answer}");
    socket
}

/// Writes until the relay has had enough, or so many times.
async fn flood(socket: &mut TcpStream, bytes: &[u8], times: usize) {
    for _ in 0..times {
        match timeout(Duration::from_millis(200), socket.write_all(bytes)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}

/// What it ends with: 0x88 and the code of its close frame, or nothing.
async fn last_word(mut socket: TcpStream) -> Option<u16> {
    let mut bytes = Vec::new();
    let _ = timeout(Duration::from_secs(20), socket.read_to_end(&mut bytes)).await.expect("it is closed");
    let close = bytes.windows(2).rposition(|two| two == [0x88, 2])?;
    Some(u16::from_be_bytes([*bytes.get(close + 2)?, *bytes.get(close + 3)?]))
}

#[tokio::test]
async fn what_can_not_be_read_closes_its_socket_with_the_code_for_it() {
    let relay = Process::start();
    let hello = br#"{"type":"hello","protocol":1}"#;
    let hello = [frame(0x81, hello.len() as u64), hello.to_vec()].concat();
    let cases: [(&str, Vec<u8>, Option<u16>); 9] = [
        ("bad UTF-8", [frame(0x81, 2), vec![0xc3, 0x28]].concat(), Some(1007)),
        ("a frame that says it has 8 EiB", frame(0x81, u64::MAX >> 1), Some(1009)),
        ("a frame that says it has 100 MB", frame(0x81, 100_000_000), Some(1009)),
        ("no mask", vec![0x81, 1, b'x'], Some(1002)),
        ("a reserved bit", [vec![0xc1], vec![0x81, 0, 0, 0, 0, b'x']].concat(), Some(1002)),
        ("a reserved opcode", frame(0x83, 0), Some(1002)),
        ("a ping of 1,000 bytes", [frame(0x89, 1000), vec![0; 1000]].concat(), Some(1002)),
        ("a continuation of nothing", frame(0x80, 0), Some(1002)),
        (
            "a text within a text",
            [frame(0x01, 1), vec![b'x'], frame(0x81, 1), vec![b'x']].concat(),
            Some(1002),
        ),
    ];
    for (what, bytes, code) in cases {
        for greeted in [false, true] {
            let mut socket = raw(relay.address).await;
            if greeted {
                socket.write_all(&hello).await.expect("written");
            }
            socket.write_all(&bytes).await.expect("written");
            assert_eq!(last_word(socket).await, code, "{what}, greeted: {greeted}");
        }
    }
    assert!(Client::connect(relay.address).await.settle().await.len() == 1, "it goes on");
}

/// Opens one more of a kind of attack, and goes on with it until it is told to stop.
async fn attack(kind: usize, address: SocketAddr, stop: Arc<AtomicBool>) {
    let go_on = || !stop.load(Ordering::Relaxed);
    match kind {
        // Heads that never end, and bodies.
        0 => {
            let mut socket = TcpStream::connect(address).await.expect("a connection");
            let head =
                format!("POST /api/chat/send HTTP/1.1\r\nhost: {address}\r\ncontent-length: 100000\r\n\r\n");
            for byte in head.bytes().chain(std::iter::repeat(b'x')) {
                if !go_on() || socket.write_all(&[byte]).await.is_err() {
                    return;
                }
                sleep(Duration::from_millis(20)).await;
            }
        }
        // A half of a frame, and then nothing.
        1 => {
            let mut socket = raw(address).await;
            socket.write_all(&[frame(0x81, 200_000), vec![b' '; 100_000]].concat()).await.expect("written");
            while go_on() {
                sleep(Duration::from_millis(50)).await;
            }
        }
        // Frames that are no JSON, as fast as they are taken, and no answer is read.
        2 => {
            let mut socket = raw(address).await;
            let junk = [frame(0x81, 1), vec![b'{']].concat().repeat(500);
            while go_on() {
                flood(&mut socket, &junk, 50).await;
            }
        }
        // Pings without end.
        3 => {
            let mut socket = raw(address).await;
            let pings = frame(0x89, 0).repeat(500);
            while go_on() {
                flood(&mut socket, &pings, 50).await;
            }
        }
        // Frames as large as can be.
        4 => {
            let mut client = Client::connect(address).await;
            let large = "x".repeat(250_000);
            while go_on() {
                let sent =
                    timeout(Duration::from_millis(200), client.socket.send(Message::text(large.clone())));
                if !matches!(sent.await, Ok(Ok(()))) {
                    sleep(Duration::from_millis(20)).await;
                }
            }
        }
        // Thousands of joins. They are written before: what it costs to make them is none of the relay's.
        5 => {
            let text = |text: String| [frame(0x81, text.len() as u64), text.into_bytes()].concat();
            let join = |_| {
                text(json!({"type": "join_conversation", "conversation_id": id(), "have": {}}).to_string())
            };
            let joins = (0..200).flat_map(join).collect::<Vec<u8>>();
            let mut socket = raw(address).await;
            let hello = text(json!({"type": "hello", "protocol": 1}).to_string());
            socket.write_all(&hello).await.expect("written");
            while go_on() {
                flood(&mut socket, &joins, 50).await;
            }
        }
        // One that asks for long answers and reads none of them.
        _ => {
            let mut client = Client::connect(address).await;
            let room = id();
            client.join(&room).await;
            client.say(&room, "/long").await;
            while go_on() {
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_notice_little_and_memory_is_bounded() {
    let relay = Process::start();
    talk(relay.address).await; // What the first ones warm up is nobody's.
    let before = relay.memory("VmRSS:");
    for kind in 0..7 {
        // A machine that does something else for a while may only make it look worse: one good pair shows what the relay does.
        let mut pairs = Vec::new();
        let is_good = |(quiet, attacked): &(Duration, Duration)| *attacked <= *quiet * 2 + GRAIN;
        while pairs.len() < TRIES && !pairs.iter().any(is_good) {
            let quiet = talk(relay.address).await;
            let stop = Arc::new(AtomicBool::new(false));
            let attacks: Vec<_> =
                (0..30).map(|_| tokio::spawn(attack(kind, relay.address, Arc::clone(&stop)))).collect();
            pairs.push((quiet, talk(relay.address).await));
            stop.store(true, Ordering::Relaxed);
            for attack in attacks {
                let _ = timeout(common::HANG, attack).await.expect("it stops");
            }
        }
        let grown = relay.memory("VmHWM:").saturating_sub(before);
        println!("attack {kind}: p99 in quiet and under it {pairs:?}; {} KiB more", grown / 1024);
        assert!(pairs.iter().any(is_good), "attack {kind}: {pairs:?}");
        assert!(grown < MOST, "attack {kind}: {grown} bytes");
    }
}
