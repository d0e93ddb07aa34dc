//! What the core refuses, as JavaScript wants it.

use riacho_browser::error::error;
use riacho_protocol::{DecodeError, IdError};
use wasm_bindgen::JsValue;

use crate::core::client::SendError;

pub fn from_send(e: &SendError) -> JsValue {
    error(e.code(), &e.words())
}

pub fn from_decode(e: &DecodeError) -> JsValue {
    error(e.code().as_str(), &e.words())
}

pub fn from_id(e: IdError) -> JsValue {
    error("bad_id", e.words())
}
