//! The edge in a real browser, with the module that renders: errors, events, and the elements of a chat.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Function, Reflect};
use riacho_wasm::edge::exports::Drawings;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test as test, wasm_bindgen_test_configure};
use web_sys::Element;

use super::exports::{Chat, ChatOptions, SendOptions};

wasm_bindgen_test_configure!(run_in_browser);

/// A fresh element that is on the page.
fn element() -> Element {
    let document = web_sys::window().unwrap().document().unwrap();
    let element = document.create_element("div").unwrap();
    document.document_element().unwrap().append_child(&element).unwrap();
    element
}

fn code(thrown: &JsValue) -> String {
    assert!(thrown.is_instance_of::<js_sys::Error>(), "no Error: {thrown:?}");
    assert!(!riacho_browser::error::message_of(thrown).is_empty());
    Reflect::get(thrown, &"code".into()).unwrap().as_string().unwrap()
}

async fn frame() {
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        web_sys::window()
            .unwrap()
            .set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, 50)
            .unwrap();
    });
    JsFuture::from(promise).await.unwrap();
}

struct Page {
    chat: Chat,
    root: Element,
    events: Rc<RefCell<Vec<String>>>,
    _emit: Closure<dyn FnMut(String)>,
}

/// As the package puts them together; without a sanitiser.
fn drawings() -> JsValue {
    let make = Function::new_with_args(
        "drawings",
        "return {
            make: (element, prefix) => drawings.make(element, prefix),
            free: () => drawings.free(),
            sanitizer: () => undefined,
            loadSanitizer: () => Promise.reject('there is none'),
            sayImages: () => {},
         };",
    );
    let drawings = Drawings::new(None, JsValue::UNDEFINED).unwrap();
    make.call1(&JsValue::NULL, &drawings.into()).unwrap()
}

/// A chat on a transport of the page's own, in a root that already holds `html`.
fn page(prepare: impl FnOnce(&Element)) -> Page {
    let root = element();
    prepare(&root);
    let events = Rc::new(RefCell::new(Vec::new()));
    let sink = events.clone();
    let emit = Closure::<dyn FnMut(String)>::new(move |json| sink.borrow_mut().push(json));
    let options = js_sys::Object::new();
    let drawings = drawings();
    for (name, value) in [("root", root.as_ref()), ("emit", emit.as_ref()), ("drawings", &drawings)] {
        Reflect::set(&options, &name.into(), value).unwrap();
    }
    for name in ["sweepInterval", "sweepGrace"] {
        Reflect::set(&options, &name.into(), &100.0.into()).unwrap();
    }
    let chat = Chat::new(options.unchecked_ref::<ChatOptions>());
    Page { chat, root, events, _emit: emit }
}

impl Page {
    fn handle(&self, event: &str) {
        self.chat.handle(event).unwrap();
    }

    fn chunk(&self, message: &str, number: u32, content: &str) {
        self.handle(&format!(
            r#"{{"type":"message_chunk","message_id":"{message}","chunk_number":{number},"content":"{content}"}}"#
        ));
    }

    fn message(&self, id: &str) -> Option<Element> {
        self.root.query_selector(&format!("[data-message-id='{id}']")).unwrap()
    }

    fn text(&self, id: &str) -> String {
        let content = self.message(id).unwrap().query_selector(".message-content").unwrap().unwrap();
        content.text_content().unwrap()
    }

    fn containers(&self) -> u32 {
        self.root.query_selector_all("[data-message-id]").unwrap().length()
    }
}

#[test]
fn what_is_thrown_is_an_error_with_a_code() {
    let page = page(|_| ());
    assert_eq!(code(&page.chat.open("").unwrap_err()), "bad_id");
    assert_eq!(code(&page.chat.stop("nobody").unwrap_err()), "unknown_message");
    assert_eq!(code(&page.chat.handle("{").unwrap_err()), "bad_json");
    assert_eq!(code(&page.chat.handle(r#"{"type":"shout","message_id":"m"}"#).unwrap_err()), "unknown_frame");
    let none = js_sys::Object::new();
    let options: &SendOptions = none.unchecked_ref();
    assert_eq!(code(&page.chat.send(&"x".into(), options).unwrap_err()), "no_conversation");
    page.chat.open("c").unwrap();
    assert_eq!(code(&page.chat.send(&"".into(), options).unwrap_err()), "content_empty");
    assert_eq!(page.chat.send(&"x".into(), options).unwrap().len(), 2);
}

#[test]
async fn a_replayed_answer_is_one_container() {
    let page = page(|_| ());
    page.chat.open("c").unwrap();
    for _ in 0..2 {
        page.chunk("a", 0, "Hel");
        page.chunk("a", 1, "lo");
        frame().await;
        page.handle(r#"{"type":"response_complete","message_id":"a"}"#);
    }
    frame().await;
    assert_eq!((page.containers(), page.text("a").as_str()), (1, "Hello"));
    let message = page.message("a").unwrap();
    assert_eq!(message.get_attribute("data-status").unwrap(), "completed");
    assert_eq!(message.class_name(), "message assistant");
}

#[test]
async fn another_conversation_never_touches_the_view_on_screen() {
    let page = page(|_| ());
    page.chat.open("c").unwrap();
    page.chunk("a", 0, "one ");
    frame().await;
    page.chat.open("d").unwrap();
    let touched = Rc::new(Cell::new(0));
    let count = touched.clone();
    let observed =
        Closure::<dyn FnMut(Array)>::new(move |records: Array| count.set(count.get() + records.length()));
    let observer = observer(observed.as_ref().unchecked_ref(), &page.root);
    page.chunk("a", 1, "two");
    frame().await;
    assert_eq!((touched.get(), page.containers()), (0, 0));
    page.chat.open("c").unwrap();
    frame().await;
    assert!(touched.get() > 0, "the observer observes");
    assert_eq!(page.text("a"), "one two");
    drop(observer);
}

#[test]
async fn server_rendered_text_is_adopted_and_an_empty_stray_is_swept() {
    let page = page(|root| {
        let document = web_sys::window().unwrap().document().unwrap();
        let view = document.create_element("div").unwrap();
        view.set_attribute("data-conversation-view", "c").unwrap();
        for (id, text) in [("rendered", "From the server"), ("stray", "")] {
            let message = document.create_element("div").unwrap();
            message.set_attribute("data-message-id", id).unwrap();
            message.set_text_content(Some(text));
            view.append_child(&message).unwrap();
        }
        root.append_child(&view).unwrap();
    });
    page.chat.open("c").unwrap();
    assert!(page.message("stray").is_none());
    let adopted = page.message("rendered").unwrap();

    // It comes back with its conversation, the same element.
    page.chat.open("d").unwrap();
    assert_eq!(page.containers(), 0);
    page.chat.open("c").unwrap();
    assert!(page.message("rendered").unwrap() == adopted);
    assert_eq!(adopted.text_content().unwrap(), "From the server");

    // A transport knows it after all: its text takes the place, in the same element.
    page.chunk("rendered", 0, "From the log");
    frame().await;
    assert!(page.message("rendered").unwrap() == adopted);
    assert_eq!(page.text("rendered"), "From the log");
}

#[test]
async fn an_empty_completed_answer_is_swept_after_its_grace_and_a_failed_one_is_not() {
    let page = page(|_| ());
    page.chat.open("c").unwrap();
    page.handle(r#"{"type":"response_complete","message_id":"empty"}"#);
    page.handle(r#"{"type":"stream_error","message_id":"failed","message":"It <b>broke</b>."}"#);
    page.handle(r#"{"type":"message_started","message_id":"pending"}"#);
    assert_eq!(page.containers(), 3);
    for _ in 0..20 {
        frame().await;
    }
    assert!(page.message("empty").is_none());
    assert!(page.message("pending").is_some());
    let failed = page.message("failed").unwrap();
    assert_eq!(
        failed.query_selector(".message-notice").unwrap().unwrap().text_content().unwrap(),
        "It <b>broke</b>."
    );
    assert!(failed.query_selector("[data-riacho-ui] button").unwrap().is_some());
}

#[test]
fn events_go_out_as_json_and_closing_is_for_good() {
    let page = page(|_| ());
    page.chat.open("c").unwrap();
    page.chunk("a", 0, "x");
    let types: Vec<String> = page
        .events
        .borrow()
        .iter()
        .map(|json| {
            serde_json::from_str::<serde_json::Value>(json).unwrap()["type"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(types, ["opened", "message", "chunk", "status"]);
    page.chat.close();
    assert!(page.events.borrow().last().unwrap().contains("closed"));
}

/// web-sys has `MutationObserver` behind a feature that only this test would need.
fn observer(callback: &Function, root: &Element) -> JsValue {
    let make = Function::new_with_args(
        "callback, root",
        "const observer = new MutationObserver(callback);
         observer.observe(root, { childList: true, subtree: true, characterData: true, attributes: true });
         return observer;",
    );
    make.call2(&JsValue::NULL, callback, root).unwrap()
}
