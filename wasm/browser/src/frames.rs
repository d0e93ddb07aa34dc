//! When to draw: the next animation frame while the page is visible, a timer while it is hidden.
//!
//! A hidden page gets no animation frames; a frame that was asked for while visible moves to the timer on hiding.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use gloo_events::EventListener;
use gloo_render::{AnimationFrame, request_animation_frame};
use gloo_timers::callback::Timeout;

/// Browsers run the timers of a hidden page about once a second anyway.
const HIDDEN_DELAY_MS: u32 = 200;

/// At most one frame is asked for at a time. Dropping this takes it back.
pub struct Frames {
    inner: Rc<Inner>,
    _visibility: Option<EventListener>,
}

struct Inner {
    pending: RefCell<Option<Pending>>,
    draw: Box<dyn Fn()>,
}

enum Pending {
    Frame(#[allow(dead_code, reason = "dropping it cancels the frame")] AnimationFrame),
    Timer(#[allow(dead_code, reason = "dropping it cancels the timer")] Timeout),
}

impl Frames {
    pub fn new(draw: impl Fn() + 'static) -> Self {
        let inner = Rc::new(Inner { pending: RefCell::new(None), draw: Box::new(draw) });
        let weak = Rc::downgrade(&inner);
        let visibility = document().map(|document| {
            EventListener::new(&document, "visibilitychange", move |_| {
                if let Some(inner) = weak.upgrade()
                    && inner.pending.borrow().is_some()
                {
                    inner.ask();
                }
            })
        });
        Self { inner, _visibility: visibility }
    }

    /// Asks for a frame, unless one is on its way.
    pub fn request(&self) {
        if self.inner.pending.borrow().is_none() {
            self.inner.ask();
        }
    }
}

impl Inner {
    fn ask(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        let pending = if is_hidden() {
            Pending::Timer(Timeout::new(HIDDEN_DELAY_MS, move || fire(&weak)))
        } else {
            Pending::Frame(request_animation_frame(move |_| fire(&weak)))
        };
        self.pending.replace(Some(pending));
    }
}

fn fire(inner: &Weak<Inner>) {
    if let Some(inner) = inner.upgrade() {
        // Taken out first: drawing may ask for the next one. It is dropped after the call that it is the handle of.
        let _done = inner.pending.take();
        (inner.draw)();
    }
}

fn document() -> Option<web_sys::Document> {
    web_sys::window().and_then(|window| window.document())
}

pub fn is_hidden() -> bool {
    document().is_some_and(|document| document.hidden())
}
