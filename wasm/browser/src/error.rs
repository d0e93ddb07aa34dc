//! Errors as JavaScript wants them: an `Error` with a message and a stable `code`.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/browser.js")]
extern "C" {
    /// An `Error` with a `code`.
    #[wasm_bindgen(js_name = coded)]
    pub fn error(code: &str, message: &str) -> JsValue;
    /// What any thrown value says, whether or not it is an `Error`.
    #[wasm_bindgen(js_name = wordsOf)]
    pub fn message_of(thrown: &JsValue) -> String;
}
