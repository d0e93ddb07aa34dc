//! Many pages that come, ask, drop their line, stop, pause, try again and go, for a while: then nothing of them is left in the relay,
//! and its memory has not grown with their number. `RIACHO_SOAK_MINUTES` says for how long; `cargo xtask soak relay` asks for an hour.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use common::{Act, Client, HANG, Process, Upstream, delta, done, finish, head, id, sse_head};
use fastrand::Rng;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

/// Pages at a time.
const PAGES: usize = 24;
/// The short form.
const SHORT: Duration = Duration::from_secs(20);
/// What the later part may hold more than the earlier: caches that fill and an allocator that keeps what was freed, but not so much a
/// conversation. A leak of 1 KB for each would be several times that within the hour.
const DRIFT: usize = 6 * 1024 * 1024;

/// Answers of a few kinds: long and short, one that breaks off, one that is refused, one that only hangs.
fn answers() -> Vec<Vec<Act>> {
    let mut rng = Rng::with_seed(7);
    let answer = |rng: &mut Rng| -> Vec<Act> {
        let mut acts = vec![Act::Write(sse_head())];
        for n in 0..rng.usize(1..60) {
            acts.push(Act::Write(delta(&format!("palavra {n} 🌊 {}", "x".repeat(rng.usize(0..400))))));
            acts.push(Act::Wait(Duration::from_millis(rng.u64(0..4))));
        }
        match rng.u8(0..10) {
            0 => acts.push(Act::Reset),
            1 => acts.push(Act::Gate),
            2 => return vec![Act::Write(head("500 Oh", ""))],
            _ => acts.extend([finish(), done()].map(Act::Write)),
        }
        acts
    };
    (0..20_000).map(|_| answer(&mut rng)).collect()
}

/// What one page does until it goes. It comes back to a conversation of its own now and then.
async fn page(address: std::net::SocketAddr, rng: &mut Rng, rooms: &mut Vec<String>) -> Option<()> {
    let mut client = Client::reconnect(address, HashMap::new()).await?;
    let known = rng.choice(rooms.to_vec());
    let room = known.filter(|_| rng.u8(0..3) == 0).unwrap_or_else(id);
    client.join(&room).await;
    let (_, reply) = client.say(&room, "pergunta").await;
    let about = |kind: &str| json!({"type": kind, "message_id": reply, "epoch": 0});
    client.some(rng.usize(0..30)).await;
    match rng.u8(0..8) {
        // The line drops; what is asked goes on.
        0 | 1 => return Some(()),
        2 => client.send(about("stop")).await,
        3 => client.send(about("pause")).await,
        4 => {
            client.send(about("stop")).await;
            client.settle().await;
            client.send(about("retry")).await;
        }
        5 => {
            client.send(json!({"type": "list_conversations"})).await;
            client.join(&id()).await;
        }
        _ => {}
    }
    client.some(rng.usize(0..60)).await;
    client.send(about("stop")).await;
    client.settle().await;
    if rooms.len() >= 4 {
        rooms.remove(0);
    }
    rooms.push(room);
    Some(())
}

async fn metric(address: std::net::SocketAddr, name: &str) -> u64 {
    let text = reqwest::get(format!("http://{address}/metrics"))
        .await
        .expect("an answer")
        .text()
        .await
        .expect("text");
    let line =
        text.lines().find_map(|line| line.strip_prefix(&format!("{name} "))).expect("the metric").to_owned();
    line.trim().parse().expect("a number")
}

/// Nothing of anyone is left: no socket, no answer, no file.
async fn assert_quiet(relay: &Process, files: usize) {
    let quiet = async {
        loop {
            let (sockets, live) = (
                metric(relay.address, "riacho_sockets").await,
                metric(relay.address, "riacho_answers_live").await,
            );
            // The connections of this test to the metrics, and those to the upstream that wait to be used again.
            if sockets == 0 && live == 0 && relay.open_files() <= files {
                return;
            }
            sleep(Duration::from_millis(500)).await;
        }
    };
    if timeout(2 * HANG, quiet).await.is_err() {
        let (sockets, live) = (
            metric(relay.address, "riacho_sockets").await,
            metric(relay.address, "riacho_answers_live").await,
        );
        panic!(
            "{sockets} sockets, {live} answers and {} files are left; {files} were open before",
            relay.open_files()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_of_those_that_came_and_went() {
    let minutes = std::env::var("RIACHO_SOAK_MINUTES").ok().and_then(|text| text.parse::<u64>().ok());
    let length = minutes.map_or(SHORT, |minutes| Duration::from_secs(60 * minutes));
    let folder = tempfile::tempdir().expect("a folder");
    let upstream = Upstream::start(answers()).await;
    let relay = Process::start(&folder.path().join("relay.db"), |command| {
        command.env("OPENAI_BASE_URL", format!("http://{}/v1", upstream.address)).env("RIACHO_LOG", "error");
        // What hangs is given up; what nobody reads as well.
        command.args([
            "--retries",
            "0",
            "--between-tokens-timeout",
            "2000",
            "--unread-after",
            "5",
            "--max-runs",
            "0",
        ]);
    });
    metric(relay.address, "riacho_sockets").await;
    let files = relay.open_files() + 8;
    let address = relay.address;
    let (started, mut samples) = (Instant::now(), Vec::new());
    let pages = (0..PAGES).map(|seed| {
        tokio::spawn(async move {
            let (mut rng, mut rooms, mut count) = (Rng::with_seed(seed as u64), Vec::new(), 0_usize);
            while started.elapsed() < length {
                page(address, &mut rng, &mut rooms).await.expect("the relay is there");
                count += 1;
            }
            count
        })
    });
    let pages: Vec<_> = pages.collect();
    while started.elapsed() < length {
        sleep(length / 100).await;
        samples.push(relay.memory("RssAnon:"));
    }
    let mut count = 0;
    for page in pages {
        count += page.await.expect("a page");
    }
    assert_quiet(&relay, files).await;
    // The first third is for caches to fill.
    let third = samples.len() / 3;
    let mean = |part: &[usize]| part.iter().sum::<usize>() / part.len();
    let (middle, last) = (mean(&samples[third..2 * third]), mean(&samples[2 * third..]));
    let end: Value = json!({"pages": count, "seconds": started.elapsed().as_secs(), "memory in the second third": middle,
        "in the last third": last, "at the end": relay.memory("RssAnon:")});
    println!("{end}");
    assert!(count > PAGES, "they came and went: {count}");
    assert!(last <= middle + DRIFT, "the memory grows: {end}");
}
