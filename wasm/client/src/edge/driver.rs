//! One driver a client: it feeds the core, drains what comes out, and only then lets JavaScript in.
//!
//! No borrow of the core is held while anything of the page's runs: an output is taken, the borrow ends, then it is
//! done. What calls back in meanwhile finds the core free; its outputs are drained by the loop that is under way.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use js_sys::Function;
use riacho_browser::death;
use riacho_browser::error::message_of;
use riacho_browser::frames::Frames;
use riacho_browser::world::World;
use wasm_bindgen::JsValue;

use super::Tell;
use super::line::Line;
use super::page::Page;
use super::storage::Slot;
use super::tab::Tab;
use crate::core::Millis;
use crate::core::client::{Client, Output};
use riacho_protocol::MessageId;

/// How much text a reload keeps; tabs have about five million characters in all.
const SNAPSHOT_BUDGET: usize = 1 << 20;

/// What a driver is made with beside the core.
pub struct Setup {
    pub client: Client,
    pub root: JsValue,
    /// What the messages are drawn with.
    pub drawings: JsValue,
    pub url: Option<String>,
    pub token: Option<Function>,
    /// Takes one event as JSON. It must not call back before the stack has unwound.
    pub emit: Function,
    pub slot: Option<Slot>,
    pub world: World,
}

/// What happens to a client, beside what the page calls. Everything of the browser's comes in as one of these.
enum Input {
    /// The first of all; with what was kept for it.
    Start(Option<String>),
    /// The network is back, or the tab is looked at again.
    Wake,
    Frame,
    Timer,
    /// The socket is open; with the token that was fetched for it.
    Open(Option<String>),
    Text(String),
    Closed(Option<String>),
    Sanitizer(Result<(), String>),
    Retry(MessageId),
}

impl Input {
    /// As a tape keeps it. A token is on no tape.
    fn told(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Start(kept) => ("start", kept.as_deref()),
            Self::Wake => ("wake", None),
            Self::Frame => ("frame", None),
            Self::Timer => ("timer", None),
            Self::Open(_) => ("open", None),
            Self::Text(text) => ("text", Some(text)),
            Self::Closed(words) => ("closed", words.as_deref()),
            Self::Sanitizer(loaded) => ("sanitizer", loaded.as_ref().err().map(String::as_str)),
            Self::Retry(id) => ("retry", Some(id.as_str())),
        }
    }

    fn parse(name: &str, text: Option<String>) -> Option<Self> {
        Some(match name {
            "start" => Self::Start(text),
            "wake" => Self::Wake,
            "frame" => Self::Frame,
            "timer" => Self::Timer,
            "open" => Self::Open(text),
            "text" => Self::Text(text?),
            "closed" => Self::Closed(text),
            "sanitizer" => Self::Sanitizer(text.map_or(Ok(()), Err)),
            "retry" => Self::Retry(MessageId::new(text?).ok()?),
            _ => return None,
        })
    }

    /// As the browser tells it; `value` is text, or what was thrown.
    fn heard(name: &str, value: &JsValue) -> Option<Self> {
        Some(match name {
            "closed" if value.is_undefined() => Self::Closed(None),
            "closed" => Self::Closed(Some(message_of(value))),
            "no_token" => Self::Closed(Some("the token can't be had: ".to_owned() + &message_of(value))),
            "no_sanitizer" => Self::Sanitizer(Err(message_of(value))),
            _ => return Self::parse(name, value.as_string()),
        })
    }

    /// The page's own code can bring it about, at any time. All else comes in a task of its own.
    fn is_from_page(&self) -> bool {
        matches!(self, Self::Wake | Self::Sanitizer(_) | Self::Retry(_))
    }
}

pub struct Driver {
    client: RefCell<Client>,
    page: Page,
    line: RefCell<Option<Line>>,
    tab: Tab,
    url: Option<String>,
    token: Option<Function>,
    emit: Function,
    slot: Option<Slot>,
    world: World,
    frames: Frames,
    /// When the timer is due that is set.
    timer: Cell<Option<Millis>>,
    draining: Cell<bool>,
    closed: Cell<bool>,
    /// The last of all: what the others tell, they tell it. What is dropped from within its own call lives until that returns.
    tell: Tell,
}

impl Driver {
    pub fn new(setup: Setup) -> Rc<Self> {
        let driver = Rc::new_cyclic(|weak: &Weak<Self>| {
            let (heard, drawn) = (weak.clone(), weak.clone());
            let tell = Tell::new(move |name: String, value| {
                if let Some(driver) = heard.upgrade() {
                    driver.hear(&name, &value);
                }
            });
            let draw = move || {
                if let Some(driver) = drawn.upgrade() {
                    driver.in_own_task(Input::Frame);
                }
            };
            Self {
                client: RefCell::new(setup.client),
                page: Page::new(&setup.root, &setup.drawings, &tell),
                line: RefCell::new(None),
                tab: Tab::new(&tell),
                // A tape needs no socket.
                url: setup.url.filter(|_| !setup.world.is_replay),
                token: setup.token,
                emit: setup.emit,
                slot: setup.slot,
                world: setup.world,
                frames: Frames::new(draw),
                timer: Cell::new(None),
                draining: Cell::new(false),
                closed: Cell::new(false),
                tell,
            }
        });
        if !driver.world.is_replay {
            driver.tab.listen();
            let kept = driver.slot.as_ref().and_then(Slot::read);
            driver.happen(Input::Start(kept));
        }
        driver
    }

    /// What the page is told of the time, of chance, and the ids that it gets.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Something that a tape has kept happens again. False for what is on no tape.
    pub fn play(self: &Rc<Self>, name: &str, text: Option<String>) -> bool {
        let input = Input::parse(name, text).filter(|_| self.world.is_replay);
        input.map(|input| self.happen(input)).is_some()
    }

    fn happen(self: &Rc<Self>, input: Input) {
        let (name, text) = input.told();
        self.world.input(name, text);
        let (now, random) = (|| self.world.now(), || self.world.random());
        match input {
            Input::Start(kept) => self.with(|client| {
                // A snapshot that can't be read is as good as none: the relay has everything.
                let open = kept.and_then(|kept| client.restore(&kept).ok()).flatten();
                client.connect(now());
                if let Some(open) = open {
                    client.open(open, now());
                }
            }),
            Input::Wake => self.with(|client| client.handle_wake(now())),
            Input::Frame => self.draw(),
            Input::Timer => {
                self.timer.set(None);
                self.with(|client| client.handle_timeout(now(), random()));
            }
            Input::Open(token) => self.with(|client| client.handle_open(token, now())),
            Input::Text(text) => self.with(|client| client.handle_text(&text, now())),
            Input::Closed(words) => self.with(|client| client.handle_closed(words, now(), random())),
            Input::Sanitizer(loaded) => self.with(|client| client.handle_sanitizer(loaded)),
            // The button of a message that is gone does nothing.
            Input::Retry(id) => drop(self.with(|client| client.retry(&id))),
        }
    }

    /// At the start of a task of its own nothing is being drained; else the task before was left by an exception.
    fn in_own_task(self: &Rc<Self>, input: Input) {
        if self.draining.get() {
            death::torn();
        } else {
            self.happen(input);
        }
    }

    /// What the browser tells.
    fn hear(self: &Rc<Self>, name: &str, value: &JsValue) {
        if name == "save" {
            return self.save();
        }
        match Input::heard(name, value) {
            // Who looks at a replay does not change it.
            Some(Input::Retry(_)) if self.world.is_replay => {}
            Some(input) if input.is_from_page() => self.happen(input),
            Some(input) => self.in_own_task(input),
            None => {}
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

    /// What the buttons of images say.
    pub fn say_images(&self, sentence: Option<&str>) {
        self.page.say_images(sentence);
    }

    /// How many elements with a message's id stand in the root.
    pub fn containers(&self) -> u32 {
        self.page.count()
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

    /// The elements are somebody else's now: the page's, or of what comes after this module.
    fn is_over(&self) -> bool {
        self.closed.get() || death::is_known()
    }

    fn perform(self: &Rc<Self>, output: Output) {
        match output {
            Output::Disconnect => drop(self.line.take()),
            Output::Emit(event) => {
                // The package's own function: it queues and does not throw.
                let _ = self.emit.call1(&JsValue::UNDEFINED, &event.to_json().into());
            }
            _ if self.is_over() => {}
            Output::Connect => self.connect(),
            Output::Transmit(text) => {
                // A socket that is closing loses it, and `handle_closed` follows.
                if let Some(line) = self.line.borrow().as_ref() {
                    line.send(&text);
                }
            }
            Output::Show(conversation) => self.page.show(&conversation),
            Output::Mount(mount) => self.page.mount(&mount),
            Output::Unmount(id) => self.page.unmount(&id),
            Output::Reset(id) => self.page.reset(&id),
            Output::SetStatus(id, appearance) => self.page.set_status(&id, &appearance),
            // A tape says when there is a frame, and when the sanitiser is there.
            Output::RequestFrame | Output::LoadSanitizer if self.world.is_replay => {}
            Output::RequestFrame => self.frames.request(),
            Output::Render => self.paint(),
            Output::LoadSanitizer => self.page.load_sanitizer(),
            Output::GiveUpSanitizer => self.page.give_up_sanitizer(),
            Output::Survey => {
                let found = self.page.survey();
                self.client.borrow_mut().handle_survey(found, self.world.now());
            }
        }
    }

    fn connect(&self) {
        let Some(url) = &self.url else { return };
        // The one before closes here, and the fetch of its token is in vain.
        self.line.replace(Some(Line::open(url, self.token.as_ref(), &self.tell)));
    }

    /// The frame that was asked for.
    fn draw(self: &Rc<Self>) {
        // The page's code may run from within a change of the DOM: what it asks for waits until this is done.
        self.draining.set(true);
        self.paint();
        self.draining.set(false);
        self.drain();
    }

    fn paint(&self) {
        let sanitizer = self.world.sanitizer(self.page.sanitizer()).unwrap_or_default();
        // Its own statement: the borrow must end before anything of it is put into the DOM.
        let news = self.client.borrow_mut().render(self.world.now());
        for news in news {
            if self.is_over() {
                return;
            }
            if self.page.paint(&news, &sanitizer) {
                self.client.borrow_mut().want_sanitizer();
            }
        }
    }

    /// A timer that is early is kept: it finds nothing to do, and the next one is set then. Every frame that comes in
    /// puts the heartbeat off, and must not cost a timer.
    fn set_timer(self: &Rc<Self>) {
        if self.world.is_replay {
            return;
        }
        let due = self.client.borrow().poll_timeout();
        match due {
            None => {
                self.timer.set(None);
                self.tab.clear_timer();
            }
            Some(due) if self.timer.get().is_none_or(|at| at > due) => {
                let delay = u32::try_from(due.saturating_sub(self.world.now())).unwrap_or(u32::MAX >> 1);
                self.timer.set(Some(due));
                self.tab.set_timer(delay);
            }
            Some(_) => {}
        }
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
        self.closed.set(true);
        self.with(Client::close);
        self.tab.leave();
    }
}
