//! `sessionStorage`: a place that may be full, forbidden or absent. None of that is an error of the page.

/// One key of the tab's storage.
pub struct Slot {
    key: String,
}

impl Slot {
    pub fn new(key: String) -> Self {
        Self { key }
    }

    pub fn read(&self) -> Option<String> {
        storage()?.get_item(&self.key).ok()?
    }

    /// False when it could not be kept.
    pub fn write(&self, text: &str) -> bool {
        storage().is_some_and(|storage| storage.set_item(&self.key, text).is_ok())
    }
}

fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.session_storage().ok()?
}
