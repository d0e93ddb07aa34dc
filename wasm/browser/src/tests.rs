//! What the modules share, in a real browser: strings that JavaScript cut, and frames.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::JsString;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test as test, wasm_bindgen_test_configure};

use crate::frames::Frames;
use crate::utf16::Utf16Joiner;

wasm_bindgen_test_configure!(run_in_browser);

fn from_units(units: &[u16]) -> JsString {
    JsString::from_char_code(units)
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

#[test]
fn a_pair_that_was_cut_is_joined_and_a_half_alone_is_replaced() {
    let text: Vec<u16> = "a🐟b🌊".encode_utf16().collect();
    for cut in 0..=text.len() {
        for second in cut..=text.len() {
            let mut joiner = Utf16Joiner::default();
            let mut out = String::new();
            for piece in [&text[..cut], &text[cut..second], &text[second..]] {
                out.push_str(&joiner.join(&from_units(piece)));
            }
            assert_eq!(out, "a🐟b🌊", "cut at {cut} and {second}");
            assert_eq!(joiner.rest(), None);
        }
    }
    let mut joiner = Utf16Joiner::default();
    assert_eq!(joiner.join(&from_units(&[0xD83D])), "");
    assert_eq!(joiner.join(&JsString::from("x")), "\u{FFFD}x");
    assert_eq!(joiner.join(&from_units(&[0xDC1F])), "\u{FFFD}", "a second half without a first");
    assert_eq!(joiner.join(&from_units(&[0xD83D])), "");
    assert_eq!(joiner.join(&from_units(&[0xD83D])), "\u{FFFD}");
    assert_eq!(joiner.rest(), Some('\u{FFFD}'));
}

#[test]
async fn frames_are_asked_for_once_and_dropped_with_their_owner() {
    let drawn = Rc::new(Cell::new(0));
    let count = drawn.clone();
    let frames = Frames::new(move || count.set(count.get() + 1));
    frames.request();
    frames.request();
    frame().await;
    assert_eq!(drawn.get(), 1);
    frames.request();
    drop(frames);
    frame().await;
    assert_eq!(drawn.get(), 1);
}
