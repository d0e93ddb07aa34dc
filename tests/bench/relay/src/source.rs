//! The provider: Chat Completions over HTTP, whose tokens are the times at which they are written.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::time::MissedTickBehavior;

/// Bytes of a token at least: microseconds since the start, in hexadecimal digits. A longer one is filled up.
pub const TOKEN: usize = 16;

/// What the next answers are like.
struct Pace {
    tokens: AtomicU64,
    /// Between two of them, in nanoseconds; 0 is as fast as can be.
    gap: AtomicU64,
    /// Bytes of each.
    width: AtomicUsize,
}

pub struct Source {
    pub address: SocketAddr,
    pace: Arc<Pace>,
    began: Instant,
}

impl Source {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let pace = Arc::new(Pace {
            tokens: AtomicU64::new(0),
            gap: AtomicU64::new(0),
            width: AtomicUsize::new(TOKEN),
        });
        let began = Instant::now();
        let router =
            Router::new().route("/v1/chat/completions", post(answer)).with_state((Arc::clone(&pace), began));
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, pace, began })
    }

    /// Answers from now on: so many tokens, so many a second, or 0 for as fast as can be, of so many bytes each.
    pub fn set(&self, tokens: u64, tokens_a_second: u64, width: usize) {
        self.pace.width.store(width.max(TOKEN), Ordering::Relaxed);
        self.pace.tokens.store(tokens, Ordering::Relaxed);
        let gap = 1_000_000_000_u64.checked_div(tokens_a_second).unwrap_or_default();
        self.pace.gap.store(gap, Ordering::Relaxed);
    }

    /// Bytes of a token.
    pub fn width(&self) -> usize {
        self.pace.width.load(Ordering::Relaxed)
    }

    /// Microseconds since a token was written.
    pub fn age(&self, token: &str) -> Option<u64> {
        let written = u64::from_str_radix(token.get(..TOKEN)?, 16).ok()?;
        Some(micros(self.began).saturating_sub(written))
    }
}

fn micros(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX)
}

async fn answer(State((pace, began)): State<(Arc<Pace>, Instant)>) -> Response {
    let (tokens, gap) = (pace.tokens.load(Ordering::Relaxed), pace.gap.load(Ordering::Relaxed));
    let fill: Arc<str> = "x".repeat(pace.width.load(Ordering::Relaxed) - TOKEN).into();
    let ticks = (gap > 0).then(|| {
        let mut ticks = tokio::time::interval(Duration::from_nanos(gap));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        ticks
    });
    let events = futures_util::stream::unfold((0, ticks, fill), move |(n, mut ticks, fill)| async move {
        if n > tokens {
            return None;
        }
        if n == tokens {
            let end = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
            return Some((Ok::<_, Infallible>(Bytes::from_static(end.as_bytes())), (n + 1, ticks, fill)));
        }
        if let Some(ticks) = &mut ticks {
            ticks.tick().await;
        }
        let event = format!(
            "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{{\"index\":0,\
             \"delta\":{{\"content\":\"{:016x}{fill}\"}},\"finish_reason\":null}}]}}\n\n",
            micros(began)
        );
        Some((Ok(Bytes::from(event)), (n + 1, ticks, fill)))
    });
    ([("content-type", "text/event-stream")], Body::from_stream(events)).into_response()
}
