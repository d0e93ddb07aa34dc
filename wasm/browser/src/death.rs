//! The end of this wasm, and who hears of it: after a panic, or an exception of the page's that went through a call, the
//! state here may be torn, and the package goes on without it.

use std::cell::{Cell, RefCell};

use js_sys::Function;
use wasm_bindgen::prelude::*;

thread_local! {
    static TELL: RefCell<Option<Function>> = const { RefCell::new(None) };
    static KNOWN: Cell<bool> = const { Cell::new(false) };
}

/// Called with words, once, when nothing of this module can be called any more. It is the package's, and does not throw. Each
/// module exports it.
#[wasm_bindgen(js_name = onDeath)]
pub fn on_death(tell: Function) {
    TELL.replace(Some(tell));
    // What ships traps at once, and asks no hook.
    #[cfg(not(riacho_module))]
    std::panic::set_hook(Box::new(|info| told(&info.to_string())));
}

/// A call before this one was left in the middle.
pub fn torn() {
    told("an exception of the page went through it");
}

/// It can't be gone on with, and in these words why.
pub fn told(words: &str) {
    KNOWN.set(true);
    if let Some(tell) = TELL.take() {
        let _ = tell.call1(&JsValue::UNDEFINED, &words.into());
    }
}

/// It has been told: the page is not ours any more.
pub fn is_known() -> bool {
    KNOWN.get()
}
