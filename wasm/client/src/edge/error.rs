//! What the core refuses, as JavaScript wants it.

use riacho_browser::error::error;
use riacho_protocol::{DecodeError, IdError};
use wasm_bindgen::JsValue;

use crate::core::client::SendError;

pub fn from_send(e: &SendError) -> JsValue {
    error(e.code(), &e.to_string())
}

pub fn from_decode(e: &DecodeError) -> JsValue {
    error(e.code().as_str(), &e.to_string())
}

pub fn from_id(e: IdError) -> JsValue {
    error("bad_id", &e.to_string())
}
