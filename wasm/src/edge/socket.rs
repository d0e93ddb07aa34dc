//! One WebSocket through gloo-net. Dropping it closes the socket and ends its task.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;

use futures_util::future::{AbortHandle, abortable};
use futures_util::{Sink, Stream};
use gloo_net::websocket::{Message, State, futures::WebSocket};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};

/// The socket of the task, once it is open. Borrowed only for the length of one poll or one send.
type Shared = Rc<RefCell<Option<WebSocket>>>;

/// What a socket tells its owner.
pub enum SocketEvent {
    /// Open; with the token that was fetched for it.
    Open(Option<String>),
    Text(String),
    /// Gone, or it never came to be; in words, where there are any.
    Closed(Option<String>),
}

/// A socket and the task that reads it.
#[must_use = "a socket closes when it is dropped"]
pub struct Socket {
    shared: Shared,
    task: AbortHandle,
}

impl Socket {
    /// Fetches a token where the page gives one, then opens. Tells `on_event` all that comes of it, `Closed` last.
    pub fn open(
        url: String,
        token: Option<js_sys::Function>,
        on_event: impl Fn(SocketEvent) + 'static,
    ) -> Self {
        let shared = Shared::default();
        let (task, handle) = abortable(run(url, token, shared.clone(), on_event));
        spawn_local(async move {
            // Aborted is what it is when the socket is dropped.
            let _ = task.await;
        });
        Self { shared, task: handle }
    }

    /// Sends a text frame. False when the socket is not open.
    pub fn send(&self, text: String) -> bool {
        let mut shared = self.shared.borrow_mut();
        let Some(socket) = shared.as_mut() else { return false };
        Pin::new(socket).start_send(Message::Text(text)).is_ok()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.task.abort();
        self.shared.take();
    }
}

async fn run(
    url: String,
    token: Option<js_sys::Function>,
    shared: Shared,
    on_event: impl Fn(SocketEvent) + 'static,
) {
    let token = match token {
        Some(token) => match fetch_token(&token).await {
            Ok(token) => token,
            Err(thrown) => {
                let words = super::error::message_of(&thrown);
                return on_event(SocketEvent::Closed(Some(format!("the token can't be had: {words}"))));
            }
        },
        None => None,
    };
    let mut socket = match WebSocket::open(&url) {
        Ok(socket) => socket,
        Err(error) => return on_event(SocketEvent::Closed(Some(error.to_string()))),
    };
    // Ready also when it failed to open: the state tells.
    let ready = poll_fn(|cx| Pin::new(&mut socket).poll_ready(cx)).await;
    if ready.is_err() || !matches!(socket.state(), State::Open) {
        return on_event(SocketEvent::Closed(None));
    }
    shared.replace(Some(socket));
    on_event(SocketEvent::Open(token));
    while let Some(message) = next(&shared).await {
        match message {
            Message::Text(text) => on_event(SocketEvent::Text(text)),
            // The wire is text; a relay of ours sends nothing else.
            Message::Bytes(_) => {}
        }
    }
    shared.take();
    on_event(SocketEvent::Closed(None));
}

/// The next message; `None` when the socket is gone.
async fn next(shared: &Shared) -> Option<Message> {
    poll_fn(|cx| match shared.borrow_mut().as_mut() {
        Some(socket) => Pin::new(socket).poll_next(cx),
        None => std::task::Poll::Ready(None),
    })
    .await?
    .ok()
}

/// Calls the page's `token()`; what it returns may be a promise.
fn fetch_token(token: &js_sys::Function) -> impl Future<Output = Result<Option<String>, JsValue>> + use<> {
    let called = token.call0(&JsValue::UNDEFINED);
    async move { Ok(JsFuture::from(js_sys::Promise::resolve(&called?)).await?.as_string()) }
}
