//! The composing type: what a page does and what the relay says go in, what the edge must do comes out.
//!
//! Sans-I/O. The edge calls one of
//! - what the page wants: [`Client::open`], [`Client::send`], [`Client::stop`], [`Client::pause`], …
//! - what happened: [`Client::handle_open`], [`Client::handle_text`], [`Client::handle_closed`],
//!   [`Client::handle_event`], [`Client::handle_survey`], [`Client::handle_sanitizer`], [`Client::handle_timeout`]
//!
//! and after each of them drains [`Client::poll_output`] to its end, then asks [`Client::poll_timeout`] when to call
//! `handle_timeout`. On [`Output::RequestFrame`] it calls [`Client::render`] once, when the next frame comes; on
//! [`Output::Render`] at once. What `render` gives is text: how it looks, and what of it is safe, is for who renders it.
//! Nothing here knows the clock, the DOM, a socket or a random number, and nothing here calls back.

mod connection;
mod debug;
mod frames;
mod history;
mod notice;
mod pace;
mod page;
mod screen;
mod snapshot;
mod window;

use std::collections::VecDeque;

use riacho_protocol::{
    ClientFrame, ConversationId, Limits, ListConversations, Map, MessageId, Preferences, Role, Status,
    UpdateConversation,
};

use super::Millis;
use super::event::Event;
use super::registry::Registry;
use super::router::Router;
use super::sweeper::Sweep;

pub use debug::Debug;
pub use page::{Receipt, SendError, SendRequest};
pub use screen::{Extent, News};
pub use snapshot::SnapshotError;

use connection::Connection;
use history::Older;
use notice::Words;
use pace::Pace;
use window::Window;

/// Where events come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A relay of ours, over one socket.
    Relay,
    /// The page's own, through [`Client::handle_event`].
    Page,
}

/// What a client is made with.
#[derive(Debug, Clone)]
pub struct Config {
    pub transport: Transport,
    pub sweep: Sweep,
    /// So many messages have an element, until the page moves the window; `None`: all of them.
    pub window: Option<usize>,
    /// What the relay may count, where the page allows it. Told once.
    pub preferences: Preferences,
}

/// What the edge must do, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Open a socket (closing one that is open); answer with `handle_open` or `handle_closed`.
    Connect,
    /// Close the socket; no answer.
    Disconnect,
    Transmit(String),
    /// Take the view of the conversation before off the page and put up this one's, empty or as it was found.
    Show(ConversationId),
    /// Put up one element for a message, or take the one that is there.
    Mount(Mount),
    Unmount(MessageId),
    /// A new epoch: the content is emptied, the element stays.
    Reset(MessageId),
    SetStatus(MessageId, Appearance),
    /// Call [`Client::render`] when the next frame comes.
    RequestFrame,
    /// Call [`Client::render`] now, in the same task: no element may say more than its text. It comes last, when every
    /// element that it paints stands.
    Render,
    /// Fetch the sanitiser; answer with `handle_sanitizer`.
    LoadSanitizer,
    /// It will not come: no text waits for it any more, on the page now or later.
    GiveUpSanitizer,
    /// Look the page over for containers; answer with `handle_survey`.
    Survey,
    Emit(Event),
}

/// Where an element goes and what it says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Mount {
    pub message_id: MessageId,
    pub conversation_id: ConversationId,
    pub role: Role,
    /// Behind this message's element; first in the view when there is none.
    pub after: Option<MessageId>,
    pub appearance: Appearance,
}

/// What shows of a message beside its text.
#[derive(Debug, Clone, PartialEq)]
pub struct Appearance {
    pub status: Status,
    pub paused: bool,
    /// A sentence under the text: what went wrong, what it waits for.
    pub notice: Option<String>,
    /// What the button says, where another try makes sense.
    pub retry: Option<String>,
}

/// One message on the page.
#[derive(Default)]
struct View {
    /// The text that came since the last frame.
    fresh: String,
    /// How much of the message's shown text is on the page, or in `fresh`, in bytes.
    pushed: usize,
    /// Something came since the last frame.
    dirty: bool,
    /// The text is whole.
    ended: bool,
    /// There is text that its pace has not let through yet.
    behind: bool,
}

/// The client of one page. See the module for the order of calls.
pub struct Client {
    config: Config,
    registry: Registry,
    router: Router,
    connection: Connection,
    limits: Limits,
    /// Messages on screen. Invariant: each is in the registry, and in the window of the conversation that is on screen.
    views: Map<MessageId, View>,
    window: Window,
    pace: Pace,
    words: Words,
    /// Sent by the page and not yet seen to have arrived; sent again after a reconnect.
    outbox: Vec<SendRequest>,
    /// Frames that wait for the socket; each is fenced by its epoch, so a late one does no harm.
    waiting_frames: Vec<ClientFrame>,
    /// Rooms that were left, the last one last, whose text is still here.
    left: Vec<ConversationId>,
    /// What is before the first message of each conversation.
    older: Map<ConversationId, Older>,
    /// The page wants the list of conversations; asked for again on every socket.
    wants_list: bool,
    /// A text waited for the sanitiser: it is asked for once.
    sanitizer_wanted: bool,
    next_sweep: Option<Millis>,
    frame_requested: bool,
    /// The text must be on the page when the outputs are done, not a frame later.
    render_due: bool,
    outputs: VecDeque<Output>,
}

impl Client {
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            window: Window::of(config.window),
            pace: Pace::default(),
            words: Words::default(),
            config,
            registry: Registry::default(),
            router: Router::default(),
            connection: Connection::default(),
            limits: Limits::default(),
            views: Map::default(),
            outbox: Vec::new(),
            waiting_frames: Vec::new(),
            left: Vec::new(),
            older: Map::default(),
            wants_list: false,
            sanitizer_wanted: false,
            next_sweep: None,
            frame_requested: false,
            render_due: false,
            outputs: VecDeque::new(),
        }
    }

    /// What to do next; `None` when there is nothing left to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front().or_else(|| std::mem::take(&mut self.render_due).then_some(Output::Render))
    }

    /// When to call [`Client::handle_timeout`]; `None` when nothing is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Millis> {
        [self.connection.next_timeout(), self.next_sweep].into_iter().flatten().min()
    }

    pub fn handle_timeout(&mut self, now: Millis, random: u32) {
        self.connection_timeout(now, random);
        if self.next_sweep.is_some_and(|at| at <= now) {
            self.next_sweep = None;
            self.survey(now);
        }
    }

    /// Asks for the list of conversations, now and whenever it changes.
    pub fn list_conversations(&mut self) {
        self.wants_list = true;
        if self.connection.is_open() {
            self.transmit(&ListConversations {}.into());
        }
    }

    /// Names a conversation, closes it, or opens it again.
    pub fn update_conversation(&mut self, update: UpdateConversation) {
        self.transmit_or_keep(update.into());
    }

    fn emit(&mut self, event: Event) {
        self.outputs.push_back(Output::Emit(event));
    }

    fn transmit(&mut self, frame: &ClientFrame) {
        self.outputs.push_back(Output::Transmit(frame.encode()));
    }

    /// Sends a frame now, or as soon as the rooms are joined again. The oldest goes when too many wait.
    fn transmit_or_keep(&mut self, frame: ClientFrame) {
        const MOST_WAITING: usize = 100;
        if self.config.transport == Transport::Page {
            return;
        }
        if self.connection.is_open() {
            self.transmit(&frame);
            return;
        }
        if self.waiting_frames.len() >= MOST_WAITING {
            self.waiting_frames.remove(0);
        }
        self.waiting_frames.push(frame);
    }
}

#[cfg(test)]
mod foreign_tests;
#[cfg(test)]
mod line_tests;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod view_tests;
