//! The line to the relay: greeting, heartbeat, reconnect, and what is sent again on a new socket.

use riacho_protocol::{
    ConversationId, Hello, JoinConversation, ListConversations, Map, MessageId, PROTOCOL_VERSION, Pause,
    Ping, Welcome,
};

use super::{Client, Output, Transport};
use crate::core::Millis;
use crate::core::event::{ConnectionState, Event};
use crate::core::message::Message;
use crate::core::reconnect::Backoff;
use crate::core::router::Join;

/// Where the socket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Link {
    #[default]
    Idle,
    /// Asked for; given up when it takes too long.
    Connecting {
        give_up: Millis,
    },
    /// Open, `hello` sent, no `welcome` yet.
    Greeting {
        give_up: Millis,
    },
    Open {
        next_ping: Millis,
        /// A frame must have come by then.
        deadline: Millis,
    },
    Waiting {
        until: Millis,
    },
    Closed,
}

/// The state of the line, without what goes over it.
#[derive(Debug, Default)]
pub(super) struct Connection {
    link: Link,
    backoff: Backoff,
    ping_interval: Option<Millis>,
}

const CONNECT_TIMEOUT: Millis = 15_000;
const PING_INTERVAL: Millis = 20_000;

impl Connection {
    pub(super) fn is_open(&self) -> bool {
        matches!(self.link, Link::Open { .. })
    }

    pub(super) fn close(&mut self) {
        self.link = Link::Closed;
    }

    pub(super) fn next_timeout(&self) -> Option<Millis> {
        match self.link {
            Link::Idle | Link::Closed => None,
            Link::Connecting { give_up } | Link::Greeting { give_up } => Some(give_up),
            Link::Open { next_ping, deadline } => Some(next_ping.min(deadline)),
            Link::Waiting { until } => Some(until),
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self.link {
            Link::Idle => "idle",
            Link::Connecting { .. } => "connecting",
            Link::Greeting { .. } => "greeting",
            Link::Open { .. } => "open",
            Link::Waiting { .. } => "waiting",
            Link::Closed => "closed",
        }
    }

    fn interval(&self) -> Millis {
        self.ping_interval.unwrap_or(PING_INTERVAL)
    }

    fn heard(&mut self, now: Millis) {
        let interval = self.interval();
        if let Link::Open { next_ping, deadline } = &mut self.link {
            *next_ping = now + interval;
            *deadline = now + 2 * interval;
        }
    }
}

impl Client {
    /// Opens the line. The page calls it once; it does nothing on the page's own transport.
    pub fn connect(&mut self, now: Millis) {
        if self.config.transport == Transport::Relay && self.connection.link == Link::Idle {
            self.start_connecting(now);
        }
    }

    /// The world says that a try makes sense now: the network is back, the tab is shown again.
    pub fn handle_wake(&mut self, now: Millis) {
        if let Link::Waiting { .. } = self.connection.link {
            self.start_connecting(now);
        }
    }

    fn start_connecting(&mut self, now: Millis) {
        self.connection.link = Link::Connecting { give_up: now + CONNECT_TIMEOUT };
        self.outputs.push_back(Output::Connect);
        self.emit(Event::Connection { state: ConnectionState::Connecting, retry_in_ms: None });
    }

    /// The socket is open; `token` is what the page gave for it.
    pub fn handle_open(&mut self, token: Option<String>, now: Millis) {
        if let Link::Connecting { .. } = self.connection.link {
            self.connection.link = Link::Greeting { give_up: now + CONNECT_TIMEOUT };
            // With the first only: who comes again has been counted.
            let preferences = std::mem::take(&mut self.config.preferences);
            self.transmit(&Hello { protocol: PROTOCOL_VERSION, token, preferences }.into());
        }
    }

    /// The socket is gone, or never came to be; in words, where there are any.
    pub fn handle_closed(&mut self, words: Option<String>, now: Millis, random: u32) {
        match self.connection.link {
            Link::Connecting { .. } | Link::Greeting { .. } | Link::Open { .. } => {}
            Link::Idle | Link::Waiting { .. } | Link::Closed => return,
        }
        if let Some(words) = words {
            self.emit_error("connection_failed", words);
        }
        let delay = self.connection.backoff.next_delay(random);
        self.connection.link = Link::Waiting { until: now + delay };
        self.router.forget_joins();
        self.emit(Event::Connection { state: ConnectionState::Waiting, retry_in_ms: Some(delay) });
    }

    pub(super) fn connection_timeout(&mut self, now: Millis, random: u32) {
        match self.connection.link {
            Link::Waiting { until } if until <= now => self.start_connecting(now),
            Link::Connecting { give_up } | Link::Greeting { give_up } if give_up <= now => {
                self.drop_socket(now, random);
            }
            Link::Open { deadline, .. } if deadline <= now => self.drop_socket(now, random),
            Link::Open { next_ping, deadline } if next_ping <= now => {
                self.connection.link = Link::Open { next_ping: now + self.connection.interval(), deadline };
                self.transmit(&Ping {}.into());
            }
            _ => {}
        }
    }

    fn drop_socket(&mut self, now: Millis, random: u32) {
        self.outputs.push_back(Output::Disconnect);
        self.handle_closed(None, now, random);
    }

    /// Anything that comes in shows that the line stands.
    pub(super) fn heard(&mut self, now: Millis) {
        self.connection.heard(now);
    }

    /// The relay will not have us: trying again would change nothing.
    pub(super) fn refuse(&mut self) {
        self.close();
    }

    pub(super) fn on_welcome(&mut self, welcome: Welcome, now: Millis) {
        let Link::Greeting { .. } = self.connection.link else { return };
        self.limits = welcome.limits;
        self.connection.backoff.reset();
        let third = Millis::from(welcome.limits.idle_timeout_seconds) * 1_000 / 3;
        self.connection.ping_interval = Some(PING_INTERVAL.min(third.max(1_000)));
        self.connection.link = Link::Open { next_ping: now, deadline: now };
        self.connection.heard(now);
        self.emit(Event::Connection { state: ConnectionState::Open, retry_in_ms: None });
        self.emit(Event::Welcome { providers: welcome.providers });
        if self.wants_list {
            self.transmit(&ListConversations {}.into());
        }
        for room in self.router.rooms() {
            self.join(&room);
        }
    }

    /// What is here of a room. The relay describes the newest page, so older finished messages need not be named.
    pub(super) fn join_frame(&self, conversation: &ConversationId) -> riacho_protocol::ClientFrame {
        let count = self.registry.order(conversation).len();
        let newest = count.saturating_sub(self.limits.max_page as usize);
        let mut have = Map::default();
        for (index, (id, message)) in self.registry.in_order(conversation).enumerate() {
            if message.acknowledged && (index >= newest || message.is_live()) {
                have.insert(id.clone(), message.position());
            }
        }
        JoinConversation { conversation_id: conversation.clone(), have }.into()
    }

    /// What has arrived is not sent again.
    pub(super) fn forget_arrived(&mut self) {
        self.outbox.retain(|request| {
            self.registry.get(&request.message_id).is_some_and(|message| !message.acknowledged)
        });
    }

    /// A room is joined: what was sent and has not arrived is sent again, then the pauses, then what waited.
    pub(super) fn after_joined(&mut self, conversation: &ConversationId) {
        self.router.set_join(conversation, Join::Done);
        self.forget_arrived();
        let outbox = std::mem::take(&mut self.outbox);
        for request in &outbox {
            if self.registry.get(&request.message_id).is_some_and(|m| m.conversation == *conversation) {
                self.transmit_send(conversation, request);
            }
        }
        self.outbox = outbox;
        let is_paused =
            |_: &MessageId, message: &Message| message.paused && message.is_live() && message.acknowledged;
        for message_id in self.registry.those(conversation, &is_paused) {
            let epoch = self.registry.get(&message_id).map_or(0, |message| message.epoch);
            self.transmit(&Pause { message_id, epoch }.into());
        }
        if self.router.rooms().iter().all(|room| self.router.join_state(room) == Some(Join::Done)) {
            for frame in std::mem::take(&mut self.waiting_frames) {
                self.transmit(&frame);
            }
        }
    }
}
