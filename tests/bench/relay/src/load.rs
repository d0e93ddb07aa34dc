//! The readers: so many runs, so many readers each, and how old each token is when it is there.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use futures_util::future::try_join_all;

use crate::dialect::{Link, Said};
use crate::process::Server;
use crate::source::{Source, TOKEN};

/// Connections that are opened at a time.
const AT_ONCE: usize = 50;
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
    source.set(shape.tokens(), shape.tokens_a_second);
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
    let reading = links.into_iter().map(|(_, reader, link)| read(link, source, reader == 0));
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

/// Reads one answer to its end: the age of each token, and the bytes it took.
async fn read(mut link: Link, source: &Source, asks: bool) -> Result<(Vec<u64>, u64)> {
    let before = link.received();
    if asks {
        link.ask().await?;
    }
    let (mut ages, mut pending) = (Vec::new(), String::new());
    while let Said::Text(text) = link.next().await? {
        // Pieces that were merged are several tokens; all of them came now.
        pending.push_str(&text);
        let whole = pending.len() - pending.len() % TOKEN;
        for token in pending.get(..whole).unwrap_or_default().as_bytes().chunks(TOKEN) {
            let Some(age) = std::str::from_utf8(token).ok().and_then(|token| source.age(token)) else {
                bail!("a token came broken");
            };
            ages.push(age);
        }
        pending.drain(..whole);
    }
    Ok((ages, link.received() - before))
}

/// Memory of a connection that does nothing, in bytes.
pub struct Idle {
    pub connections: usize,
    pub memory: f64,
}

pub async fn idle(server: &Server, connections: usize) -> Result<Idle> {
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

/// The median time, in milliseconds, from the join of one that has nothing to all of a text of so many bytes.
pub async fn resume(server: &Server, source: &Source, bytes: usize, times: usize) -> Result<f64> {
    source.set((bytes / TOKEN) as u64, 0);
    let room = uuid::Uuid::now_v7().to_string();
    let mut first = Link::open(server.dialect, &server.address, &room).await?;
    first.join().await?;
    read(first, source, true).await?;
    let mut took = Vec::new();
    for _ in 0..times {
        let mut link = Link::open(server.dialect, &server.address, &room).await?;
        let started = Instant::now();
        link.join().await?;
        let mut held = 0;
        while held < bytes / TOKEN * TOKEN {
            match link.next().await? {
                Said::Text(text) => held += text.len(),
                Said::End => bail!("it ended with {held} bytes"),
            }
        }
        took.push(u64::try_from(started.elapsed().as_micros())?);
    }
    took.sort_unstable();
    Ok(percentile(&took, 0.5))
}
