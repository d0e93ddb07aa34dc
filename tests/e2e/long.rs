//! A conversation of thousands of messages, in three browsers: what is near the view has elements, the rest has room, and
//! neither the reader's place nor a selection is lost.

use riacho_tests::stage::{Stage, play};
use riacho_tests::wild::Kind;
use serde::Deserialize;
use serde_json::json;

use crate::kinds::in_each_browser;

/// More elements than this are not "near the view" of 600 pixels.
const NEAR: usize = 160;

#[derive(Debug, Deserialize)]
struct Seen {
    ids: Vec<String>,
    blank: f64,
    first: Option<String>,
    top: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Work {
    changes: f64,
    nodes: f64,
    boxes: f64,
}

async fn fill(stage: &Stage, count: usize) {
    stage.run::<()>("await fill(args[0]);", vec![json!(count)]).await;
}

async fn mounted(stage: &Stage) -> Vec<String> {
    stage.run("return ids();", vec![]).await
}

async fn seen(stage: &Stage) -> Seen {
    stage.run("return seen();", vec![]).await
}

fn number(id: &str) -> usize {
    id.trim_start_matches("message-").parse().expect("an id of the page's")
}

/// One row of messages, without a hole, and no more than what is near.
fn assert_window(kind: Kind, ids: &[String]) {
    assert!(!ids.is_empty() && ids.len() <= NEAR, "{kind:?}: {} elements", ids.len());
    let numbers: Vec<usize> = ids.iter().map(|id| number(id)).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{kind:?}: {numbers:?}");
}

/// What scrolling costs in the middle of so many messages.
fn work_among(kind: Kind, count: usize) -> Work {
    let mut work = None;
    play(kind, "long", "", async |stage| {
        fill(stage, count).await;
        assert_window(kind, &mounted(stage).await);
        let to = "const chat = document.getElementById('chat');
            chat.scrollTop = chat.scrollHeight / 2;
            await settled();
            return work(30, -200);";
        work = Some(stage.run::<Work>(to, vec![]).await);
        let ids = mounted(stage).await;
        assert_window(kind, &ids);
        assert!(number(&ids[0]) > count / 4, "{kind:?}: this is the middle: {}", ids[0]);
    });
    work.expect("it was counted")
}

/// Each step of the reader is as long as it was, whatever is put up and taken down meanwhile.
async fn walk(stage: &Stage, pixels: i32, until: &str) {
    let kind = stage.kind;
    for step in 0.. {
        assert!(step < 400, "{kind:?}: this way does not end");
        let (first, before): (String, f64) =
            stage.run("const { first, top } = seen(); return [first, top];", vec![]).await;
        let moved: f64 = stage
            .run(
                "const chat = document.getElementById('chat');
                 const before = chat.scrollTop;
                 const room = args[0] < 0 ? before : chat.scrollHeight - chat.clientHeight - before;
                 await scrollBy_(args[0]);
                 return Math.sign(args[0]) * Math.min(Math.abs(args[0]), room);",
                vec![json!(pixels)],
            )
            .await;
        let after: Option<f64> = stage.run("return topOf(args[0]);", vec![json!(first)]).await;
        let after = after.unwrap_or_else(|| panic!("{kind:?}: {first} was just seen, and is gone"));
        assert!((before - moved - after).abs() < 2.5, "{kind:?}: {first} jumped: {before} {moved} {after}");
        let view = seen(stage).await;
        assert!(view.blank < 45.0, "{kind:?}: {view:?}");
        assert_window(kind, &mounted(stage).await);
        if view.ids.iter().any(|id| id == until) {
            return;
        }
    }
}

fn a_long_conversation_has_elements_for_what_is_near(kind: Kind) {
    play(kind, "long", "", async |stage| {
        fill(stage, 5_000).await;
        let ids = mounted(stage).await;
        assert_window(kind, &ids);
        assert_eq!(ids.last().map(|id| number(id)), Some(4_999), "{kind:?}: it opens at the end");

        // Up a good way, and back.
        walk(stage, -350, "message-04940").await;
        walk(stage, 350, "message-04999").await;

        // To the very beginning, by the bar: it is where one wants to be, and there is nothing above it.
        for (place, wanted) in [("0", "message-00000"), ("chat.scrollHeight", "message-04999")] {
            let jump = format!(
                "const chat = document.getElementById('chat'); chat.scrollTop = {place}; await settled();"
            );
            stage.run::<()>(&jump, vec![]).await;
            let view = seen(stage).await;
            assert!(view.ids.iter().any(|id| id == wanted) && view.blank < 45.0, "{kind:?}: {view:?}");
            assert_window(kind, &mounted(stage).await);
        }
        stage
            .run::<()>(
                "const chat = document.getElementById('chat'); chat.scrollTop = 0; await settled();",
                vec![],
            )
            .await;
        let Seen { first, top, .. } = seen(stage).await;
        let box_top: f64 =
            stage.run("return document.getElementById('chat').getBoundingClientRect().top;", vec![]).await;
        assert_eq!(first.as_deref(), Some("message-00000"), "{kind:?}");
        assert!(top.is_some_and(|top| (top - box_top).abs() < 45.0), "{kind:?}: {top:?} {box_top}");
        walk(stage, 350, "message-00060").await;
        walk(stage, -350, "message-00000").await;

        // What is said in what has no element is kept, and there when one comes to it.
        let (text, count): (String, usize) =
            stage.run("return [chat.text('message-02500'), chat.window.count];", vec![]).await;
        assert!(text.starts_with("Message 2500.") && count == 5_000, "{kind:?}: {count} {text}");
    });
}

fn selection_focus_and_place_survive_streaming(kind: Kind) {
    play(kind, "long", "", async |stage| {
        fill(stage, 300).await;
        // An answer streams at the end; the reader selects in the message before it, and holds the focus in the answer.
        let begin = "
            chat.handle({ type: 'message_started', message_id: 'message-00300', role: 'assistant' });
            chat.handle({ type: 'message_chunk', message_id: 'message-00300', content: 'It [begins](https://example.com/) here. ' });
            await settled();
            const link = document.querySelector('[data-message-id=\"message-00300\"] a');
            link.focus();
            const text = document.querySelector('[data-message-id=\"message-00299\"] p').firstChild;
            getSelection().setBaseAndExtent(text, 0, text, 7);
            window.held = [link, text];";
        stage.run::<()>(begin, vec![]).await;
        let go = "
            for (let n = 0; n < 120; n += 1) {
                chat.handle({ type: 'message_chunk', message_id: 'message-00300', content: `Sentence ${n} of it. ${n % 10 === 9 ? '\\n\\n' : ''}` });
                if (n % 4 === 0) await scrollBy_(-150);
            }
            await settled();
            return [document.activeElement === window.held[0], getSelection().toString(), ids().length];";
        let (focus, selection, count): (bool, String, usize) = stage.run(go, vec![]).await;
        assert!(focus, "{kind:?}: the focus was lost");
        assert_eq!(selection, "Message", "{kind:?}");
        assert!(count <= 220, "{kind:?}: {count}");
        // The reader is where the reader went.
        let place: f64 = stage
            .run(
                "const { first, top } = seen();
                 chat.handle({ type: 'message_chunk', message_id: 'message-00300', content: 'More.\\n\\n'.repeat(40) });
                 await settled();
                 return topOf(first) - top;",
                vec![],
            )
            .await;
        assert!(place.abs() < 1.0, "{kind:?}: moved by {place}");
        // Let go, and only what is near stays.
        stage
            .run::<()>(
                "getSelection().removeAllRanges();
                 window.held[0].blur();
                 chat.handle({ type: 'response_complete', message_id: 'message-00300' });
                 await scrollBy_(-10);
                 await settled();",
                vec![],
            )
            .await;
        assert_window(kind, &mounted(stage).await);
    });
}

/// Counted: ten times as many messages, and a step of the reader does no more.
fn a_step_costs_the_same_among_5000_messages(kind: Kind) {
    let [few, many] = [500, 5_000].map(|count| work_among(kind, count));
    for (what, few, many) in [
        ("changes", few.changes, many.changes),
        ("nodes", few.nodes, many.nodes),
        ("boxes", few.boxes, many.boxes),
    ] {
        assert!(few > 0.0 && many < 1.3 * few, "{kind:?}: {what}: {few} among 500, {many} among 5,000");
    }
    println!("{kind:?}: 30 steps among 500: {few:?}; among 5,000: {many:?}");
}

in_each_browser! {
    a_long_conversation_has_elements_for_what_is_near,
    selection_focus_and_place_survive_streaming,
    a_step_costs_the_same_among_5000_messages,
}
