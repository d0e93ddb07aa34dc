//! What compression would spare: the relay's own frames of a real answer, as they are and through permessage-deflate (RFC 7692) with
//! its context kept from frame to frame, by how much of the text is in a frame.

use std::time::Instant;

use anyhow::{Result, ensure};
use flate2::{Compress, Compression, FlushCompress, Status};
use serde_json::json;

/// An answer as models write them: prose, lists, a table, code.
const ANSWER: &str = include_str!("../../../../relay/src/providers/demo/tour.md");
/// How often it is measured, each time with a new context: long enough that the clock can tell.
const TIMES: usize = 20;
/// Bytes of the head of a frame from a server.
const HEAD: usize = 2;
const LONG_HEAD: usize = 4;
/// Characters in a frame: a token, what comes in 100 ms at 50 tokens a second, and a catch-up.
const PIECES: [usize; 3] = [4, 20, 16_384];

/// One size of frames.
pub struct Saving {
    pub characters: usize,
    /// Bytes on the wire for each byte of text.
    pub plain: f64,
    pub deflated: f64,
    /// Microseconds of CPU a frame.
    pub cost: f64,
}

pub fn measure() -> Result<Vec<Saving>> {
    PIECES.into_iter().map(saving).collect()
}

fn saving(characters: usize) -> Result<Saving> {
    let text: Vec<char> = ANSWER.chars().collect();
    let (conversation, message) = (uuid::Uuid::now_v7().to_string(), uuid::Uuid::now_v7().to_string());
    let (mut offset, mut frames) = (0, Vec::new());
    for piece in text.chunks(characters) {
        let content: String = piece.iter().collect();
        let length = content.len();
        let frame = json!({"type": "message_chunk", "conversation_id": conversation, "message_id": message, "epoch": 0,
            "offset": offset, "content": content});
        frames.push(frame.to_string());
        offset += length;
    }
    let plain: usize = frames.iter().map(|frame| frame.len() + head(frame.len())).sum();
    let started = Instant::now();
    let mut deflated = 0;
    for _ in 0..TIMES {
        deflated = compress(&frames)?;
    }
    let cost = started.elapsed().as_secs_f64() * 1e6 / (frames.len() * TIMES) as f64;
    let each = |bytes: usize| bytes as f64 / offset as f64;
    Ok(Saving { characters, plain: each(plain), deflated: each(deflated), cost })
}

/// Bytes on the wire of all frames, through one context.
fn compress(frames: &[String]) -> Result<usize> {
    let mut deflate = Compress::new(Compression::fast(), false);
    let mut sent = 0;
    for frame in frames {
        let mut out = Vec::with_capacity(frame.len() + 64);
        let status = deflate.compress_vec(frame.as_bytes(), &mut out, FlushCompress::Sync)?;
        ensure!(status == Status::Ok && out.len() < out.capacity(), "a frame did not fit");
        // RFC 7692, section 7.2.1: the last four bytes are not sent.
        let length = out.len().saturating_sub(4);
        sent += length + head(length);
    }
    Ok(sent)
}

fn head(length: usize) -> usize {
    if length < 126 { HEAD } else { LONG_HEAD }
}
