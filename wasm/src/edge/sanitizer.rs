//! The second wasm module: fetched once for the whole page, through the loader that the package brings.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Function, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::core::engine::Sanitize;
use riacho_browser::error::message_of;

thread_local! {
    static LOADER: RefCell<Option<Function>> = const { RefCell::new(None) };
    static LOADING: RefCell<Option<Promise>> = const { RefCell::new(None) };
    static SANITIZE: RefCell<Option<Sanitizer>> = const { RefCell::new(None) };
    /// The last answers, oldest first: what is open is asked about again with each chunk, and most of it has not changed.
    static RECENT: RefCell<VecDeque<(Vec<u8>, Vec<u8>)>> = const { RefCell::new(VecDeque::new()) };
}

/// So many answers are kept, to questions of at most so many bytes.
const MOST_RECENT: usize = 8;
const MOST_KEPT: usize = 4096;

/// How to get it: a function that promises a function from a question to a flat tree.
pub fn set_loader(loader: Function) {
    LOADER.set(Some(loader));
}

/// Has it, without a fetch of its own.
pub fn set(sanitize: Function) {
    SANITIZE.set(Some(sanitize.into()));
}

/// Fetches it, or joins the fetch that is under way. What failed once is tried again by the next one who asks.
pub async fn load() -> Result<(), String> {
    if SANITIZE.with_borrow(Option::is_some) {
        return Ok(());
    }
    let promised = match LOADING.with_borrow(Clone::clone) {
        Some(promised) => promised,
        None => fetch()?,
    };
    let loaded = JsFuture::from(promised).await;
    LOADING.set(None);
    let loaded = loaded.map_err(|e| message_of(&e))?;
    let sanitize = loaded.dyn_into::<Function>().map_err(|_| "the sanitiser's loader gave no function")?;
    set(sanitize);
    Ok(())
}

fn fetch() -> Result<Promise, String> {
    let loader = LOADER.with_borrow(Clone::clone).ok_or("no loader for the sanitiser was given")?;
    let promised = loader.call0(&JsValue::UNDEFINED).map_err(|e| message_of(&e))?;
    let promised = Promise::resolve(&promised);
    LOADING.set(Some(promised.clone()));
    Ok(promised)
}

/// The loaded module, as the engine takes it: its function.
#[derive(Clone)]
pub struct Sanitizer(Rc<Function>);

impl Sanitizer {
    pub fn function(&self) -> &Function {
        &self.0
    }
}

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
                    recent.pop_front();
                }
                recent.push_back((question.to_owned(), answer.clone()));
            });
        }
        answer
    }
}
