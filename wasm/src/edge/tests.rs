//! The edge in a real browser: strings that JavaScript cut, and a stream that shows by the next frame.

use js_sys::JsString;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test as test, wasm_bindgen_test_configure};
use web_sys::Element;

use super::exports::Markdown;

wasm_bindgen_test_configure!(run_in_browser);

/// A fresh element that is on the page.
pub fn element() -> Element {
    let document = web_sys::window().unwrap().document().unwrap();
    let element = document.create_element("div").unwrap();
    document.document_element().unwrap().append_child(&element).unwrap();
    element
}

fn from_units(units: &[u16]) -> JsString {
    JsString::from_char_code(units)
}

pub async fn frame() {
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        web_sys::window()
            .unwrap()
            .set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, 50)
            .unwrap();
    });
    JsFuture::from(promise).await.unwrap();
}

#[test]
async fn a_push_with_a_cut_pair_shows_the_character() {
    let container = element();
    let markdown = Markdown::new(&container, "t", None, &JsValue::UNDEFINED, None).unwrap();
    let [high, low] = ['🐟'].iter().collect::<String>().encode_utf16().collect::<Vec<_>>()[..] else {
        panic!("a fish is two units")
    };
    assert!(markdown.push_cut(&from_units(&[0x61, high])).unwrap());
    markdown.flush();
    assert_eq!(container.text_content().unwrap(), "a");
    assert!(!markdown.push_cut(&from_units(&[low, 0x62])).unwrap());
    JsFuture::from(markdown.end()).await.unwrap();
    assert_eq!(container.text_content().unwrap(), "a🐟b");
    assert_eq!(markdown.text(), "a🐟b");
}

#[test]
async fn text_is_on_screen_by_the_next_frame_and_the_end_is_the_end() {
    let container = element();
    let markdown = Markdown::new(&container, "t", None, &JsValue::UNDEFINED, None).unwrap();
    assert!(markdown.push("**hel"));
    assert!(markdown.push("lo**"));
    assert_eq!(container.text_content().unwrap(), "", "cheap until the frame comes");
    frame().await;
    assert_eq!(container.text_content().unwrap(), "hello");
    JsFuture::from(markdown.end()).await.unwrap();
    JsFuture::from(markdown.end()).await.unwrap();
    assert_eq!(container.query_selector("strong").unwrap().unwrap().text_content().unwrap(), "hello");
    assert!(!markdown.push("more"));
}

#[test]
async fn what_stood_in_the_container_stays_in_front() {
    let container = element();
    let before = web_sys::window().unwrap().document().unwrap().create_element("b").unwrap();
    before.set_text_content(Some("before "));
    container.append_child(&before).unwrap();
    let markdown = Markdown::new(&container, "t", None, &JsValue::UNDEFINED, None).unwrap();
    assert!(markdown.push("one\n\ntwo"));
    JsFuture::from(markdown.end()).await.unwrap();
    assert_eq!(container.text_content().unwrap().replace('\n', ""), "before onetwo");
}
