//! Everything that JavaScript can call of the client, in one file. `pkg/` wraps it; pages never see it.

use std::rc::Rc;

use js_sys::{Function, JsString};
use riacho_browser::utf16::Utf16Joiner;
use riacho_browser::world::{Tape, World};
use wasm_bindgen::prelude::*;

use riacho_protocol::{
    ConversationId, ConversationStatus, Map, MessageId, Number, Options, UpdateConversation, json,
};

use super::driver::{Driver, Setup};
use super::error::{from_decode, from_id, from_send};
use super::storage::Slot;
use crate::core::client::{Client, Config, SendError, SendRequest, Transport};
use crate::core::sweeper::Sweep;

#[wasm_bindgen]
extern "C" {
    /// What `new ChatClient` was given, as the wrapper checked it.
    pub type ChatOptions;
    #[wasm_bindgen(method, getter)]
    fn url(this: &ChatOptions) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn root(this: &ChatOptions) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn token(this: &ChatOptions) -> Option<Function>;
    #[wasm_bindgen(method, getter)]
    fn emit(this: &ChatOptions) -> Function;
    #[wasm_bindgen(method, getter, js_name = storageKey)]
    fn storage_key(this: &ChatOptions) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = sweepInterval)]
    fn sweep_interval(this: &ChatOptions) -> Option<f64>;
    #[wasm_bindgen(method, getter, js_name = sweepGrace)]
    fn sweep_grace(this: &ChatOptions) -> Option<f64>;
    /// What renders the messages, and whatever else it takes for that.
    #[wasm_bindgen(method, getter)]
    fn drawings(this: &ChatOptions) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn window(this: &ChatOptions) -> Option<f64>;
    /// As JSON.
    #[wasm_bindgen(method, getter)]
    fn preferences(this: &ChatOptions) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn tape(this: &ChatOptions) -> Option<Tape>;

    /// What `chat.send` was given beside the text.
    pub type SendOptions;
    #[wasm_bindgen(method, getter)]
    fn provider(this: &SendOptions) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn model(this: &SendOptions) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn temperature(this: &SendOptions) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = topP)]
    fn top_p(this: &SendOptions) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = maxTokens)]
    fn max_tokens(this: &SendOptions) -> Option<f64>;
}

/// What is no number is not sent.
fn number(text: Option<String>) -> Option<Number> {
    text.as_deref().and_then(Number::new)
}

/// The client of one page.
#[wasm_bindgen]
pub struct Chat {
    driver: Rc<Driver>,
}

#[wasm_bindgen]
impl Chat {
    #[wasm_bindgen(constructor)]
    pub fn new(options: &ChatOptions) -> Chat {
        let default = Sweep::default();
        let millis = |value: Option<f64>, default| value.filter(|v| *v >= 0.0).map_or(default, |v| v as u64);
        let url = options.url();
        let config = Config {
            transport: if url.is_some() { Transport::Relay } else { Transport::Page },
            sweep: Sweep {
                interval: millis(options.sweep_interval(), default.interval).max(100),
                grace: millis(options.sweep_grace(), default.grace),
            },
            window: options.window().map(|most| most as usize),
            preferences: options
                .preferences()
                .and_then(|text| json::from_text(&text).ok())
                .unwrap_or_default(),
        };
        let driver = Driver::new(Setup {
            client: Client::new(config),
            root: options.root(),
            drawings: options.drawings(),
            url,
            token: options.token(),
            emit: options.emit(),
            slot: options.storage_key().map(Slot::new),
            world: World::new(options.tape()),
        });
        Chat { driver }
    }

    pub fn open(&self, conversation_id: &str) -> Result<(), JsValue> {
        let id = ConversationId::new(conversation_id).map_err(from_id)?;
        self.driver.with(|client| client.open(id, self.driver.world().now()));
        Ok(())
    }

    /// The conversation on screen.
    #[wasm_bindgen(getter, js_name = conversationId)]
    pub fn conversation_id(&self) -> Option<String> {
        self.driver.read(|client| client.conversation().map(|id| id.as_str().to_owned()))
    }

    /// Returns the two ids, the message's and the reply's.
    pub fn send(&self, content: &JsString, options: &SendOptions) -> Result<Vec<String>, JsValue> {
        let mut joiner = Utf16Joiner::default();
        let mut text = joiner.join(content);
        text.extend(joiner.rest());
        let request = SendRequest {
            message_id: MessageId::new(self.driver.world().new_id()).map_err(from_id)?,
            reply_id: MessageId::new(self.driver.world().new_id()).map_err(from_id)?,
            content: text,
            provider: options.provider(),
            model: options.model(),
            options: Options {
                temperature: number(options.temperature()),
                top_p: number(options.top_p()),
                max_tokens: options.max_tokens().map(|n| n as u32),
            },
        };
        let receipt = self
            .driver
            .with(|client| client.send(request, self.driver.world().now()))
            .map_err(|e| from_send(&e))?;
        Ok(vec![receipt.message_id.into(), receipt.reply_id.into()])
    }

    pub fn stop(&self, message_id: &str) -> Result<(), JsValue> {
        self.about(message_id, |client, id| client.stop(id, self.driver.world().now()))
    }

    pub fn pause(&self, message_id: &str) -> Result<(), JsValue> {
        self.about(message_id, Client::pause)
    }

    pub fn resume(&self, message_id: &str) -> Result<(), JsValue> {
        self.about(message_id, Client::resume)
    }

    pub fn retry(&self, message_id: &str) -> Result<(), JsValue> {
        self.about(message_id, Client::retry)
    }

    fn about(
        &self,
        message_id: &str,
        call: impl FnOnce(&mut Client, &MessageId) -> Result<(), SendError>,
    ) -> Result<(), JsValue> {
        let id = MessageId::new(message_id).map_err(from_id)?;
        self.driver.with(|client| call(client, &id)).map_err(|e| from_send(&e))
    }

    /// Takes an event of the page's own transport, as JSON.
    pub fn handle(&self, event: &str) -> Result<(), JsValue> {
        self.driver
            .with(|client| client.handle_event(event, self.driver.world().now()))
            .map_err(|e| from_decode(&e))
    }

    #[wasm_bindgen(js_name = listConversations)]
    pub fn list_conversations(&self) {
        self.driver.with(Client::list_conversations);
    }

    pub fn rename(&self, conversation_id: &str, title: String) -> Result<(), JsValue> {
        self.update(conversation_id, Some(title), None)
    }

    #[wasm_bindgen(js_name = setClosed)]
    pub fn set_closed(&self, conversation_id: &str, closed: bool) -> Result<(), JsValue> {
        let status = if closed { ConversationStatus::Closed } else { ConversationStatus::Open };
        self.update(conversation_id, None, Some(status))
    }

    fn update(
        &self,
        conversation_id: &str,
        title: Option<String>,
        status: Option<ConversationStatus>,
    ) -> Result<(), JsValue> {
        let conversation_id = ConversationId::new(conversation_id).map_err(from_id)?;
        self.driver
            .with(|client| client.update_conversation(UpdateConversation { conversation_id, title, status }));
        Ok(())
    }

    /// The first of those that have an element, the one behind the last of them, and how many there are.
    #[wasm_bindgen(getter)]
    pub fn window(&self) -> Vec<u32> {
        let (range, count) = self.driver.read(Client::window);
        // A page has no more messages than that.
        vec![range.start as u32, range.end as u32, count as u32]
    }

    #[wasm_bindgen(js_name = setWindow)]
    pub fn set_window(&self, start: f64, end: f64) {
        let range = start as usize..end as usize;
        self.driver.with(|client| client.set_window(range, self.driver.world().now()));
    }

    /// Characters a second; without a number as they come.
    #[wasm_bindgen(js_name = setPace)]
    pub fn set_pace(&self, per_second: Option<f64>) {
        self.driver.with(|client| client.set_pace(per_second.map(|n| n as u32)));
    }

    /// Codes and what is said about each, one after the other.
    #[wasm_bindgen(js_name = setWords)]
    pub fn set_words(&self, words: Vec<String>) {
        let mut said = Map::default();
        let mut image = None;
        let mut words = words.into_iter();
        while let (Some(code), Some(sentence)) = (words.next(), words.next()) {
            if code == "load_image" {
                image = Some(sentence);
            } else {
                said.insert(code, sentence);
            }
        }
        self.driver.say_images(image.as_deref());
        self.driver.with(|client| client.set_words(said));
    }

    /// Asks for older messages; false when there are none, or when they are on their way.
    #[wasm_bindgen(js_name = loadOlder)]
    pub fn load_older(&self) -> bool {
        self.driver.with(Client::load_older)
    }

    /// The parts of a message, as JSON.
    pub fn parts(&self, message_id: &str) -> Option<String> {
        let id = MessageId::new(message_id).ok()?;
        self.driver.read(|client| client.parts_json(&id))
    }

    /// The raw text of a message, as far as it has come.
    pub fn text(&self, message_id: &str) -> Option<String> {
        let id = MessageId::new(message_id).ok()?;
        self.driver.read(|client| client.text(&id).map(str::to_owned))
    }

    /// The messages of a conversation in order: id, role, status and shown text of each, one after the other.
    pub fn messages(&self, conversation_id: &str) -> Result<Vec<String>, JsValue> {
        let conversation = ConversationId::new(conversation_id).map_err(from_id)?;
        Ok(self.driver.read(|client| {
            let mut fields = Vec::new();
            for (id, message) in client.messages(&conversation) {
                let mut shown = String::new();
                for (separator, text) in message.shown() {
                    shown.push_str(separator);
                    shown.push_str(text);
                }
                for word in [id.as_str(), message.role.as_str(), message.status.as_str()] {
                    fields.push(word.to_owned());
                }
                fields.push(shown);
            }
            fields
        }))
    }

    /// What streams, where, as JSON.
    pub fn debug(&self) -> String {
        self.driver.read(|client| client.debug().to_json())
    }

    /// Elements of messages in the root.
    #[wasm_bindgen(getter)]
    pub fn containers(&self) -> u32 {
        self.driver.containers()
    }

    pub fn close(&self) {
        self.driver.close();
    }

    /// For a tape: what it has kept under a name happens. False when it is none of its names.
    pub fn play(&self, name: &str, text: Option<String>) -> bool {
        self.driver.play(name, text)
    }
}
