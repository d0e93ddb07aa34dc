//! The chat of riacho in the browser: a pure core, and a thin edge that is the only place that knows JavaScript. It deals in
//! messages and their text; what renders them is another module, which the package hands over.

pub mod core;
#[cfg(target_arch = "wasm32")]
mod edge;
