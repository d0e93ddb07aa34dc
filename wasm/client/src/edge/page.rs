//! The elements of a chat, as Rust sees them; browser.js is what touches them.

use riacho_browser::death;
use riacho_browser::error::message_of;
use riacho_protocol::{ConversationId, Map, MessageId, Role};
use wasm_bindgen::prelude::*;

use super::Tell;
use crate::core::client::{Appearance, Extent, Mount, News};
use crate::core::sweeper::Container;

#[wasm_bindgen(module = "/src/edge/browser.js")]
extern "C" {
    #[wasm_bindgen(js_name = Page)]
    type Elements;
    #[wasm_bindgen(constructor, js_class = Page)]
    fn new(root: &JsValue, drawings: &JsValue, tell: &Tell) -> Elements;
    #[wasm_bindgen(method)]
    fn show(this: &Elements, conversation: &str);
    #[wasm_bindgen(method)]
    fn mount(this: &Elements, id: &str, conversation: &str, role: &str, after: Option<&str>);
    #[wasm_bindgen(method)]
    fn unmount(this: &Elements, id: &str);
    #[wasm_bindgen(method)]
    fn reset(this: &Elements, id: &str);
    #[wasm_bindgen(method, catch)]
    fn paint(
        this: &Elements,
        id: &str,
        text: &str,
        is_whole: bool,
        sanitizer: &JsValue,
    ) -> Result<bool, JsValue>;
    #[wasm_bindgen(method, js_name = setStatus)]
    fn set_status(
        this: &Elements,
        id: &str,
        status: &str,
        is_paused: bool,
        notice: Option<&str>,
        retry: Option<&str>,
    );
    #[wasm_bindgen(method, catch)]
    fn sanitizer(this: &Elements) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, js_name = loadSanitizer)]
    fn load_sanitizer(this: &Elements);
    #[wasm_bindgen(method, catch, js_name = giveUp)]
    fn give_up(this: &Elements) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = sayImages)]
    fn say_images(this: &Elements, sentence: Option<&str>) -> Result<(), JsValue>;
    #[wasm_bindgen(method)]
    fn survey(this: &Elements) -> Vec<String>;
    #[wasm_bindgen(method)]
    fn count(this: &Elements) -> u32;
    #[wasm_bindgen(method)]
    fn leave(this: &Elements);
}

/// What was called, unless it threw: then what draws is dead, or torn by an exception of the page's. The package hears of it,
/// and goes on without it and without this.
fn alive<T: Default>(called: Result<T, JsValue>) -> T {
    called.unwrap_or_else(|thrown| {
        death::told(&message_of(&thrown));
        T::default()
    })
}

/// Dropping it lets go of what it holds in the other module; what is on the page stays.
///
/// Whatever is done to elements can run the page's code: hold no borrow of the core over it.
pub struct Page(Elements);

impl Page {
    pub fn new(root: &JsValue, drawings: &JsValue, tell: &Tell) -> Self {
        Self(Elements::new(root, drawings, tell))
    }

    pub fn show(&self, conversation: &ConversationId) {
        self.0.show(conversation.as_str());
    }

    pub fn mount(&self, mount: &Mount) {
        let id = &mount.message_id;
        let after = mount.after.as_ref().map(MessageId::as_str);
        self.0.mount(id.as_str(), mount.conversation_id.as_str(), mount.role.as_str(), after);
        self.set_status(id, &mount.appearance);
    }

    pub fn unmount(&self, id: &MessageId) {
        self.0.unmount(id.as_str());
    }

    /// Empties the content; the element stays.
    pub fn reset(&self, id: &MessageId) {
        self.0.reset(id.as_str());
    }

    /// Brings the content of a message up to date. True while raw HTML in it waits for the sanitiser.
    pub fn paint(&self, news: &News, sanitizer: &JsValue) -> bool {
        let is_whole = news.extent == Extent::Whole;
        alive(self.0.paint(news.message_id.as_str(), &news.text, is_whole, sanitizer))
    }

    pub fn set_status(&self, id: &MessageId, appearance: &Appearance) {
        let Appearance { status, paused, notice, retry } = appearance;
        self.0.set_status(id.as_str(), status.as_str(), *paused, notice.as_deref(), retry.as_deref());
    }

    /// What a drawing needs to show raw HTML, once it is loaded.
    pub fn sanitizer(&self) -> Option<JsValue> {
        Some(alive(self.0.sanitizer())).filter(|loaded| !loaded.is_undefined())
    }

    /// Fetches it, and tells what comes of that.
    pub fn load_sanitizer(&self) {
        self.0.load_sanitizer();
    }

    /// There will be none.
    pub fn give_up_sanitizer(&self) {
        alive(self.0.give_up());
    }

    /// What the buttons say that load images.
    pub fn say_images(&self, sentence: Option<&str>) {
        alive(self.0.say_images(sentence));
    }

    /// The containers on the page.
    pub fn survey(&self) -> Vec<Container> {
        let mut found = Map::default();
        let mut said = self.0.survey().into_iter();
        while let (Some(id), Some(role), Some(text)) = (said.next(), said.next(), said.next()) {
            let Ok(message_id) = MessageId::new(id) else { continue };
            let role = Role::ALL.iter().copied().find(|known| known.as_str() == role);
            let container = Container { message_id: message_id.clone(), role, has_text: !text.is_empty() };
            found.get_or_insert(message_id, container);
        }
        found.into_values().collect()
    }

    /// How many elements with a message's id stand in the root.
    pub fn count(&self) -> u32 {
        self.0.count()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.0.leave();
    }
}
