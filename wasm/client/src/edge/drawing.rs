//! What renders the text of messages: objects of another module, which the package hands over.
//!
//! They may throw: their module is dead then, or torn by an exception of the page's. The package hears of it, and goes on
//! without both.

use js_sys::Promise;
use riacho_browser::death;
use riacho_browser::error::message_of;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Element;

use crate::core::client::{Extent, News};

#[wasm_bindgen]
extern "C" {
    /// What the messages of one chat are rendered with.
    pub type Handles;
    #[wasm_bindgen(method, catch)]
    fn make(this: &Handles, container: &Element, id_prefix: &str) -> Result<Handle, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn sanitizer(this: &Handles) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = loadSanitizer)]
    fn load_sanitizer(this: &Handles) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = sayImages)]
    fn say_images(this: &Handles, root: &Element, sentence: Option<&str>) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn free(this: &Handles) -> Result<(), JsValue>;

    /// One text on its way into one element.
    type Handle;
    #[wasm_bindgen(method, catch)]
    fn push(this: &Handle, text: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn flush(this: &Handle, sanitizer: &JsValue) -> Result<bool, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn end(this: &Handle, sanitizer: &JsValue) -> Result<bool, JsValue>;
    #[wasm_bindgen(method, catch, js_name = giveUpSanitizer)]
    fn give_up_sanitizer(this: &Handle) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn free(this: &Handle) -> Result<(), JsValue>;
}

/// What was called, unless it threw.
fn alive<T: Default>(called: Result<T, JsValue>) -> T {
    called.unwrap_or_else(|thrown| {
        death::told(&message_of(&thrown));
        T::default()
    })
}

/// Makes the drawings of one chat. Dropping it lets go of what it holds in the other module.
pub struct Drawings(Handles);

impl Drawings {
    pub fn new(handles: Handles) -> Self {
        Self(handles)
    }

    /// Draws into an element, behind what stands there; ids in the text begin with the prefix. Nothing when that can't be.
    pub fn make(&self, container: &Element, id_prefix: &str) -> Option<Drawing> {
        alive(self.0.make(container, id_prefix).map(|handle| Some(Drawing(handle))))
    }

    /// What a drawing needs to show raw HTML, once it is loaded.
    pub fn sanitizer(&self) -> Option<JsValue> {
        let loaded = self.0.sanitizer().map(Some);
        alive(loaded).filter(|loaded| !loaded.is_undefined())
    }

    /// Fetches it; or words why it can't be had.
    pub fn load_sanitizer(&self) -> impl Future<Output = Result<(), String>> + use<> {
        let promised = self.0.load_sanitizer();
        async {
            let loaded = match promised {
                Ok(promised) => JsFuture::from(promised).await,
                Err(thrown) => Err(thrown),
            };
            loaded.map(drop).map_err(|thrown| message_of(&thrown))
        }
    }

    /// What the buttons say that load the images in an element.
    pub fn say_images(&self, root: &Element, sentence: Option<&str>) {
        alive(self.0.say_images(root, sentence));
    }
}

impl Drop for Drawings {
    fn drop(&mut self) {
        // What is dead has let go already.
        let _ = self.0.free();
    }
}

/// The drawing of one message. Dropping it lets go of what it holds in the other module; what it drew stays.
pub struct Drawing(Handle);

impl Drawing {
    /// Brings its element up to date. True while raw HTML waits for the sanitiser. It can run the page's code: hold no borrow
    /// of the core over it.
    pub fn show(&self, news: &News, sanitizer: &JsValue) -> bool {
        if !news.text.is_empty() {
            alive(self.0.push(&news.text));
        }
        alive(match news.extent {
            Extent::SoFar => self.0.flush(sanitizer),
            Extent::Whole => self.0.end(sanitizer),
        })
    }

    /// There will be no sanitiser.
    pub fn give_up_sanitizer(&self) {
        alive(self.0.give_up_sanitizer());
    }
}

impl Drop for Drawing {
    fn drop(&mut self) {
        // What is dead has let go already.
        let _ = self.0.free();
    }
}
