//! The real binary behind a bad line: cuts, delays, messages sent twice, slow readers, and kill -9. Each world has a seed, which is printed;
//! `RIACHO_SEED` runs one again, `RIACHO_FAULT_SEEDS` says how many there are.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Act, Client, HANG, Held, Process, Upstream, delta, finish, id, sse_head};
use fastrand::Rng;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

const SEEDS: u64 = 20;
const PIECES: usize = 150;
const ROOMS: usize = 4;

/// A line that is slow at times, and breaks after some bytes.
async fn bad_line(to: Arc<Mutex<SocketAddr>>, mut rng: Rng) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let relay = *to.lock().expect("the address");
            let (life, mut one, mut two) = (rng.usize(2_000..60_000), rng.fork(), rng.fork());
            tokio::spawn(async move {
                let Ok(relay) = TcpStream::connect(relay).await else { return };
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_relay, mut to_relay) = relay.into_split();
                // Whichever ends first, both go: the line is cut.
                tokio::select! {
                    () = carry(&mut from_client, &mut to_relay, usize::MAX, &mut one) => {}
                    () = carry(&mut from_relay, &mut to_client, life, &mut two) => {}
                }
            });
        }
    });
    address
}

async fn carry(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    life: usize,
    rng: &mut Rng,
) {
    let (mut buffer, mut carried) = ([0; 700], 0);
    while carried < life {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
        if rng.u8(0..10) == 0 {
            sleep(Duration::from_millis(rng.u64(0..12))).await;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
        carried += read;
    }
}

/// A page: it comes back when the line breaks, sends again what it has no receipt for, and reads until it has it all.
struct Page {
    line: SocketAddr,
    rooms: Vec<String>,
    /// What it says in each room: the frame, and the id of the answer.
    says: Vec<(Value, String)>,
    waits_for: Vec<String>,
    slow: bool,
}

impl Page {
    async fn run(self, mut rng: Rng) -> HashMap<String, Held> {
        let mut log = HashMap::new();
        loop {
            let Some(mut client) = Client::reconnect(self.line, std::mem::take(&mut log)).await else {
                sleep(Duration::from_millis(20)).await;
                continue;
            };
            let whole = self.session(&mut client, &mut rng).await;
            log = client.log;
            if whole.is_some() {
                return log;
            }
            sleep(Duration::from_millis(rng.u64(0..30))).await;
        }
    }

    /// `None` when the line broke.
    async fn session(&self, client: &mut Client, rng: &mut Rng) -> Option<()> {
        for room in &self.rooms {
            let have: serde_json::Map<String, Value> = client
                .log
                .iter()
                .map(|(id, held)| (id.clone(), json!({"epoch": held.epoch, "offset": held.text.len()})))
                .collect();
            client
                .try_send(json!({"type": "join_conversation", "conversation_id": room, "have": have}))
                .await?;
            let mut joined = false;
            while !joined {
                joined = client.next_or_close().await.ok()?["type"] == "conversation_joined";
            }
        }
        for (frame, reply) in &self.says {
            if !client.log.contains_key(reply) {
                client.try_send(frame.clone()).await?;
                if rng.bool() {
                    client.try_send(frame.clone()).await?;
                }
            }
        }
        while !self.waits_for.iter().all(|reply| client.log.get(reply).is_some_and(Held::is_whole)) {
            client.next_or_close().await.ok()?;
            if self.slow && rng.u8(0..20) == 0 {
                sleep(Duration::from_millis(rng.u64(0..60))).await;
            }
        }
        Some(())
    }
}

async fn world(seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let folder = tempfile::tempdir().expect("a folder");
    let pieces: Vec<String> =
        (0..PIECES).map(|n| format!("{n} água 🌊 {}\n", "x".repeat(rng.usize(0..60)))).collect();
    let whole: String = pieces.concat();
    let acts = std::iter::once(Act::Write(sse_head()))
        .chain(
            pieces.iter().flat_map(|piece| [Act::Write(delta(piece)), Act::Wait(Duration::from_millis(4))]),
        )
        .chain([Act::Write(finish())])
        .collect();
    let upstream = Upstream::start(vec![acts]).await;
    let store = folder.path().join("relay.db");
    let mut relay = Process::asking(&store, &upstream);
    let address = Arc::new(Mutex::new(relay.address));
    let line = bad_line(Arc::clone(&address), rng.fork()).await;

    let rooms: Vec<String> = (0..ROOMS).map(|_| id()).collect();
    let mut says = BTreeMap::new();
    for room in &rooms {
        let (message, reply) = (id(), id());
        let frame = json!({"type": "send_message", "conversation_id": room, "message_id": message, "reply_id": reply,
            "content": format!("question of {room}")});
        says.insert(room.clone(), (frame, reply));
    }
    let replies: Vec<String> = says.values().map(|(_, reply)| reply.clone()).collect();
    let pages = (0..4).map(|n| {
        let says = if n == 0 { says.values().cloned().collect() } else { Vec::new() };
        let page = Page { line, rooms: rooms.clone(), says, waits_for: replies.clone(), slow: n == 3 };
        tokio::spawn(page.run(rng.fork()))
    });
    let pages: Vec<_> = pages.collect();

    let kills = if rng.bool() { rng.usize(1..3) } else { 0 };
    for _ in 0..kills {
        sleep(Duration::from_millis(rng.u64(100..500))).await;
        drop(relay); // With kill -9.
        relay = Process::asking(&store, &upstream);
        *address.lock().expect("the address") = relay.address;
    }
    let mut logs = Vec::new();
    for page in pages {
        logs.push(timeout(HANG, page).await.expect("it hangs").expect("it failed"));
    }
    for log in &logs {
        for (room, (frame, reply)) in &says {
            let held = &log[reply];
            assert!(whole.starts_with(&held.text), "not what was written");
            match held.status.as_str() {
                "completed" => assert_eq!(held.text, whole),
                "interrupted" => assert!(kills > 0, "interrupted, and nobody killed it"),
                other => panic!("an answer is {other}"),
            }
            assert_eq!(held.text, logs[0][reply].text, "two pages differ");
            let said = &log[frame["message_id"].as_str().expect("an id")];
            assert_eq!(said.text, format!("question of {room}"));
        }
        assert_eq!(log.len(), 2 * ROOMS, "a message too many");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_page_has_all_of_it_at_the_end() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("RIACHO_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("RIACHO_FAULT_SEEDS").unwrap_or(SEEDS),
    };
    for seed in seeds {
        let world = tokio::spawn(world(seed)).await;
        assert!(world.is_ok(), "seed {seed}: run it again with RIACHO_SEED={seed}");
    }
}
