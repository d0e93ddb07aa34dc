//! riacho in the browser: a pure core, and a thin edge that is the only place that knows JavaScript.

pub mod core;
#[cfg(target_arch = "wasm32")]
mod edge;
