//! The interpreter of batches, as Rust sees it.

use wasm_bindgen::prelude::*;
use web_sys::Element;

#[wasm_bindgen(module = "/src/edge/render.js")]
extern "C" {
    /// The nodes of one engine in one container.
    pub type Renderer;

    #[wasm_bindgen(constructor)]
    pub fn new(container: &Element) -> Renderer;

    /// Carries out the operations of one batch, read in place. It can run the page's code: hold no borrow over it, and
    /// let the numbers and the string stay where they are until it returns.
    #[wasm_bindgen(method)]
    pub fn apply(this: &Renderer, ops: &[u32], strings: &str);
}
