//! The tab, as Rust sees it: whether it is looked at, its network, and one timer. Dropping it ends all that.

use wasm_bindgen::prelude::*;

use super::Tell;

#[wasm_bindgen(module = "/src/edge/browser.js")]
extern "C" {
    #[wasm_bindgen(js_name = Tab)]
    type Events;
    #[wasm_bindgen(constructor, js_class = Tab)]
    fn new(tell: &Tell) -> Events;
    #[wasm_bindgen(method)]
    fn listen(this: &Events);
    #[wasm_bindgen(method, js_name = setTimer)]
    fn set_timer(this: &Events, delay: u32);
    #[wasm_bindgen(method, js_name = clearTimer)]
    fn clear_timer(this: &Events);
    #[wasm_bindgen(method)]
    fn leave(this: &Events);
}

pub struct Tab(Events);

impl Tab {
    pub fn new(tell: &Tell) -> Self {
        Self(Events::new(tell))
    }

    /// From now on it tells `wake` and `save`.
    pub fn listen(&self) {
        self.0.listen();
    }

    /// It tells `timer` in so many milliseconds, at most 2^31 - 1; one at a time.
    pub fn set_timer(&self, delay: u32) {
        self.0.set_timer(delay);
    }

    pub fn clear_timer(&self) {
        self.0.clear_timer();
    }

    pub fn leave(&self) {
        self.0.leave();
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        self.leave();
    }
}
