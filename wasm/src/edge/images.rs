//! Images that wait until they may be fetched, as Rust sees them.

use wasm_bindgen::prelude::*;
use web_sys::Element;

#[wasm_bindgen(module = "/src/edge/images.js")]
extern "C" {
    /// Allows the images in an element, now and later: of one message, of one origin, or all.
    #[wasm_bindgen(js_namespace = images)]
    pub fn allow(root: &Element, message: &JsValue, origin: &JsValue);

    /// What the buttons in an element say from now on; nothing: what they say in English.
    #[wasm_bindgen(js_namespace = images)]
    pub fn say(root: &Element, sentence: &JsValue);
}
