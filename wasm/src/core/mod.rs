//! The pure part: no JavaScript, no clock, no randomness; time and random numbers are arguments.
//!
//! [`client`] is the one composing type. It calls the leaves (registry, router, sweeper, reconnect, engine, policy);
//! the leaves do not call each other, but for the engine, which builds its tree through the policy.

pub mod client;
pub mod engine;
pub mod event;
pub mod fence;
pub mod foreign;
pub mod ids;
pub mod message;
mod pattern;
pub mod policy;
pub mod reconnect;
pub mod registry;
pub mod router;
pub mod sweeper;

/// Milliseconds of a clock that never goes back. Who calls says what time it is.
pub type Millis = u64;
