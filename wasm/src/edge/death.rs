//! The end of this wasm, and who hears of it: after a panic, or an exception of the page's that went through a call, the
//! state here may be torn, and the package goes on without it.

use std::cell::RefCell;

use js_sys::Function;
use wasm_bindgen::JsValue;

thread_local!(static TELL: RefCell<Option<Function>> = const { RefCell::new(None) });

/// Takes the page's function, which does not throw.
pub fn tell_to(tell: Function) {
    TELL.replace(Some(tell));
    std::panic::set_hook(Box::new(|info| told(&info.to_string())));
}

/// A call before this one was left in the middle.
pub fn torn() {
    told("an exception of the page went through it");
}

fn told(words: &str) {
    if let Some(tell) = TELL.take() {
        let _ = tell.call1(&JsValue::UNDEFINED, &words.into());
    }
}
