//! One driver a client: it feeds the core, drains what comes out, and only then lets JavaScript in.
//!
//! No borrow of the core is held while anything of the page's runs: an output is taken, the borrow ends, then it is
//! done. What calls back in meanwhile finds the core free; its outputs are drained by the loop that is under way.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use gloo_events::EventListener;
use gloo_timers::callback::Timeout;
use js_sys::Function;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use super::clock::{now, random};
use super::death;
use super::frames::{Frames, is_hidden};
use super::page::{Action, Page};
use super::sanitizer;
use super::socket::{Socket, SocketEvent};
use super::storage::Slot;
use crate::core::Millis;
use crate::core::client::{Client, Output};
use crate::core::engine::Sanitize;

/// How much text a reload keeps; tabs have about five million characters in all.
const SNAPSHOT_BUDGET: usize = 1 << 20;

/// What a driver is made with beside the core.
pub struct Setup {
    pub client: Client,
    pub root: web_sys::Element,
    pub url: Option<String>,
    pub token: Option<Function>,
    /// Takes one event as JSON. It must not call back before the stack has unwound.
    pub emit: Function,
    /// Makes, for an element, who watches the blocks of code in it; or undefined.
    pub make_watch: JsValue,
    pub slot: Option<Slot>,
}

pub struct Driver {
    client: RefCell<Client>,
    page: RefCell<Page>,
    socket: RefCell<Option<Socket>>,
    url: Option<String>,
    token: Option<Function>,
    emit: Function,
    slot: Option<Slot>,
    frames: Frames,
    timer: RefCell<Option<(Millis, Timeout)>>,
    draining: Cell<bool>,
    listeners: RefCell<Vec<EventListener>>,
}

impl Driver {
    pub fn new(setup: Setup) -> Rc<Self> {
        let driver = Rc::new_cyclic(|weak: &Weak<Self>| {
            let draw = Self::weakly(weak, Self::draw);
            let retry = weak.clone();
            let page = Page::new(setup.root, setup.make_watch, move |action| {
                if let Some(driver) = retry.upgrade() {
                    driver.act(action);
                }
            });
            Self {
                client: RefCell::new(setup.client),
                page: RefCell::new(page),
                socket: RefCell::new(None),
                url: setup.url,
                token: setup.token,
                emit: setup.emit,
                slot: setup.slot,
                frames: Frames::new(draw),
                timer: RefCell::new(None),
                draining: Cell::new(false),
                listeners: RefCell::new(Vec::new()),
            }
        });
        driver.listen();
        driver
    }

    fn weakly(weak: &Weak<Self>, call: impl Fn(&Rc<Self>) + 'static) -> impl Fn() + 'static {
        let weak = weak.clone();
        move || {
            if let Some(driver) = weak.upgrade() {
                call(&driver);
            }
        }
    }

    /// The network is back, the tab is shown or left.
    fn listen(self: &Rc<Self>) {
        let Some(window) = web_sys::window() else { return };
        let weak = Rc::downgrade(self);
        let mut listeners = self.listeners.borrow_mut();
        let wake = Self::weakly(&weak, |driver| driver.with(|client| client.handle_wake(now())));
        listeners.push(EventListener::new(&window, "online", move |_| wake()));
        let save = Self::weakly(&weak, |driver| driver.save());
        listeners.push(EventListener::new(&window, "pagehide", move |_| save()));
        if let Some(document) = window.document() {
            let seen = Self::weakly(&weak, |driver| {
                if is_hidden() {
                    driver.save();
                } else {
                    driver.with(|client| client.handle_wake(now()));
                }
            });
            listeners.push(EventListener::new(&document, "visibilitychange", move |_| seen()));
        }
    }

    /// Calls the core, then does all that comes of it.
    pub fn with<T>(self: &Rc<Self>, call: impl FnOnce(&mut Client) -> T) -> T {
        let result = call(&mut self.client.borrow_mut());
        self.drain();
        result
    }

    /// Reads from the core; nothing comes of it.
    pub fn read<T>(&self, call: impl FnOnce(&Client) -> T) -> T {
        call(&self.client.borrow())
    }

    /// How many elements with a message's id stand in the root.
    pub fn containers(&self) -> u32 {
        // Busy only while the page's own code runs from within a change of the DOM.
        self.page.try_borrow().map_or(0, |page| page.count())
    }

    fn drain(self: &Rc<Self>) {
        if self.draining.replace(true) {
            return;
        }
        loop {
            // Its own statement: the borrow must end before the output is done.
            let output = self.client.borrow_mut().poll_output();
            let Some(output) = output else { break };
            self.perform(output);
        }
        self.draining.set(false);
        self.set_timer();
    }

    fn perform(self: &Rc<Self>, output: Output) {
        match output {
            Output::Connect => self.connect(),
            Output::Disconnect => drop(self.socket.take()),
            Output::Transmit(text) => {
                // A socket that is closing loses it, and `handle_closed` follows.
                self.socket.borrow().as_ref().map(|socket| socket.send(&text));
            }
            Output::Show(conversation) => self.page.borrow_mut().show(&conversation),
            Output::Mount(mount) => self.page.borrow_mut().mount(&mount),
            Output::Unmount(id) => self.page.borrow_mut().unmount(&id),
            Output::Reset(id) => self.page.borrow_mut().reset(&id),
            Output::SetStatus(id, appearance) => self.page.borrow_mut().set_status(&id, &appearance),
            Output::RequestFrame => self.frames.request(),
            Output::Render => self.paint(),
            Output::LoadSanitizer => self.load_sanitizer(),
            Output::Survey => {
                let found = self.page.borrow().survey();
                self.client.borrow_mut().handle_survey(found, now());
            }
            Output::Emit(event) => {
                // The package's own function: it queues and does not throw.
                let _ = self.emit.call1(&JsValue::UNDEFINED, &event.to_json().into());
            }
        }
    }

    fn connect(self: &Rc<Self>) {
        let Some(url) = self.url.clone() else { return };
        let weak = Rc::downgrade(self);
        let socket = Socket::open(url, self.token.clone(), move |event| {
            if let Some(driver) = weak.upgrade() {
                driver.on_socket(event);
            }
        });
        // The one before closes here, and its task with it.
        self.socket.replace(Some(socket));
    }

    /// At the start of a task of its own nothing is being drained; else the task before was left by an exception.
    fn is_torn(&self) -> bool {
        let torn = self.draining.get();
        if torn {
            death::torn();
        }
        torn
    }

    fn on_socket(self: &Rc<Self>, event: SocketEvent) {
        if self.is_torn() {
            return;
        }
        match event {
            SocketEvent::Open(token) => self.with(|client| client.handle_open(token, now())),
            SocketEvent::Text(text) => self.with(|client| client.handle_text(&text, now())),
            SocketEvent::Closed(words) => self.with(|client| client.handle_closed(words, now(), random())),
        }
    }

    /// The frame that was asked for.
    fn draw(self: &Rc<Self>) {
        if self.is_torn() {
            return;
        }
        // The page's code may run from within a change of the DOM: what it asks for waits until this is done.
        self.draining.set(true);
        self.paint();
        self.draining.set(false);
        self.drain();
    }

    fn paint(&self) {
        let sanitizer = sanitizer::get();
        // Taken under the borrow, put into the DOM after it.
        let mut batches = Vec::new();
        self.client.borrow_mut().render(
            sanitizer.as_ref().map(|sanitizer| sanitizer as &dyn Sanitize),
            |id, batch| {
                if !batch.ops.is_empty() {
                    batches.push((id.clone(), batch.clone()));
                }
            },
        );
        for (id, batch) in batches {
            self.page.borrow_mut().paint(&id, &batch);
        }
    }

    fn load_sanitizer(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        spawn_local(async move {
            let loaded = sanitizer::load().await;
            if let Some(driver) = weak.upgrade() {
                driver.with(|client| client.handle_sanitizer(loaded));
            }
        });
    }

    fn act(self: &Rc<Self>, action: Action) {
        match action {
            // The button of a message that is gone does nothing.
            Action::Retry(id) => drop(self.with(|client| client.retry(&id))),
        }
    }

    /// A timer that is early is kept: it finds nothing to do, and the next one is set then. Every frame that comes in
    /// puts the heartbeat off, and must not cost a timer.
    fn set_timer(self: &Rc<Self>) {
        let Some(due) = self.client.borrow().poll_timeout() else {
            self.timer.take();
            return;
        };
        if self.timer.borrow().as_ref().is_some_and(|(at, _)| *at <= due) {
            return;
        }
        let delay = u32::try_from(due.saturating_sub(now())).unwrap_or(u32::MAX >> 1);
        let fire = Self::weakly(&Rc::downgrade(self), |driver| {
            let _done = driver.timer.take();
            if driver.is_torn() {
                return;
            }
            driver.with(|client| client.handle_timeout(now(), random()));
        });
        self.timer.replace(Some((due, Timeout::new(delay, fire))));
    }

    /// Keeps what a reload needs. A smaller part of it is kept where the tab's storage is full.
    fn save(&self) {
        let Some(slot) = &self.slot else { return };
        let client = self.client.borrow();
        for budget in [SNAPSHOT_BUDGET, SNAPSHOT_BUDGET / 8, 0] {
            if slot.write(&client.snapshot(budget)) {
                return;
            }
        }
    }

    /// For good. What a reload would need is kept, so that a page that takes its chat down can put it up again.
    pub fn close(self: &Rc<Self>) {
        self.save();
        self.with(Client::close);
        self.listeners.borrow_mut().clear();
    }
}
