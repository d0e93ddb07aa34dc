//! A page with a scripted relay, for tests: frames go in, outputs and texts come out, and time is a number. Each message on
//! it is rendered by an engine, as the edge does it.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::*;
use riacho_protocol::*;
use riacho_wasm::core::engine::Engine;
use riacho_wasm::core::policy::Policy;

pub(super) struct Page {
    pub(super) client: Client,
    pub(super) outputs: Vec<Output>,
    /// What the edge has in its elements.
    engines: BTreeMap<MessageId, Engine>,
    policy: Rc<Policy>,
    pub(super) now: Millis,
}

pub(super) fn c(id: &str) -> ConversationId {
    ConversationId::new(id).unwrap()
}

pub(super) fn m(id: &str) -> MessageId {
    MessageId::new(id).unwrap()
}

/// As a page makes it that wishes nothing.
pub(super) fn client(transport: Transport) -> Client {
    let config =
        Config { transport, sweep: Sweep::default(), window: None, preferences: Preferences::default() };
    Client::new(config)
}

impl Page {
    pub(super) fn new(transport: Transport) -> Self {
        Self {
            client: client(transport),
            outputs: Vec::new(),
            engines: BTreeMap::new(),
            policy: Rc::default(),
            now: 1_000,
        }
    }

    /// A page whose socket is open and which shows conversation `c`.
    pub(super) fn joined() -> Self {
        let mut page = Self::new(Transport::Relay);
        page.client.connect(page.now);
        page.welcome();
        page.client.open(c("c"), page.now);
        page.joined_with("c", vec![]);
        page.drain();
        page
    }

    pub(super) fn welcome(&mut self) {
        self.client.handle_open(None, self.now);
        self.frame(Welcome { protocol: 1, limits: Limits::default(), providers: vec![] });
    }

    pub(super) fn joined_with(&mut self, conversation: &str, messages: Vec<MessageInfo>) {
        self.frame(ConversationJoined { conversation_id: c(conversation), messages, more: false });
    }

    pub(super) fn frame(&mut self, frame: impl Into<ServerFrame>) {
        self.client.handle_text(&frame.into().encode(), self.now);
    }

    pub(super) fn drain(&mut self) -> Vec<Output> {
        self.perform();
        std::mem::take(&mut self.outputs)
    }

    /// What the edge does with its elements.
    fn perform(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match &output {
                Output::Show(_) => self.engines.clear(),
                Output::Unmount(id) | Output::Reset(id) => drop(self.engines.remove(id)),
                Output::Render => self.render(),
                _ => {}
            }
            self.outputs.push(output);
        }
    }

    fn render(&mut self) {
        for News { message_id, text, extent } in self.client.render(self.now) {
            let id = message_id.to_string();
            let engine = self.engines.entry(message_id);
            let engine = engine.or_insert_with(|| Engine::new(self.policy.clone(), &id));
            engine.push(&text);
            match extent {
                Extent::SoFar => engine.flush(None),
                Extent::Whole => engine.end(None),
            }
            if engine.wants_sanitizer() {
                self.client.want_sanitizer();
            }
        }
    }

    pub(super) fn sent(&mut self) -> Vec<ClientFrame> {
        self.drain()
            .into_iter()
            .filter_map(|output| match output {
                Output::Transmit(text) => Some(ClientFrame::decode(&text).unwrap()),
                _ => None,
            })
            .collect()
    }

    pub(super) fn started(&mut self, conversation: &str, message: &str, epoch: u32) {
        self.frame(MessageStarted {
            conversation_id: c(conversation),
            message_id: m(message),
            epoch,
            role: Role::Assistant,
            parent_id: None,
            provider: None,
            model: None,
        });
    }

    pub(super) fn chunk(
        &mut self,
        conversation: &str,
        message: &str,
        epoch: u32,
        offset: u64,
        content: &str,
    ) {
        self.frame(chunk(conversation, message, epoch, offset, content));
    }

    pub(super) fn complete(&mut self, message: &str, epoch: u32, length: u64) {
        self.frame(ResponseComplete {
            message_id: m(message),
            epoch,
            status: Status::Completed,
            reason: None,
            length,
            usage: Usage::default(),
            metrics: Metrics::default(),
        });
    }

    pub(super) fn text(&self, message: &str) -> &str {
        self.client.text(&m(message)).unwrap()
    }

    pub(super) fn status(&self, message: &str) -> Status {
        self.client.registry.get(&m(message)).unwrap().status
    }

    /// What the engine of a mounted message has been given.
    pub(super) fn shown(&mut self, message: &str) -> String {
        self.perform();
        self.render();
        assert!(self.client.views.contains_key(&m(message)));
        self.engines.get(&m(message)).unwrap().text().to_owned()
    }

    pub(super) fn send(&mut self, message: &str, reply: &str, content: &str) -> Result<Receipt, SendError> {
        self.client.send(
            SendRequest {
                message_id: m(message),
                reply_id: m(reply),
                content: content.to_owned(),
                provider: None,
                model: None,
                options: Options::default(),
            },
            self.now,
        )
    }
}

pub(super) fn chunk(
    conversation: &str,
    message: &str,
    epoch: u32,
    offset: u64,
    content: &str,
) -> MessageChunk {
    MessageChunk {
        conversation_id: c(conversation),
        message_id: m(message),
        epoch,
        offset,
        part: 0,
        kind: None,
        id: None,
        name: None,
        content: content.to_owned(),
    }
}

pub(super) fn info(message: &str, epoch: u32, status: Status, length: u64) -> MessageInfo {
    MessageInfo {
        message_id: m(message),
        epoch,
        role: Role::Assistant,
        status,
        length,
        parts: vec![],
        parent_id: None,
        provider: None,
        model: None,
        reason: None,
        error: None,
        usage: None,
        metrics: None,
    }
}

pub(super) fn mounts(outputs: &[Output]) -> Vec<&str> {
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::Mount(mount) => Some(mount.message_id.as_str()),
            _ => None,
        })
        .collect()
}
