//! The second wasm module: fetched once for the whole page, through the loader that the package brings.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Function, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::core::engine::Sanitize;

thread_local! {
    static LOADER: RefCell<Option<Function>> = const { RefCell::new(None) };
    static SANITIZE: RefCell<Option<Sanitizer>> = const { RefCell::new(None) };
    /// The last answers, oldest first: what is open is asked about again with each chunk, and most of it has not changed.
    static RECENT: RefCell<Vec<(Vec<u8>, Vec<u8>)>> = const { RefCell::new(Vec::new()) };
}

/// So many answers are kept, to questions of at most so many bytes.
const MOST_RECENT: usize = 8;
const MOST_KEPT: usize = 4096;

/// How to get it: a function that calls another one when it is there, or with words why it can't be had.
pub fn set_loader(loader: Function) {
    LOADER.set(Some(loader));
}

/// Here it is.
pub fn set(sanitize: Function) {
    SANITIZE.set(Some(sanitize.into()));
}

/// Has it fetched, and says once that it is there, or in words why not.
pub fn load(tell: impl FnOnce(Option<String>) + 'static) {
    let Some(loader) = LOADER.with_borrow(Clone::clone) else {
        return tell(Some("no loader for the sanitiser was given".to_owned()));
    };
    let tell = Closure::once_into_js(move |words: JsValue| tell(words.as_string()));
    // The package's own: it does not throw.
    let _ = loader.call1(&JsValue::UNDEFINED, &tell);
}

/// The loaded module, as the engine takes it: its function.
#[derive(Clone)]
pub struct Sanitizer(Rc<Function>);

impl From<Function> for Sanitizer {
    fn from(sanitize: Function) -> Self {
        Self(Rc::new(sanitize))
    }
}

/// What is there, if it is there.
pub fn get() -> Option<Sanitizer> {
    SANITIZE.with_borrow(Clone::clone)
}

impl Sanitize for Sanitizer {
    /// Nothing, which is no flat tree, when the module fails: the engine then shows the HTML as text.
    fn sanitize(&self, question: &[u8]) -> Vec<u8> {
        let known = RECENT.with_borrow(|recent| {
            recent.iter().find(|(asked, _)| asked == question).map(|(_, answer)| answer.clone())
        });
        if let Some(known) = known {
            return known;
        }
        let answer = self
            .0
            .call1(&JsValue::UNDEFINED, &Uint8Array::new_from_slice(question))
            .ok()
            .and_then(|bytes| bytes.dyn_into::<Uint8Array>().ok())
            .map_or_else(Vec::new, |bytes| bytes.to_vec());
        if !answer.is_empty() && question.len() <= MOST_KEPT {
            RECENT.with_borrow_mut(|recent| {
                if recent.len() == MOST_RECENT {
                    recent.remove(0);
                }
                recent.push((question.to_owned(), answer.clone()));
            });
        }
        answer
    }
}
