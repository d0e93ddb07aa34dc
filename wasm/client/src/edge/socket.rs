//! One WebSocket. Dropping it closes the socket and takes its listeners off.
//!
//! By hand and not through gloo-net: the streams, sinks and channels around four events were 12 KB of wasm.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use gloo_events::EventListener;
use js_sys::{Function, Promise};
use riacho_browser::error::message_of;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{MessageEvent, WebSocket};

/// What a socket tells its owner.
pub enum SocketEvent {
    /// Open; with the token that was fetched for it.
    Open(Option<String>),
    Text(String),
    /// Gone, or it never came to be; in words, where there are any.
    Closed(Option<String>),
}

/// A socket, or the fetch of the token for it.
#[must_use = "a socket closes when it is dropped"]
pub struct Socket {
    line: Rc<Line>,
}

/// What the listeners reach by a weak reference: they tell nobody anything once their owner is gone.
struct Line {
    on_event: Box<dyn Fn(SocketEvent)>,
    live: RefCell<Option<Live>>,
}

struct Live {
    socket: WebSocket,
    _listeners: [EventListener; 3],
}

impl Drop for Live {
    fn drop(&mut self) {
        // One that is closing or closed already is left as it is.
        let _ = self.socket.close();
    }
}

impl Socket {
    /// Fetches a token where the page gives one, then opens. Tells `on_event` all that comes of it, `Closed` last.
    pub fn open(url: String, token: Option<Function>, on_event: impl Fn(SocketEvent) + 'static) -> Self {
        let line = Rc::new(Line { on_event: Box::new(on_event), live: RefCell::new(None) });
        let weak = Rc::downgrade(&line);
        // In a task of its own, with a token and without: nothing is told before the caller has what tells it.
        spawn_local(async move {
            let fetched = match &token {
                Some(token) => fetch_token(token).await,
                None => Ok(None),
            };
            let Some(line) = weak.upgrade() else { return };
            match fetched {
                Ok(token) => line.connect(&url, token),
                Err(thrown) => {
                    line.end(Some(format!("the token can't be had: {}", message_of(&thrown))));
                }
            }
        });
        Self { line }
    }

    /// Sends a text frame. False when the socket is not open.
    pub fn send(&self, text: &str) -> bool {
        let live = self.line.live.borrow();
        let open = live.as_ref().filter(|live| live.socket.ready_state() == WebSocket::OPEN);
        open.is_some_and(|live| live.socket.send_with_str(text).is_ok())
    }
}

impl Line {
    fn connect(self: &Rc<Self>, url: &str, token: Option<String>) {
        let socket = match WebSocket::new(url) {
            Ok(socket) => socket,
            Err(thrown) => return self.end(Some(message_of(&thrown))),
        };
        let opened =
            self.listener(&socket, "open", move |line, _| line.tell(SocketEvent::Open(token.clone())));
        let heard = self.listener(&socket, "message", |line, event| {
            // The wire is text; a relay of ours sends nothing else.
            let text = event.dyn_ref::<MessageEvent>().and_then(|event| event.data().as_string());
            if let Some(text) = text {
                line.tell(SocketEvent::Text(text));
            }
        });
        // Comes after an error, too, and that says nothing.
        let closed = self.listener(&socket, "close", |line, _| line.end(None));
        self.live.replace(Some(Live { socket, _listeners: [opened, heard, closed] }));
    }

    fn listener(
        self: &Rc<Self>,
        socket: &WebSocket,
        name: &'static str,
        call: impl Fn(&Self, &web_sys::Event) + 'static,
    ) -> EventListener {
        let weak: Weak<Self> = Rc::downgrade(self);
        EventListener::new(socket, name, move |event| {
            if let Some(line) = weak.upgrade() {
                call(&line, event);
            }
        })
    }

    /// No borrow is held meanwhile: the owner may send, or drop the socket.
    fn tell(&self, event: SocketEvent) {
        (self.on_event)(event);
    }

    fn end(&self, words: Option<String>) {
        // Its own statement: what is told may open the next one. The listener of this very call lives until it returns.
        let _gone = self.live.take();
        self.tell(SocketEvent::Closed(words));
    }
}

/// Calls the page's `token()`; what it returns may be a promise.
async fn fetch_token(token: &Function) -> Result<Option<String>, JsValue> {
    let called = token.call0(&JsValue::UNDEFINED)?;
    Ok(JsFuture::from(Promise::resolve(&called)).await?.as_string())
}
