//! Everything that JavaScript can call of the core, in one file. `pkg/` wraps it; pages never see it.

use std::rc::Rc;

use js_sys::{Function, JsString, Promise};
use riacho_browser::error::error;
use riacho_browser::world::{Tape, World};
use wasm_bindgen::prelude::*;
use web_sys::Element;

use super::drawing::{Drawing, Extent};
use super::sanitizer::{self, Sanitizer};
use super::stream::Stream;
use crate::core::engine::Engine;
use crate::core::policy::{Images, Policy};

/// The version of the package this was built for.
#[wasm_bindgen]
#[must_use]
pub fn version() -> JsValue {
    env!("CARGO_PKG_VERSION").into()
}

/// Says how to get the sanitiser: a function that is given another one, and calls that, once, when [`set_sanitizer`] was called,
/// or with words why it can't be had.
#[wasm_bindgen(js_name = setSanitizerLoader)]
pub fn set_sanitizer_loader(loader: Function) {
    sanitizer::set_loader(loader);
}

/// Gives the sanitiser: a function from a question to a flat tree.
#[wasm_bindgen(js_name = setSanitizer)]
pub fn set_sanitizer(sanitize: Function) {
    sanitizer::set(sanitize);
}

/// Allows images in an element that wait, and those to come: of one message, of one origin, or all.
#[wasm_bindgen(js_name = allowImages)]
pub fn allow_images(root: &Element, message: &JsValue, origin: &JsValue) {
    super::images::allow(root, message, origin);
}

/// What the buttons say that load the images in an element.
#[wasm_bindgen(js_name = sayImages)]
pub fn say_images(root: &Element, sentence: &JsValue) {
    super::images::say(root, sentence);
}

/// The default rules, but for the images that the page allows from the start.
fn policy(images: Option<Vec<String>>) -> Result<Rc<Policy>, JsValue> {
    let images = Images::listed(images.unwrap_or_default());
    Policy::builder().images(images).build().map(Rc::new).map_err(|e| error(e.code(), &e.message()))
}

/// One markdown stream into one element.
#[wasm_bindgen]
pub struct Markdown {
    stream: Rc<Stream>,
}

#[wasm_bindgen]
impl Markdown {
    #[wasm_bindgen(constructor)]
    pub fn new(
        container: &Element,
        id_prefix: &str,
        images: Option<Vec<String>>,
        make_watch: &JsValue,
        tape: Option<Tape>,
    ) -> Result<Markdown, JsValue> {
        let engine = Engine::new(policy(images)?, id_prefix);
        Ok(Markdown { stream: Stream::new(container, engine, make_watch, World::new(tape)) })
    }

    /// As [`Chat::play`].
    pub fn play(&self, name: &JsValue, text: &JsValue) -> bool {
        self.stream.play(&name.as_string().unwrap_or_default(), text.as_string())
    }

    /// False when the stream has ended. (A `Result` would cost an array a chunk at the border.)
    pub fn push(&self, text: &str) -> bool {
        self.stream.push(text)
    }

    /// As `push`, for so many UTF-16 units, two in each number, the first one lowest: a token is too short to be worth an
    /// encoder and a place in memory. The last one is no half of a pair.
    #[wasm_bindgen(js_name = pushShort)]
    #[cfg_attr(riacho_module, optimize(speed))]
    pub fn push_short(&self, length: u32, a: u32, b: u32, c: u32, d: u32) -> bool {
        let high = |pair: u32| (pair >> 16) as u16;
        let units = [a as u16, high(a), b as u16, high(b), c as u16, high(c), d as u16, high(d)];
        let characters = char::decode_utf16(units.iter().copied().take(length as usize));
        let (mut bytes, mut end) = ([0; 24], 0);
        for character in characters {
            let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
            if let Some(place) = bytes.get_mut(end..end + character.len_utf8()) {
                end += character.encode_utf8(place).len();
            }
        }
        self.stream.push(bytes.get(..end).and_then(|text| str::from_utf8(text).ok()).unwrap_or_default())
    }

    /// For text whose last character may be half of one; true while the other half is waited for, and then the next
    /// text must come this way too.
    #[wasm_bindgen(js_name = pushCut)]
    pub fn push_cut(&self, text: &JsString) -> Option<bool> {
        self.stream.push_cut(text)
    }

    #[cfg_attr(riacho_module, optimize(speed))]
    pub fn flush(&self) {
        self.stream.flush();
    }

    pub fn end(&self) -> Promise {
        self.stream.end()
    }

    #[wasm_bindgen(getter)]
    pub fn text(&self) -> JsValue {
        self.stream.text()
    }
}

/// What the messages of one chat are rendered with. The client's module gets it from the package: neither module knows the
/// other.
#[wasm_bindgen]
pub struct Drawings {
    policy: Rc<Policy>,
    make_watch: JsValue,
}

#[wasm_bindgen]
impl Drawings {
    #[wasm_bindgen(constructor)]
    pub fn new(images: Option<Vec<String>>, make_watch: JsValue) -> Result<Drawings, JsValue> {
        Ok(Drawings { policy: policy(images)?, make_watch })
    }

    /// The drawing of one message into its element.
    pub fn make(&self, container: &Element, id_prefix: &str) -> Drawing {
        Drawing::new(container, Engine::new(self.policy.clone(), id_prefix), &self.make_watch)
    }
}

#[wasm_bindgen]
impl Drawing {
    #[wasm_bindgen(js_name = push)]
    pub fn push_text(&self, text: &str) {
        self.push(text);
    }

    /// Brings the element up to date. True while raw HTML waits for a sanitiser.
    pub fn flush(&self, sanitizer: Option<Function>) -> bool {
        self.show(Extent::SoFar, sanitizer.map(Sanitizer::from).as_ref())
    }

    /// As [`Drawing::flush`]; the text is whole.
    pub fn end(&self, sanitizer: Option<Function>) -> bool {
        self.show(Extent::Whole, sanitizer.map(Sanitizer::from).as_ref())
    }

    /// There will be none: what waits for it is text the next time that it shows.
    #[wasm_bindgen(js_name = giveUpSanitizer)]
    pub fn give_up_sanitizer(&self) {
        self.sanitizer_failed();
    }
}
