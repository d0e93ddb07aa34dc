//! The interpreter of batches, as Rust sees it.

use wasm_bindgen::prelude::*;
use web_sys::Element;

use crate::core::engine::Batch;
use crate::core::engine::batch::{op, units};

/// So many UTF-16 units fit into the numbers of a short append.
const SHORT: u32 = 8;

#[wasm_bindgen(module = "/src/edge/render.js")]
extern "C" {
    /// The nodes of one engine in one container.
    pub type Renderer;

    #[wasm_bindgen(constructor)]
    pub fn new(container: &Element, memory: &JsValue) -> Renderer;

    /// Says who watches the blocks of code and the formulas: what the page's wrapper makes for a container, or nothing.
    #[wasm_bindgen(method)]
    pub fn observe(this: &Renderer, make_watch: &JsValue);

    /// No batch follows. What the page's code does about it waits until the stack has unwound.
    #[wasm_bindgen(method)]
    fn leave(this: &Renderer);

    /// Carries out the operations of one batch, read where they are in the memory: `count` numbers, `length` bytes of
    /// strings, which are `units` as JavaScript counts them. It can run the page's code: hold no borrow over it, and let
    /// the buffers stay where they are until it returns.
    #[wasm_bindgen(method)]
    fn apply(this: &Renderer, ops: u32, count: u32, strings: u32, length: u32, units: u32);

    /// Puts so many UTF-16 units at the end of a text, two in each number, the first one lowest.
    #[wasm_bindgen(method, js_name = appendShort)]
    fn append_short(this: &Renderer, id: u32, length: u32, a: u32, b: u32, c: u32, d: u32);
}

impl Renderer {
    /// Brings a batch to the page. It can run the page's code: hold no borrow over it, and let the batch stay as it is
    /// until it returns.
    #[cfg_attr(riacho_module, optimize(speed))]
    pub fn paint(&self, batch: &Batch) {
        // Most chunks only lengthen the last text by a few characters: those cross as numbers.
        if let [op::APPEND, id, length @ ..=SHORT] = *batch.ops.as_slice() {
            let mut units = batch.strings.encode_utf16();
            let mut pair = || {
                let (low, high) = (units.next().unwrap_or(0), units.next().unwrap_or(0));
                u32::from(low) | u32::from(high) << 16
            };
            self.append_short(id, length, pair(), pair(), pair(), pair());
        } else if !batch.is_empty() {
            // Addresses, and no views of the memory: those would be two objects a chunk.
            let (ops, strings) = (batch.ops.as_ptr() as u32, batch.strings.as_ptr() as u32);
            let (count, length) = (batch.ops.len() as u32, batch.strings.len() as u32);
            self.apply(ops, count, strings, length, units(&batch.strings));
        }
    }
}

/// A renderer whose watch hears when it is dropped.
pub struct Painter(Renderer);

impl Painter {
    pub fn new(container: &Element, make_watch: &JsValue) -> Painter {
        let renderer = Renderer::new(container, &wasm_bindgen::memory());
        renderer.observe(make_watch);
        Painter(renderer)
    }

    /// See [`Renderer::paint`].
    pub fn paint(&self, batch: &Batch) {
        self.0.paint(batch);
    }
}

impl Drop for Painter {
    fn drop(&mut self) {
        self.0.leave();
    }
}
