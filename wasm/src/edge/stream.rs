//! One markdown stream without a chat: text in, the DOM of one element out, a frame at a time.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use js_sys::{Function, JsString, Promise};
use riacho_browser::frames::Frames;
use riacho_browser::utf16::Utf16Joiner;
use riacho_browser::world::World;
use wasm_bindgen::JsValue;
use web_sys::Element;

use super::drawing::{Drawing, Extent};
use super::sanitizer;
use crate::core::engine::Engine;

/// The state of one stream. JavaScript holds it; frames and promises hold it weakly.
pub struct Stream {
    drawing: Drawing,
    joiner: RefCell<Utf16Joiner>,
    frames: Frames,
    world: World,
    ended: Cell<bool>,
    sanitizer_asked: Cell<bool>,
    /// Resolve functions of `end()`, called once the DOM is final.
    waiting: RefCell<Vec<Function>>,
}

impl Stream {
    /// `make_watch` makes, for a container, who watches the blocks of code in it.
    pub fn new(container: &Element, engine: Engine, make_watch: &JsValue, world: World) -> Rc<Self> {
        let drawing = Drawing::new(container, engine, make_watch);
        Rc::new_cyclic(|weak: &Weak<Self>| {
            let draw = weak.clone();
            Self {
                drawing,
                joiner: RefCell::default(),
                frames: Frames::new(move || {
                    if let Some(stream) = draw.upgrade() {
                        stream.happen("frame", None);
                    }
                }),
                world,
                ended: Cell::new(false),
                sanitizer_asked: Cell::new(false),
                waiting: RefCell::default(),
            }
        })
    }

    /// Takes whole text. False when the stream has ended: nothing was taken.
    #[cfg_attr(riacho_module, optimize(speed))]
    pub fn push(&self, text: &str) -> bool {
        if self.ended.get() {
            return false;
        }
        self.drawing.push(text);
        if !self.world.is_replay {
            self.frames.request();
        }
        true
    }

    /// Takes text that JavaScript may have cut inside a character. The second half must come this way too: true while
    /// one is waited for, `None` when the stream has ended.
    pub fn push_cut(&self, text: &JsString) -> Option<bool> {
        let mut joiner = self.joiner.borrow_mut();
        let joined = joiner.join(text);
        self.push(&joined).then(|| joiner.is_waiting())
    }

    pub fn text(&self) -> JsValue {
        self.drawing.text()
    }

    /// Brings the DOM up to date, now.
    #[cfg_attr(riacho_module, optimize(speed))]
    pub fn flush(self: &Rc<Self>) {
        let extent = if self.ended.get() { Extent::Whole } else { Extent::SoFar };
        let waits = self.drawing.show(extent, self.world.sanitizer(sanitizer::get()).as_ref());
        if waits && !self.sanitizer_asked.replace(true) && !self.world.is_replay {
            self.load_sanitizer();
        }
        if self.drawing.is_final() {
            for resolve in self.waiting.take() {
                // A promise's own function: it does not throw.
                let _ = resolve.call0(&JsValue::UNDEFINED);
            }
        }
    }

    /// What comes of no call: a frame, or the sanitiser, with words if it can't be had.
    fn happen(self: &Rc<Self>, name: &str, text: Option<String>) {
        self.world.input(name, text.as_deref());
        if name == "sanitizer" && text.is_some() {
            self.drawing.sanitizer_failed();
        }
        self.flush();
    }

    /// Something that a tape has kept happens again. False for what is on no tape.
    pub fn play(self: &Rc<Self>, name: &str, text: Option<String>) -> bool {
        let known = self.world.is_replay && (name == "frame" || name == "sanitizer");
        if known {
            self.happen(name, text);
        }
        known
    }

    fn load_sanitizer(self: &Rc<Self>) {
        // Held strongly: `end()` has promised that the DOM becomes final.
        let stream = self.clone();
        sanitizer::load(move |words| stream.happen("sanitizer", words));
    }

    /// The text is whole. The promise resolves when the DOM is final.
    pub fn end(self: &Rc<Self>) -> Promise {
        if !self.ended.replace(true)
            && let Some(rest) = self.joiner.borrow_mut().rest()
        {
            self.drawing.push(rest.encode_utf8(&mut [0; 4]));
        }
        let promise = Promise::new(&mut |resolve, _| self.waiting.borrow_mut().push(resolve));
        self.flush();
        promise
    }
}
