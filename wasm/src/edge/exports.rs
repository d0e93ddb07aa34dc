//! Everything that JavaScript can call, in one file. `pkg/` wraps it; pages never see it.

use std::rc::Rc;

use js_sys::{Function, JsString, Promise};
use wasm_bindgen::prelude::*;
use web_sys::Element;

use riacho_protocol::{
    ConversationId, ConversationStatus, Map, MessageId, Number, Options, UpdateConversation, json,
};

use super::driver::{Driver, Setup};
use super::error::{error, from_decode, from_id, from_policy, from_send};
use super::storage::Slot;
use super::stream::Stream;
use super::utf16::Utf16Joiner;
use super::world::{Tape, World};
use crate::core::client::{Client, Config, SendError, SendRequest, Transport};
use crate::core::engine::Engine;
use crate::core::policy::{Images, Policy};
use crate::core::sweeper::Sweep;

#[wasm_bindgen]
extern "C" {
    /// What `new ChatClient` was given, as the wrapper checked it.
    pub type ChatOptions;
    #[wasm_bindgen(method, getter)]
    fn url(this: &ChatOptions) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn root(this: &ChatOptions) -> Element;
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
    #[wasm_bindgen(method, getter)]
    fn images(this: &ChatOptions) -> Option<Vec<String>>;
    #[wasm_bindgen(method, getter)]
    fn window(this: &ChatOptions) -> Option<f64>;
    /// As JSON.
    #[wasm_bindgen(method, getter)]
    fn preferences(this: &ChatOptions) -> Option<String>;
    #[wasm_bindgen(method, getter, js_name = makeWatch)]
    fn make_watch(this: &ChatOptions) -> JsValue;
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

/// The version of the package this was built for.
#[wasm_bindgen]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// Says how to get the sanitiser: a function that promises a function from HTML to a flat tree.
#[wasm_bindgen(js_name = setSanitizerLoader)]
pub fn set_sanitizer_loader(loader: Function) {
    super::sanitizer::set_loader(loader);
}

/// Gives the function that the loader would promise: a tape needs it before it plays.
#[wasm_bindgen(js_name = setSanitizer)]
pub fn set_sanitizer(sanitize: Function) {
    super::sanitizer::set(sanitize);
}

/// Called with words, once, when nothing here can be called any more.
#[wasm_bindgen(js_name = onDeath)]
pub fn on_death(tell: Function) {
    super::death::tell_to(tell);
}

/// Allows images in an element that wait, and those to come: of one message, of one origin, or all.
#[wasm_bindgen(js_name = allowImages)]
pub fn allow_images(root: &Element, message: Option<String>, origin: Option<String>) {
    super::images::allow(root, message.as_deref(), origin.as_deref());
}

/// What the buttons say that load the images in an element.
#[wasm_bindgen(js_name = sayImages)]
pub fn say_images(root: &Element, sentence: Option<String>) {
    super::images::say(root, sentence.as_deref());
}

/// The default rules, but for the images that the page allows from the start.
fn policy(images: Option<Vec<String>>) -> Result<Rc<Policy>, JsValue> {
    let images = Images::listed(images.unwrap_or_default());
    Policy::builder().images(images).build().map(Rc::new).map_err(|e| from_policy(&e))
}

/// What is no number is not sent.
fn number(text: Option<String>) -> Option<Number> {
    text.as_deref().and_then(Number::new)
}

/// The client of one page.
#[wasm_bindgen]
pub struct Chat {
    driver: Rc<Driver>,
    root: Element,
}

#[wasm_bindgen]
impl Chat {
    #[wasm_bindgen(constructor)]
    pub fn new(options: &ChatOptions) -> Result<Chat, JsValue> {
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
            policy: policy(options.images())?,
            url,
            token: options.token(),
            emit: options.emit(),
            make_watch: options.make_watch(),
            slot: options.storage_key().map(Slot::new),
            world: World::new(options.tape()),
        });
        Ok(Chat { driver, root: options.root() })
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
        [range.start, range.end, count].into_iter().map(|n| u32::try_from(n).unwrap_or(u32::MAX)).collect()
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
        super::images::say(&self.root, image.as_deref());
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
            let messages = client.messages(&conversation);
            let fields = messages.flat_map(|(id, message)| {
                let text: String = message.shown().flat_map(|(separator, text)| [separator, text]).collect();
                [id.as_str().into(), message.role.as_str().into(), message.status.as_str().into(), text]
            });
            fields.collect()
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

/// One markdown stream into one element.
#[wasm_bindgen]
pub struct Markdown {
    stream: Rc<Stream>,
}

#[wasm_bindgen]
impl Markdown {
    #[wasm_bindgen(constructor)]
    pub fn new(
        container: &Element,
        id_prefix: &str,
        images: Option<Vec<String>>,
        make_watch: &JsValue,
        tape: Option<Tape>,
    ) -> Result<Markdown, JsValue> {
        let engine = Engine::new(policy(images)?, id_prefix);
        Ok(Markdown { stream: Stream::new(container, engine, make_watch, World::new(tape)) })
    }

    /// As [`Chat::play`].
    pub fn play(&self, name: &str, text: Option<String>) -> bool {
        self.stream.play(name, text)
    }

    /// False when the stream has ended. (A `Result` would cost an array a chunk at the border.)
    pub fn push(&self, text: &str) -> bool {
        self.stream.push(text)
    }

    /// As `push`, for so many UTF-16 units, two in each number, the first one lowest: a token is too short to be worth an
    /// encoder and a place in memory. The last one is no half of a pair.
    #[wasm_bindgen(js_name = pushShort)]
    #[cfg_attr(riacho_module, optimize(speed))]
    pub fn push_short(&self, length: u32, a: u32, b: u32, c: u32, d: u32) -> bool {
        let high = |pair: u32| (pair >> 16) as u16;
        let units = [a as u16, high(a), b as u16, high(b), c as u16, high(c), d as u16, high(d)];
        let characters = char::decode_utf16(units.iter().copied().take(length as usize));
        let (mut bytes, mut end) = ([0; 24], 0);
        for character in characters {
            let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
            if let Some(place) = bytes.get_mut(end..end + character.len_utf8()) {
                end += character.encode_utf8(place).len();
            }
        }
        self.stream.push(bytes.get(..end).and_then(|text| str::from_utf8(text).ok()).unwrap_or_default())
    }

    /// For text whose last character may be half of one; true while the other half is waited for, and then the next
    /// text must come this way too.
    #[wasm_bindgen(js_name = pushCut)]
    pub fn push_cut(&self, text: &JsString) -> Result<bool, JsValue> {
        self.stream.push_cut(text).ok_or_else(ended)
    }

    #[cfg_attr(riacho_module, optimize(speed))]
    pub fn flush(&self) {
        self.stream.flush();
    }

    pub fn end(&self) -> Promise {
        self.stream.end()
    }

    #[wasm_bindgen(getter)]
    pub fn text(&self) -> String {
        self.stream.text()
    }
}

fn ended() -> JsValue {
    error("ended", "the stream has ended")
}
