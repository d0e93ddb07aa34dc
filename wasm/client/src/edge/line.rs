//! One WebSocket, as Rust sees it. Dropping it closes the socket.
//!
//! In JavaScript, where the streams, sinks and promises around four events weigh nothing.

use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::Tell;

#[wasm_bindgen(module = "/src/edge/browser.js")]
extern "C" {
    #[wasm_bindgen(js_name = Line)]
    type Socket;
    #[wasm_bindgen(constructor, js_class = Line)]
    fn new(url: &str, token: Option<&Function>, tell: &Tell) -> Socket;
    #[wasm_bindgen(method)]
    fn send(this: &Socket, text: &str);
    #[wasm_bindgen(method)]
    fn leave(this: &Socket);
}

/// A socket, or the fetch of the token for it.
#[must_use = "a socket closes when it is dropped"]
pub struct Line(Socket);

impl Line {
    /// Fetches a token where the page gives one, then opens. All that comes of it is told, `closed` last.
    pub fn open(url: &str, token: Option<&Function>, tell: &Tell) -> Self {
        Self(Socket::new(url, token, tell))
    }

    /// A socket that is closing loses it, and `closed` follows.
    pub fn send(&self, text: &str) {
        self.0.send(text);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.0.leave();
    }
}
