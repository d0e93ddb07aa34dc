//! The pure part: no JavaScript, no clock, no randomness; time and random numbers are arguments.
//!
//! [`client`] is the one composing type. It calls the leaves (registry, router, sweeper, reconnect, fence); the leaves do not
//! call each other. Nothing here knows markdown, or what of it is safe.

pub mod client;
pub mod event;
pub mod fence;
pub mod foreign;
pub mod message;
pub mod reconnect;
pub mod registry;
pub mod router;
pub mod sweeper;

/// Milliseconds of a clock that never goes back. Who calls says what time it is.
pub type Millis = u64;
