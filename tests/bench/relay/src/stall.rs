//! Readers that stop in the middle of an answer: what they cost the server while they do, and what they have in the end.
//!
//! The kernel holds little for them (`Link::narrow`), and an answer is longer than what it holds for the server: what they do not read
//! is the server's to keep, or to lose.

use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::future::try_join_all;

use crate::dialect::{Link, Said};
use crate::load::read;
use crate::process::{Peer, Server};
use crate::source::Source;

const TOKENS_A_SECOND: u64 = 2_000;
/// Bytes: the text that comes while they stand still is three times what the kernel holds for one connection.
const WIDTH: usize = 512;
/// What comes before they stop, and after they go on.
const BEFORE_AND_AFTER: u64 = 2;

/// What became of it.
#[derive(Clone, Copy)]
pub struct Stall {
    pub readers: usize,
    pub seconds: u64,
    /// Of them, who had in the end what the one had that read all the time.
    pub whole: usize,
    /// Of the tokens that they should have had, the part that never came.
    pub lost: f64,
    /// The memory that one of them cost, in bytes, above a run of which all is read.
    pub memory: f64,
    /// Bytes of the text.
    pub text: u64,
}

/// Streams one answer to one reader that reads, and to so many that stop for so long. None: it was not through in time.
pub async fn measure(peer: &Peer, source: &Source, readers: usize, seconds: u64) -> Result<Option<Stall>> {
    let Some((none, _)) = run(peer, source, 0, seconds).await? else { return Ok(None) };
    let Some((grown, texts)) = run(peer, source, readers, seconds).await? else { return Ok(None) };
    let tokens = TOKENS_A_SECOND * (seconds + BEFORE_AND_AFTER);
    let (first, stopped) = texts.split_first().context("nobody read")?;
    let came: u64 = stopped.iter().map(|text| text.tokens).sum();
    Ok(Some(Stall {
        readers,
        seconds,
        whole: stopped.iter().filter(|text| *text == first).count(),
        lost: 1.0 - came as f64 / (tokens * readers as u64) as f64,
        memory: (grown - none).max(0.0) / readers as f64,
        text: tokens * WIDTH as u64,
    }))
}

/// What one has read: how much, and a sum that depends on each token and its place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Read {
    tokens: u64,
    sum: u64,
}

impl Read {
    fn add(&mut self, token: &str) {
        self.tokens += 1;
        // FNV-1a.
        let mix = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        self.sum = token.bytes().fold(self.sum, mix);
    }
}

/// How much the server grew, and what each has read: first the one that read all the time.
async fn run(peer: &Peer, source: &Source, readers: usize, seconds: u64) -> Result<Option<(f64, Vec<Read>)>> {
    let server = Server::start(peer, source).await?;
    let tokens = TOKENS_A_SECOND * (seconds + BEFORE_AND_AFTER);
    source.set(tokens, TOKENS_A_SECOND, WIDTH);
    let room = uuid::Uuid::now_v7().to_string();
    let mut reads = Link::open(server.dialect, &server.address, &room).await?;
    reads.join().await?;
    let mut stops = Vec::new();
    for _ in 0..readers {
        let mut link = Link::narrow(server.dialect, &server.address, &room).await?;
        link.join().await?;
        stops.push(link);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = server.memory("VmRSS:")?;
    reads.ask().await?;
    let reading = async {
        let mut all = Read::default();
        read(&mut reads, source, |token| {
            all.add(token);
            Ok(())
        })
        .await?;
        anyhow::Ok(all)
    };
    let stopping = try_join_all(stops.into_iter().map(|mut link| async move {
        let first = loop {
            match link.next().await? {
                Said::Text(text) => break text,
                Said::End => {}
            }
        };
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        link.widen()?;
        let (mut all, mut first) = (Read::default(), Some(first));
        // The first piece holds whole tokens: each was written in one go.
        for token in first.take().unwrap_or_default().as_bytes().chunks(WIDTH) {
            all.add(std::str::from_utf8(token)?);
        }
        read(&mut link, source, |token| {
            all.add(token);
            Ok(())
        })
        .await?;
        anyhow::Ok(all)
    }));
    let limit = Duration::from_secs(seconds * 5 + 20);
    let both = async { tokio::try_join!(reading, stopping) };
    let Ok(both) = tokio::time::timeout(limit, both).await else { return Ok(None) };
    let (first, stopped) = both?;
    let grown = server.memory("VmHWM:")? - before;
    Ok(Some((grown, std::iter::once(first).chain(stopped).collect())))
}
