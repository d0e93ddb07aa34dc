//! Errors as JavaScript wants them: an `Error` with a message and a stable `code`.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// JavaScript's own words for a value. Some objects throw when they are asked.
    #[wasm_bindgen(catch, js_name = String)]
    fn words(value: &JsValue) -> Result<String, JsValue>;
}

/// An `Error` with a `code`.
pub fn error(code: &str, message: &str) -> JsValue {
    let error = js_sys::Error::new(message);
    // A fresh object takes any property; should it not, the message is still there.
    let _ = js_sys::Reflect::set(&error, &"code".into(), &code.into());
    error.into()
}

/// What any thrown value says, whether or not it is an `Error`.
pub fn message_of(thrown: &JsValue) -> String {
    let message = js_sys::Reflect::get(thrown, &"message".into()).ok().and_then(|m| m.as_string());
    message.or_else(|| thrown.as_string()).unwrap_or_else(|| words(thrown).unwrap_or_default())
}
