//! What each module of riacho needs of the browser, whatever else it does: when to draw, what time it is, how an error looks,
//! who hears of its end, and the tape of `riacho/debug` in the place of all that.
//!
//! Nothing here knows a message, a text or an element.

pub mod ids;

#[cfg(target_arch = "wasm32")]
mod clock;
#[cfg(target_arch = "wasm32")]
pub mod death;
#[cfg(target_arch = "wasm32")]
pub mod error;
#[cfg(target_arch = "wasm32")]
pub mod frames;
#[cfg(target_arch = "wasm32")]
pub mod utf16;
#[cfg(target_arch = "wasm32")]
pub mod world;

#[cfg(test)]
#[cfg(target_arch = "wasm32")]
mod tests;
