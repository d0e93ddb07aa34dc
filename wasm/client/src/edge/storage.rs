//! One key of the tab's storage, as Rust sees it.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/edge/browser.js")]
extern "C" {
    fn read(key: &str) -> Option<String>;
    fn write(key: &str, text: &str) -> bool;
}

pub struct Slot {
    key: String,
}

impl Slot {
    pub fn new(key: String) -> Self {
        Self { key }
    }

    pub fn read(&self) -> Option<String> {
        read(&self.key)
    }

    /// False when it could not be kept.
    pub fn write(&self, text: &str) -> bool {
        write(&self.key, text)
    }
}
