//! What readers that do not read cost the relay: the text, once, and a frame each; not the text each.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::io::BufRead;
use std::process::{Child, Command, Stdio};

use common::{Act, Client, Upstream, delta, done, finish, id, sse_head};

const READERS: usize = 40;
const PIECES: usize = 8192;

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    /// The most memory it ever held, in bytes.
    fn peak(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).expect("a status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1024
    }
}

#[tokio::test]
async fn readers_that_do_not_read_cost_the_text_once() {
    let piece = "0123456789abcde\n".repeat(16);
    let text = piece.len() * PIECES;
    let pieces = (0..PIECES).map(|_| delta(&piece));
    let acts = std::iter::once(sse_head()).chain(pieces).chain([finish(), done()]).map(Act::Write).collect();
    let upstream = Upstream::start(vec![acts]).await;
    let child = Command::new(env!("CARGO_BIN_EXE_riacho-relay"))
        .args(["--port", "0", "--store", ":memory:"])
        .env("OPENAI_BASE_URL", format!("http://{}/v1", upstream.address))
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut relay = Process(child);
    let mut line = String::new();
    std::io::BufReader::new(relay.0.stdout.as_mut().expect("stdout")).read_line(&mut line).expect("a line");
    let address = line.trim().strip_prefix("riacho-relay listening on http://").expect("the line");
    let address = address.trim_end_matches('/').parse().expect("an address");

    let room = id();
    let mut still = Vec::new();
    for _ in 0..READERS {
        let mut client = Client::connect(address).await;
        client.join(&room).await;
        still.push(client);
    }
    let mut quick = Client::connect(address).await;
    quick.join(&room).await;
    let before = relay.peak();
    let (_, reply) = quick.say(&room, "much").await;
    quick.until_end(&reply).await;
    let grown = relay.peak().saturating_sub(before);
    // The text is in the log and in the database in memory, and as it is folded; a queue each would be 40 times the text.
    assert!(grown < text * READERS / 2, "it grew by {grown} bytes for a text of {text}");
    for client in &mut still {
        client.until_whole(&reply).await;
        assert_eq!(client.text(&reply), quick.text(&reply));
    }
    println!("{READERS} readers that did not read, a text of {text} bytes: the relay grew by {grown} bytes");
}
