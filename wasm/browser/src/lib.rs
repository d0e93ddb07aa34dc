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

/// Smaller, and quicker at small pieces of text, than the one of the standard library (docs/SIZE.md).
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

#[cfg(test)]
#[cfg(target_arch = "wasm32")]
mod tests;
