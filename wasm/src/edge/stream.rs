//! One markdown stream without a chat: text in, the DOM of one element out, a frame at a time.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use js_sys::{Function, JsString, Promise, Uint32Array};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::Element;

use super::frames::Frames;
use super::render::Renderer;
use super::sanitizer;
use super::utf16::Utf16Joiner;
use crate::core::engine::{Engine, Sanitize};

/// The state of one stream. JavaScript holds it; frames and promises hold it weakly.
pub struct Stream {
    engine: RefCell<Engine>,
    renderer: Renderer,
    joiner: RefCell<Utf16Joiner>,
    frames: Frames,
    ended: Cell<bool>,
    sanitizer_asked: Cell<bool>,
    /// Resolve functions of `end()`, called once the DOM is final.
    waiting: RefCell<Vec<Function>>,
}

impl Stream {
    pub fn new(container: &Element, engine: Engine) -> Rc<Self> {
        let renderer = Renderer::new(container);
        Rc::new_cyclic(|weak: &Weak<Self>| {
            let draw = weak.clone();
            Self {
                engine: RefCell::new(engine),
                renderer,
                joiner: RefCell::default(),
                frames: Frames::new(move || {
                    if let Some(stream) = draw.upgrade() {
                        stream.flush();
                    }
                }),
                ended: Cell::new(false),
                sanitizer_asked: Cell::new(false),
                waiting: RefCell::default(),
            }
        })
    }

    /// False when the stream has ended: nothing was taken.
    pub fn push(&self, text: &JsString) -> bool {
        if self.ended.get() {
            return false;
        }
        let text = self.joiner.borrow_mut().join(text);
        self.engine.borrow_mut().push(&text);
        self.frames.request();
        true
    }

    pub fn text(&self) -> String {
        self.engine.borrow().text().to_owned()
    }

    /// Brings the DOM up to date, now.
    pub fn flush(self: &Rc<Self>) {
        let loaded = sanitizer::get();
        let sanitizer = loaded.as_ref().map(|sanitizer| sanitizer as &dyn Sanitize);
        let (ops, strings, wants) = {
            let mut engine = self.engine.borrow_mut();
            if self.ended.get() {
                engine.end(sanitizer);
            } else {
                engine.flush(sanitizer);
            }
            let batch = engine.batch();
            let ops = (!batch.ops.is_empty()).then(|| Uint32Array::from(batch.ops.as_slice()));
            let strings = JsString::from(batch.strings.as_str());
            engine.clear_batch();
            (ops, strings, engine.wants_sanitizer())
        };
        // No borrow from here on: what is in the DOM may run the page's code.
        if let Some(ops) = ops {
            self.renderer.apply(&ops, &strings);
        }
        if wants && !self.sanitizer_asked.replace(true) {
            self.load_sanitizer();
        }
        if self.engine.borrow().is_final() {
            for resolve in self.waiting.take() {
                // A promise's own function: it does not throw.
                let _ = resolve.call0(&JsValue::UNDEFINED);
            }
        }
    }

    fn load_sanitizer(self: &Rc<Self>) {
        // Held strongly: `end()` has promised that the DOM becomes final.
        let stream = self.clone();
        spawn_local(async move {
            if sanitizer::load().await.is_err() {
                stream.engine.borrow_mut().sanitizer_failed();
            }
            stream.flush();
        });
    }

    /// The text is whole. The promise resolves when the DOM is final.
    pub fn end(self: &Rc<Self>) -> Promise {
        if !self.ended.replace(true)
            && let Some(rest) = self.joiner.borrow_mut().rest()
        {
            self.engine.borrow_mut().push(rest.encode_utf8(&mut [0; 4]));
        }
        let promise = Promise::new(&mut |resolve, _| self.waiting.borrow_mut().push(resolve));
        self.flush();
        promise
    }
}
