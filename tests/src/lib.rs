//! The harness of the tests that cross the pieces. What a test asserts is in tests/; what it needs for that is here.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a harness fails its test by panicking"
)]

#[cfg(feature = "e2e")]
pub mod browser;
#[cfg(feature = "e2e")]
pub mod built;
pub mod chunked;
pub mod frames;
pub mod link;
#[cfg(feature = "e2e")]
pub mod node;
pub mod oracle;
#[cfg(feature = "e2e")]
pub mod pack;
#[cfg(feature = "e2e")]
pub mod page;
#[cfg(feature = "e2e")]
pub mod process;
#[cfg(feature = "e2e")]
pub mod relay;
#[cfg(feature = "e2e")]
pub mod scene;
#[cfg(feature = "e2e")]
pub mod stage;
pub mod upstream;
#[cfg(feature = "e2e")]
pub mod wild;
#[cfg(feature = "e2e")]
pub mod witness;

use std::time::Duration;

/// How long a test waits for something that must happen. Machines are noisy: this bounds a hang, it measures nothing.
pub const PATIENCE: Duration = Duration::from_secs(60);
