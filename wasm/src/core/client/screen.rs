//! What is on screen: which messages have an element, what text their engines hold, what the sweeper says.

use riacho_protocol::{ConversationId, InterruptReason, MessageId, Role, Status};

use super::{Appearance, Client, Mount, Output, SanitizerState, View};
use crate::core::Millis;
use crate::core::engine::{Batch, Engine, Sanitize};
use crate::core::event::Event;
use crate::core::message::{Ending, Message, Origin};
use crate::core::registry::Place;
use crate::core::sweeper::{Container, Known, Verdict, verdict};

impl Client {
    /// The next frame has come: every engine with news brings its tree up to date. `paint` gets the operations of
    /// each; it must not call back into this client.
    pub fn render(&mut self, sanitizer: Option<&dyn Sanitize>, mut paint: impl FnMut(&MessageId, &Batch)) {
        self.frame_requested = false;
        let mut wants_sanitizer = false;
        for (id, view) in self.views.iter_mut() {
            if !std::mem::take(&mut view.dirty) {
                continue;
            }
            if view.ended {
                view.engine.end(sanitizer);
            } else {
                view.engine.flush(sanitizer);
            }
            wants_sanitizer |= view.engine.wants_sanitizer();
            paint(id, view.engine.batch());
            view.engine.clear_batch();
        }
        if wants_sanitizer && self.sanitizer == SanitizerState::NotAsked {
            self.sanitizer = SanitizerState::Loading;
            self.outputs.push_back(Output::LoadSanitizer);
        }
    }

    /// The second wasm module is here, or can't be had: then raw HTML stays text, and an event says so.
    pub fn handle_sanitizer(&mut self, loaded: Result<(), String>) {
        match loaded {
            Ok(()) => self.sanitizer = SanitizerState::Ready,
            Err(message) => {
                self.sanitizer = SanitizerState::Failed;
                self.views.values_mut().for_each(|view| view.engine.sanitizer_failed());
                self.emit(Event::SanitizerUnavailable { message });
            }
        }
        for view in self.views.values_mut() {
            view.dirty = true;
        }
        if !self.views.is_empty() {
            self.request_frame();
        }
    }

    fn request_frame(&mut self) {
        if !std::mem::replace(&mut self.frame_requested, true) {
            self.outputs.push_back(Output::RequestFrame);
        }
    }

    /// Puts another conversation's view up. Elements of the one before go with its view.
    pub(super) fn show_view(&mut self, conversation: &ConversationId, now: Millis) {
        self.views.clear();
        self.outputs.push_back(Output::Show(conversation.clone()));
        let ids: Vec<MessageId> = self.registry.in_order(conversation).map(|(id, _)| id.clone()).collect();
        for id in &ids {
            if !self.is_swept(id, now) {
                self.mount(id);
            }
        }
        // The view may bring containers of its own: a server rendered them.
        self.survey(now);
    }

    pub(super) fn add_message(&mut self, id: MessageId, message: Message, place: Place<'_>) {
        let (conversation_id, epoch, role) = (message.conversation.clone(), message.epoch, message.role);
        self.registry.insert(id.clone(), message, place);
        if self.router.is_on_screen(&conversation_id) {
            self.mount(&id);
        }
        self.emit(Event::Message { conversation_id, message_id: id, epoch, role });
    }

    /// It would be swept at once: it gets no element.
    fn is_swept(&self, id: &MessageId, now: Millis) -> bool {
        self.registry.get(id).is_some_and(|message| {
            let container =
                Container { message_id: id.clone(), role: None, has_text: message.origin == Origin::Page };
            verdict(self.config.sweep, &container, Some(known(message)), now) == Verdict::Sweep
        })
    }

    fn mount(&mut self, id: &MessageId) {
        let Some(message) = self.registry.get(id) else { return };
        self.outputs.push_back(Output::Mount(Mount {
            message_id: id.clone(),
            conversation_id: message.conversation.clone(),
            role: message.role,
            after: self.registry.previous(id).cloned(),
            appearance: appearance(message, None),
        }));
        if message.origin == Origin::Log {
            self.views.insert(id.clone(), self.new_view(id));
            self.catch_up(id);
            self.render_soon(id);
        }
    }

    /// An element never says more than its text: who reads `completed` on the page finds all of it there.
    fn render_soon(&mut self, id: &MessageId) {
        self.render_due |= self.views.get(id).is_some_and(|view| view.dirty);
    }

    fn new_view(&self, id: &MessageId) -> View {
        let mut engine = Engine::new(self.config.policy.clone(), id.as_str());
        if self.sanitizer == SanitizerState::Failed {
            engine.sanitizer_failed();
        }
        View { engine, pushed: 0, dirty: false, ended: false }
    }

    /// Gives the engine what it does not have yet of the text so far: all of it where it is new, what came meanwhile
    /// where the display stood still.
    pub(super) fn catch_up(&mut self, id: &MessageId) {
        let (Some(message), Some(view)) = (self.registry.get(id), self.views.get_mut(id)) else { return };
        let mut shown = std::mem::take(&mut view.pushed);
        for (separator, text) in message.shown() {
            for piece in [separator, text] {
                let skip = shown.min(piece.len());
                shown -= skip;
                if let Some(rest) = piece.get(skip..).filter(|rest| !rest.is_empty()) {
                    view.engine.push(rest);
                    view.dirty = true;
                }
                view.pushed += piece.len();
            }
        }
        view.ended = message.status.is_terminal();
        view.dirty |= view.ended;
        if view.dirty {
            self.request_frame();
        }
    }

    pub(super) fn show_text(&mut self, id: &MessageId, separator: &str, text: &str) {
        if let Some(view) = self.views.get_mut(id) {
            view.engine.push(separator);
            view.engine.push(text);
            view.pushed += separator.len() + text.len();
            view.dirty = true;
            self.request_frame();
        }
    }

    pub(super) fn show_end(&mut self, id: &MessageId) {
        let paused = self.registry.get(id).is_some_and(|message| message.paused);
        if let Some(view) = self.views.get_mut(id)
            && !paused
        {
            view.ended = true;
            view.dirty = true;
            self.request_frame();
        }
    }

    pub(super) fn show_status(&mut self, id: &MessageId) {
        self.show_detail(id, None);
    }

    pub(super) fn show_detail(&mut self, id: &MessageId, detail: Option<String>) {
        if self.views.contains_key(id)
            && let Some(message) = self.registry.get(id)
        {
            let appearance = appearance(message, detail);
            if message.status.is_terminal() {
                self.render_soon(id);
            }
            self.outputs.push_back(Output::SetStatus(id.clone(), appearance));
        }
    }

    pub(super) fn reset_view(&mut self, id: &MessageId) {
        if self.views.contains_key(id) {
            self.views.insert(id.clone(), self.new_view(id));
            self.outputs.push_back(Output::Reset(id.clone()));
            self.show_status(id);
        } else if self.registry.get(id).is_some_and(|m| self.router.is_on_screen(&m.conversation)) {
            // Its empty element was swept, and now there will be text after all.
            self.mount(id);
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
        if self.router.is_on_screen(&message.conversation) {
            self.views.insert(id.clone(), self.new_view(id));
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
                Verdict::Sweep => {
                    self.views.remove(&container.message_id);
                    self.outputs.push_back(Output::Unmount(container.message_id));
                }
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
        self.registry.insert(container.message_id.clone(), message, Place::Last);
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

fn appearance(message: &Message, detail: Option<String>) -> Appearance {
    let ending = message.ending.as_ref().filter(|_| message.status.is_terminal());
    let can_retry =
        message.role == Role::Assistant && matches!(message.status, Status::Interrupted | Status::Error);
    Appearance {
        status: message.status,
        paused: message.paused,
        notice: notice(ending).or(detail),
        can_retry,
    }
}

/// What is said under an answer that did not end well.
fn notice(ending: Option<&Ending>) -> Option<String> {
    let ending = ending?;
    if let Some(failure) = &ending.error {
        return Some(match failure.retry_after {
            Some(seconds) => format!("{} Try again in {seconds} s.", failure.message),
            None => failure.message.clone(),
        });
    }
    let words = match ending.reason? {
        InterruptReason::Stopped => "Stopped.",
        InterruptReason::Restart => "The connection to the model was lost when the relay restarted.",
        InterruptReason::Unread => "Ended because nobody was reading.",
    };
    Some(words.to_owned())
}
