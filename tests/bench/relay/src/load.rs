//! The readers: so many runs, so many readers each, and how old each token is when it is there.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;

use crate::dialect::{Dialect, Link, Said};
use crate::process::{Peer, Server};
use crate::source::{Source, TOKEN};

/// Connections that are opened at a time.
const AT_ONCE: usize = 50;
/// After this a server is given up.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a server may need to become quiet again.
const SETTLE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub runs: usize,
    pub readers: usize,
    pub tokens_a_second: u64,
    pub seconds: u64,
}

impl Shape {
    fn tokens(&self) -> u64 {
        self.tokens_a_second * self.seconds
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {} at {} tokens/s", self.runs, self.readers, self.tokens_a_second)
    }
}

/// What one shape cost.
#[derive(Clone, Copy)]
pub struct Load {
    /// CPU seconds of the server for a million tokens delivered.
    pub cpu: f64,
    /// From the provider's write to the reader's receipt, in milliseconds.
    pub p50: f64,
    pub p99: f64,
    /// Bytes on the wire a token.
    pub bytes: f64,
    /// The most it grew, a reader, in bytes.
    pub memory: f64,
    /// Tokens that never came.
    pub lost: u64,
}

/// Streams a shape through a server. None: it was not through in several times the time that it should take.
pub async fn run(server: &Server, source: &Source, shape: Shape) -> Result<Option<Load>> {
    source.set(shape.tokens(), shape.tokens_a_second, TOKEN);
    let mut links = Vec::new();
    for run in 0..shape.runs {
        let room = uuid::Uuid::now_v7().to_string();
        for reader in 0..shape.readers {
            let mut link = Link::open(server.dialect, &server.address, &room).await?;
            link.join().await?;
            links.push((run, reader, link));
        }
    }
    tokio::time::sleep(SETTLE).await;
    let (cpu, memory) = (server.cpu()?, server.memory("VmRSS:")?);
    let limit = Duration::from_secs(shape.seconds * 4 + 30);
    let reading = links.into_iter().map(|(_, reader, mut link)| async move {
        let before = link.received();
        if reader == 0 {
            link.ask().await?;
        }
        let mut ages = Vec::new();
        read(&mut link, source, |token| {
            ages.push(source.age(token).context("a token came broken")?);
            Ok(())
        })
        .await?;
        anyhow::Ok((ages, link.received() - before))
    });
    let Ok(read) = tokio::time::timeout(limit, try_join_all(reading)).await else { return Ok(None) };
    let read = read?;
    let cpu = server.cpu()? - cpu;
    let grown = server.memory("VmHWM:")? - memory;

    let mut ages: Vec<u64> = read.iter().flat_map(|(ages, _)| ages.iter().copied()).collect();
    ages.sort_unstable();
    let bytes: u64 = read.iter().map(|(_, bytes)| bytes).sum();
    let wanted = shape.tokens() * (shape.runs * shape.readers) as u64;
    let delivered = ages.len() as f64;
    Ok(Some(Load {
        cpu: cpu / delivered * 1e6,
        p50: percentile(&ages, 0.5),
        p99: percentile(&ages, 0.99),
        bytes: bytes as f64 / delivered,
        memory: grown.max(0.0) / (shape.runs * shape.readers) as f64,
        lost: wanted.saturating_sub(ages.len() as u64),
    }))
}

fn percentile(sorted: &[u64], part: f64) -> f64 {
    let at = (sorted.len() as f64 * part) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).map_or(0.0, |micros| *micros as f64 / 1e3)
}

impl Load {
    /// Of several rounds: of each figure the one in the middle.
    pub fn median(rounds: &[Load]) -> Option<Load> {
        let middle = |of: fn(&Load) -> f64| {
            let mut all: Vec<f64> = rounds.iter().map(of).collect();
            all.sort_by(f64::total_cmp);
            all.get(all.len() / 2).copied()
        };
        Some(Load {
            cpu: middle(|load| load.cpu)?,
            p50: middle(|load| load.p50)?,
            p99: middle(|load| load.p99)?,
            bytes: middle(|load| load.bytes)?,
            memory: middle(|load| load.memory)?,
            lost: rounds.iter().map(|load| load.lost).max()?,
        })
    }
}

/// Reads one answer to its end, and gives each token of it.
pub async fn read(link: &mut Link, source: &Source, mut token: impl FnMut(&str) -> Result<()>) -> Result<()> {
    let (width, mut pending) = (source.width(), String::new());
    while let Said::Text(text) = link.next().await? {
        // Pieces that were merged are several tokens; all of them came now.
        pending.push_str(&text);
        let whole = pending.len() - pending.len() % width;
        for piece in pending.get(..whole).unwrap_or_default().as_bytes().chunks(width) {
            token(std::str::from_utf8(piece)?)?;
        }
        pending.drain(..whole);
    }
    Ok(())
}

/// Memory of a connection that does nothing, in bytes.
pub struct Idle {
    pub connections: usize,
    pub memory: f64,
}

/// None: so many could not be opened in time.
pub async fn idle(server: &Server, connections: usize) -> Result<Option<Idle>> {
    tokio::time::timeout(PATIENCE, idle_at(server, connections)).await.ok().transpose()
}

async fn idle_at(server: &Server, connections: usize) -> Result<Idle> {
    // What the first connections warm up is not theirs.
    for _ in 0..AT_ONCE {
        Link::open(server.dialect, &server.address, "warm").await?;
    }
    tokio::time::sleep(SETTLE).await;
    let before = server.memory("VmRSS:")?;
    let mut links = Vec::with_capacity(connections);
    while links.len() < connections {
        let more = AT_ONCE.min(connections - links.len());
        let opened =
            try_join_all((0..more).map(|_| Link::open(server.dialect, &server.address, "idle"))).await?;
        links.extend(opened.into_iter().map(|link| tokio::spawn(link.rest())));
    }
    tokio::time::sleep(SETTLE).await;
    let memory = (server.memory("VmRSS:")? - before) / connections as f64;
    ensure!(links.iter().all(|link| !link.is_finished()), "some of them were closed");
    links.iter().for_each(tokio::task::JoinHandle::abort);
    Ok(Idle { connections, memory })
}

/// What coming back to a text takes.
#[derive(Clone, Copy)]
pub enum Resumed {
    /// Milliseconds: of several times the one in the middle.
    In(f64),
    KeepsNothing,
    NotInTime,
}

/// The time from coming back to all of a text of so many bytes.
pub async fn resume(peer: &Peer, source: &Source, bytes: usize, times: usize) -> Result<Resumed> {
    let Some(server) = Server::that_keeps(peer, source).await? else { return Ok(Resumed::KeepsNothing) };
    match tokio::time::timeout(PATIENCE, resume_at(&server, source, bytes, times)).await {
        Ok(took) => took.map(Resumed::In),
        Err(_) => Ok(Resumed::NotInTime),
    }
}

async fn resume_at(server: &Server, source: &Source, bytes: usize, times: usize) -> Result<f64> {
    let room = uuid::Uuid::now_v7().to_string();
    let open = || async {
        let mut link = Link::open(server.dialect, &server.address, &room).await?;
        link.join().await?;
        anyhow::Ok(link)
    };
    // They were there, and have something to go on from.
    source.set(1, 0, TOKEN);
    let mut asks = open().await?;
    let mut were_there = Vec::new();
    for _ in 0..times {
        were_there.push(open().await?);
    }
    asks.ask().await?;
    let mut sessions = Vec::new();
    for mut link in were_there {
        read(&mut link, source, |_| Ok(())).await?;
        sessions.push(link.session());
    }
    read(&mut asks, source, |_| Ok(())).await?;
    tokio::time::sleep(SETTLE).await;
    source.set((bytes / TOKEN) as u64, 0, TOKEN);
    asks.ask().await?;
    read(&mut asks, source, |_| Ok(())).await?;
    drop(asks);
    tokio::time::sleep(SETTLE).await;
    let mut took = Vec::new();
    for session in sessions {
        let started = Instant::now();
        let mut link = Link::again(server.dialect, &server.address, &room, session).await?;
        if server.dialect == Dialect::Riacho {
            link.join().await?;
        }
        let mut held = 0;
        while held < bytes / TOKEN * TOKEN {
            match link.next().await? {
                Said::Text(text) => held += text.len(),
                // Of the answer before.
                Said::End => {}
            }
        }
        took.push(u64::try_from(started.elapsed().as_micros())?);
    }
    took.sort_unstable();
    Ok(percentile(&took, 0.5))
}
