//! The only place of the client that knows JavaScript: the elements of a chat, its socket, timers, storage, and what is
//! exported. It decides nothing.

mod driver;
mod error;
mod exports;
mod line;
mod page;
mod storage;
mod tab;

#[cfg(test)]
mod tests;

/// Hears what happens in the browser: its name, and what belongs to it.
type Tell = wasm_bindgen::closure::Closure<dyn Fn(String, wasm_bindgen::JsValue)>;
