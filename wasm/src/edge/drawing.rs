//! One text on its way into one element: its engine, and who carries out what that says. A stream has one, and so has each
//! message of a chat.

use std::cell::RefCell;

use wasm_bindgen::prelude::*;
use web_sys::Element;

use super::render::Painter;
use super::sanitizer::Sanitizer;
use crate::core::engine::{Batch, Engine, Sanitize};

#[wasm_bindgen]
pub struct Drawing {
    engine: RefCell<Engine>,
    painter: Painter,
    /// What is on its way into the DOM; its buffers are used again.
    painting: RefCell<Batch>,
}

/// What a text shows when it is brought to the page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// More may come.
    SoFar,
    Whole,
}

impl Drawing {
    /// What stands in the element stays, in front. `make_watch` makes, for it, who watches the blocks of code in it.
    pub fn new(container: &Element, engine: Engine, make_watch: &JsValue) -> Self {
        let painter = Painter::new(container, make_watch);
        Self { engine: RefCell::new(engine), painter, painting: RefCell::default() }
    }

    /// Keeps more text. Nothing shows yet.
    #[cfg_attr(riacho_module, optimize(speed))]
    pub fn push(&self, text: &str) {
        self.engine.borrow_mut().push(text);
    }

    /// Brings the element up to date. True while raw HTML waits for the sanitiser. It can run the page's code, which may call
    /// anything here.
    #[cfg_attr(riacho_module, optimize(speed))]
    pub fn show(&self, extent: Extent, sanitizer: Option<&Sanitizer>) -> bool {
        let sanitizer = sanitizer.map(|sanitizer| sanitizer as &dyn Sanitize);
        // Out of its cell while the page's code may run: what shows from within finds an empty one.
        let mut painting = self.painting.take();
        let waits = {
            let mut engine = self.engine.borrow_mut();
            match extent {
                Extent::SoFar => engine.flush(sanitizer),
                Extent::Whole => engine.end(sanitizer),
            }
            painting.clear();
            engine.swap_batch(&mut painting);
            engine.wants_sanitizer()
        };
        self.painter.paint(&painting);
        self.painting.replace(painting);
        waits
    }

    /// There will be no sanitiser: what waits for it is text the next time that it shows.
    pub fn sanitizer_failed(&self) {
        self.engine.borrow_mut().sanitizer_failed();
    }

    /// All of the text shows as it will stay.
    pub fn is_final(&self) -> bool {
        self.engine.borrow().is_final()
    }

    pub fn text(&self) -> JsValue {
        self.engine.borrow().text().into()
    }
}
