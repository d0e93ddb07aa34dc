//! The wire of riacho: what one page and one relay say to each other. No I/O, no async, no clock.
//!
//! One JSON object a WebSocket text frame, `{"type": "...", ...}`, names in snake_case. `docs/PROTOCOL.md` is the
//! prose of this crate, and `cargo xtask tidy` fails when a frame is missing there.

#[cfg(feature = "serde")]
mod bridge;
mod client;
mod codec;
mod error;
mod ids;
pub mod json;
mod limits;
mod map;
mod message;
mod number;
mod preferences;
mod server;

pub use client::*;
pub use codec::DecodeError;
pub use error::{ErrorCode, UnknownCode};
pub use ids::{ConversationId, IdError, MAX_ID_BYTES, MessageId};
pub use limits::Limits;
pub use map::Map;
pub use message::*;
pub use number::Number;
pub use preferences::{OTHER, PREFERENCES, Preferences};
pub use server::*;

/// The version that `hello` and `welcome` carry. It changes only when an old peer could misread a new one.
pub const PROTOCOL_VERSION: u32 = 1;
