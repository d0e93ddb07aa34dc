//! When to draw, as Rust sees it.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/browser.js")]
extern "C" {
    #[wasm_bindgen(js_name = Frames)]
    type Asked;
    #[wasm_bindgen(constructor, js_class = Frames)]
    fn new(draw: &Closure<dyn Fn()>) -> Asked;
    #[wasm_bindgen(method)]
    fn request(this: &Asked);
    #[wasm_bindgen(method)]
    fn leave(this: &Asked);
}

/// At most one frame is asked for at a time. Dropping this takes it back.
pub struct Frames {
    asked: Asked,
    /// What is dropped from within its own call lives until that returns.
    _draw: Closure<dyn Fn()>,
}

impl Frames {
    pub fn new(draw: impl Fn() + 'static) -> Self {
        let draw = Closure::new(draw);
        Self { asked: Asked::new(&draw), _draw: draw }
    }

    /// Asks for a frame, unless one is on its way.
    pub fn request(&self) {
        self.asked.request();
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        self.asked.leave();
    }
}
