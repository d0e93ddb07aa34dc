//! Markdown as it comes, on the page: a pure core, and a thin edge that is the only place that knows JavaScript.

// Plain builds have no need of it, and stay with stable Rust: xtask sets the cfg.
#![cfg_attr(riacho_module, feature(optimize_attribute))]

pub mod core;
#[cfg(target_arch = "wasm32")]
pub mod edge;

// The tests' oracle names this crate.
#[cfg(all(test, target_arch = "wasm32"))]
extern crate self as riacho_wasm;
