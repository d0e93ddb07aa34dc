//! What is on screen: which messages have an element, how much of their text is there, what the sweeper says.

use riacho_protocol::{ConversationId, MessageId, Role, Status};

use super::window::Entry;
use super::{Client, Mount, Output, View};
use crate::core::Millis;
use crate::core::event::Event;
use crate::core::message::{Message, Origin};
use crate::core::registry::Place;
use crate::core::sweeper::{Container, Known, Verdict, verdict};

/// What one frame brings of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    pub message_id: MessageId,
    /// It comes behind what the frames before have brought, since the element was put up or reset. It may be empty.
    pub text: String,
    pub extent: Extent,
}

/// How much of a text is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// More may come.
    SoFar,
    Whole,
}

impl View {
    fn push(&mut self, text: &str) {
        self.fresh.push_str(text);
        self.pushed += text.len();
        self.dirty = true;
    }
}

impl Client {
    /// The next frame has come: what it brings to the page, message by message.
    pub fn render(&mut self, now: Millis) -> Vec<News> {
        self.frame_requested = false;
        self.advance(now);
        let mut news = Vec::new();
        for (id, view) in self.views.iter_mut() {
            if std::mem::take(&mut view.dirty) {
                news.push(News {
                    message_id: id.clone(),
                    text: std::mem::take(&mut view.fresh),
                    extent: if view.ended { Extent::Whole } else { Extent::SoFar },
                });
            }
        }
        news
    }

    /// What was rendered waits for the sanitiser.
    pub fn want_sanitizer(&mut self) {
        if !std::mem::replace(&mut self.sanitizer_wanted, true) {
            self.outputs.push_back(Output::LoadSanitizer);
        }
    }

    /// The second wasm module is here, or can't be had: then raw HTML stays text, and an event says so.
    pub fn handle_sanitizer(&mut self, loaded: Result<(), String>) {
        if let Err(message) = loaded {
            self.outputs.push_back(Output::GiveUpSanitizer);
            self.emit(Event::SanitizerUnavailable { message });
        }
        for view in self.views.values_mut() {
            view.dirty = true;
        }
        if !self.views.is_empty() {
            self.request_frame();
        }
    }

    pub(super) fn request_frame(&mut self) {
        if !std::mem::replace(&mut self.frame_requested, true) {
            self.outputs.push_back(Output::RequestFrame);
        }
    }

    /// Puts another conversation's view up. Elements of the one before go with its view.
    pub(super) fn show_view(&mut self, conversation: &ConversationId, now: Millis) {
        self.views.clear();
        self.outputs.push_back(Output::Show(conversation.clone()));
        self.open_window(now);
        // The view may bring containers of its own: a server rendered them.
        self.survey(now);
    }

    pub(super) fn add_message(&mut self, id: MessageId, message: Message, place: Place<'_>) {
        let (conversation_id, epoch, role) = (message.conversation.clone(), message.epoch, message.role);
        let index = self.registry.insert(id.clone(), message, place);
        if self.router.is_on_screen(&conversation_id)
            && let Some(index) = index
        {
            self.enter(&id, index);
        }
        self.emit(Event::Message { conversation_id, message_id: id, epoch, role });
    }

    /// A message came to be in the conversation on screen.
    fn enter(&mut self, id: &MessageId, index: usize) {
        let (before, count) = self.window();
        match self.window.insert(index, count.saturating_sub(1)) {
            Entry::Inside => self.mount(id, index),
            Entry::InsteadOfFirst => {
                let order = self.router.on_screen().map(|conversation| self.registry.order(conversation));
                if let Some(first) = order.and_then(|order| order.get(before.start)).cloned() {
                    self.unmount(first);
                }
                self.mount(id, index);
            }
            Entry::Outside => {}
        }
    }

    /// It would be swept at once: it gets no element.
    pub(super) fn is_swept(&self, id: &MessageId, now: Millis) -> bool {
        self.registry.get(id).is_some_and(|message| {
            let container =
                Container { message_id: id.clone(), role: None, has_text: message.origin == Origin::Page };
            verdict(self.config.sweep, &container, Some(known(message)), now) == Verdict::Sweep
        })
    }

    pub(super) fn mount(&mut self, id: &MessageId, index: usize) {
        let Some(message) = self.registry.get(id) else { return };
        self.outputs.push_back(Output::Mount(Mount {
            message_id: id.clone(),
            conversation_id: message.conversation.clone(),
            role: message.role,
            after: self.neighbour(index),
            appearance: self.appearance(message),
        }));
        if message.origin == Origin::Log {
            self.views.insert(id.clone(), View::default());
            self.catch_up(id);
            self.render_soon(id);
        }
    }

    /// An element never says more than its text: who reads `completed` on the page finds all of it there.
    fn render_soon(&mut self, id: &MessageId) {
        self.render_due |= self.views.get(id).is_some_and(|view| view.dirty);
    }

    /// Gives the view what it does not have yet of the text so far: all of it where it is new, what came meanwhile
    /// where the display stood still.
    pub(super) fn catch_up(&mut self, id: &MessageId) {
        self.catch_up_by(id, usize::MAX);
    }

    /// The same, but for no more than so many characters.
    pub(super) fn catch_up_by(&mut self, id: &MessageId, mut characters: usize) {
        let (Some(message), Some(view)) = (self.registry.get(id), self.views.get_mut(id)) else { return };
        let mut shown = view.pushed;
        let was_behind = std::mem::take(&mut view.behind);
        'text: for (separator, text) in message.shown() {
            for piece in [separator, text] {
                let skip = shown.min(piece.len());
                shown -= skip;
                let Some(rest) = piece.get(skip..).filter(|rest| !rest.is_empty()) else { continue };
                let end = match characters {
                    usize::MAX => rest.len(),
                    most => rest.char_indices().nth(most).map_or(rest.len(), |(end, _)| end),
                };
                let part = rest.get(..end).unwrap_or(rest);
                if !part.is_empty() {
                    view.push(part);
                }
                if end < rest.len() {
                    view.behind = true;
                    break 'text;
                }
                if characters != usize::MAX {
                    characters = characters.saturating_sub(rest.chars().count());
                }
            }
        }
        view.ended = message.status.is_terminal() && !view.behind;
        view.dirty |= view.ended;
        let (dirty, told) = (view.dirty, was_behind && view.ended);
        if told {
            self.show_status(id);
        }
        if dirty {
            self.request_frame();
        }
    }

    pub(super) fn show_text(&mut self, id: &MessageId, separator: &str, text: &str) {
        let paced = self.is_paced(id);
        if let Some(view) = self.views.get_mut(id) {
            if paced || view.behind {
                view.behind = true;
                return self.request_frame();
            }
            view.push(separator);
            view.push(text);
            self.request_frame();
        }
    }

    pub(super) fn show_end(&mut self, id: &MessageId) {
        let paused = self.registry.get(id).is_some_and(|message| message.paused);
        if let Some(view) = self.views.get_mut(id)
            && !paused
            && !view.behind
        {
            view.ended = true;
            view.dirty = true;
            self.request_frame();
        }
    }

    pub(super) fn show_status(&mut self, id: &MessageId) {
        if let (Some(view), Some(message)) = (self.views.get(id), self.registry.get(id)) {
            let mut appearance = self.appearance(message);
            if view.behind && message.status.is_terminal() {
                // An element never says more than its text.
                (appearance.status, appearance.notice, appearance.retry) = (Status::Streaming, None, None);
            } else if message.status.is_terminal() {
                self.render_soon(id);
            }
            self.outputs.push_back(Output::SetStatus(id.clone(), appearance));
        }
    }

    pub(super) fn reset_view(&mut self, id: &MessageId) {
        if self.views.contains_key(id) {
            self.views.insert(id.clone(), View::default());
            self.outputs.push_back(Output::Reset(id.clone()));
            self.show_status(id);
        } else if self.is_in_window(id)
            && let Some(index) = self.registry.index(id)
        {
            // Its empty element was swept, and now there will be text after all.
            self.mount(id, index);
        }
    }

    /// A transport speaks of a message that was on the page before: from now on its status is the transport's. What
    /// stands there stays until text comes.
    pub(super) fn claim(&mut self, id: &MessageId) {
        let Some(message) = self.registry.get_mut(id) else { return };
        if message.origin == Origin::Log || self.views.contains_key(id) {
            return;
        }
        message.status = Status::Pending;
        message.ended_at = None;
        if self.is_in_window(id) {
            self.views.insert(id.clone(), View::default());
            self.show_status(id);
        }
    }

    /// The first text of a message that was on the page before takes the place of what stands there.
    pub(super) fn replace_adopted(&mut self, id: &MessageId) {
        if let Some(message) = self.registry.get_mut(id)
            && message.origin == Origin::Page
        {
            message.origin = Origin::Log;
            self.reset_view(id);
        }
    }

    pub(super) fn survey(&mut self, now: Millis) {
        self.outputs.push_back(Output::Survey);
        if self.router.on_screen().is_some() {
            self.next_sweep = Some(now + self.config.sweep.interval);
        }
    }

    /// What containers the edge found on the page. An element with no entry is adopted or swept; a known one is
    /// swept when nothing will ever fill it.
    pub fn handle_survey(&mut self, containers: Vec<Container>, now: Millis) {
        for container in containers {
            let known = self.registry.get(&container.message_id).map(known);
            match verdict(self.config.sweep, &container, known, now) {
                Verdict::Keep => {}
                Verdict::Adopt => self.adopt(&container, now),
                Verdict::Sweep => self.unmount(container.message_id),
            }
        }
    }

    /// Takes in an element that a server rendered. Its raw text is not known, so the entry has none: if a transport
    /// brings the text, it takes the place of what stands there, in the same element.
    fn adopt(&mut self, container: &Container, now: Millis) {
        let Some(conversation) = self.router.on_screen().cloned() else { return };
        let mut message = Message::new(conversation.clone(), container.role.unwrap_or(Role::Assistant));
        message.status = Status::Completed;
        message.ended_at = Some(now);
        message.origin = Origin::Page;
        let index = self.registry.insert(container.message_id.clone(), message, Place::Last);
        if let Some(index) = index {
            // It stands there already: the page takes away what is far.
            self.window.insert(index, index);
        }
        self.emit(Event::Message {
            conversation_id: conversation,
            message_id: container.message_id.clone(),
            epoch: 0,
            role: container.role.unwrap_or(Role::Assistant),
        });
    }
}

fn known(message: &Message) -> Known {
    Known {
        status: message.status,
        paused: message.paused,
        has_text: !message.text().is_empty(),
        ended_at: message.ended_at,
    }
}
