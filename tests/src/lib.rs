//! The harness of the tests that cross the pieces. What a test asserts is in tests/; what it needs for that is here.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a harness fails its test by panicking"
)]

pub mod frames;
pub mod link;
pub mod upstream;

use std::time::Duration;

/// How long a test waits for something that must happen. Machines are noisy: this bounds a hang, it measures nothing.
pub const PATIENCE: Duration = Duration::from_secs(60);
