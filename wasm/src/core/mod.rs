//! The pure part: no JavaScript, no clock, no randomness. The engine builds its tree through the policy.

pub mod engine;
mod pattern;
pub mod policy;
