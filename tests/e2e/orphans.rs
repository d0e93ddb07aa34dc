//! Containers that nothing fills: what the design says of orphans, case by case.

use riacho_tests::page::Page;
use riacho_tests::scene::{Setup, play};
use serde_json::{Value, json};

use crate::bare::{chunk, handle, make_chat};

/// Short enough to wait for, and the grace time longer than one look.
fn quick() -> Value {
    json!({"sweepInterval": 50, "sweepGrace": 200})
}

/// Puts an element of a message into the view, as a server or an old script might have.
async fn put(page: &Page, id: &str, text: &str) {
    let script = "
        const [id, text] = arguments;
        const element = document.createElement('article');
        element.className = 'message assistant';
        Object.assign(element.dataset, { messageId: id, conversationId: 'c', role: 'assistant', status: 'completed' });
        const content = element.appendChild(document.createElement('div'));
        content.className = 'message-content';
        content.textContent = text;
        document.querySelector('[data-conversation-view]').append(element);";
    page.run::<()>(script, vec![id.into(), text.into()]).await;
}

async fn ids(page: &Page) -> Vec<String> {
    let mut ids: Vec<String> = page.messages().await.into_iter().map(|message| message.id).collect();
    ids.sort();
    ids
}

/// Waits until the page was looked over this often: an empty container that nobody knows goes at each look.
async fn looks(page: &Page, n: usize) {
    for look in 0..n {
        let canary = format!("canary-{look}");
        put(page, &canary, "").await;
        page.until("a sweep", async |page| (!ids(page).await.contains(&canary)).then_some(())).await;
    }
}

#[test]
fn an_unknown_container_with_text_is_adopted() {
    play(Setup::default().page("bare"), async |scene| {
        let page = &scene.page;
        make_chat(page, quick()).await;
        put(page, "old", "De antes").await;
        looks(page, 3).await;
        let messages = page.messages().await;
        assert_eq!(messages.len(), 1);
        assert_eq!((messages[0].id.as_str(), messages[0].text.as_str()), ("old", "De antes"));
        let debug: Value = page.run("return chat.debug();", vec![]).await;
        assert_eq!(debug["messages"][0]["messageId"], "old", "the registry knows it now: {debug}");
        assert_eq!(debug["containers"], 1);
    });
}

#[test]
fn an_unknown_empty_container_is_swept() {
    play(Setup::default().page("bare"), async |scene| {
        let page = &scene.page;
        make_chat(page, quick()).await;
        put(page, "nothing", "").await;
        put(page, "blank", "  \n ").await;
        put(page, "old", "De antes").await;
        page.until("the sweep", async |page| (ids(page).await == ["old"]).then_some(())).await;
    });
}

#[test]
fn a_known_empty_container_is_swept_when_it_has_completed_and_its_grace_is_over() {
    play(Setup::default().page("bare"), async |scene| {
        let page = &scene.page;
        make_chat(page, json!({"sweepInterval": 50, "sweepGrace": 2_000})).await;
        handle(page, json!({"type": "message_started", "conversation_id": "c", "message_id": "a"})).await;
        page.until("its container", async |page| (ids(page).await == ["a"]).then_some(())).await;
        // The page's own clock says how long it stood, however slow the machine.
        let script = "
            globalThis.swept = undefined;
            const began = performance.now();
            new MutationObserver(() => {
                if (!document.querySelector('[data-message-id=a]')) { swept ??= performance.now() - began; }
            }).observe(document.body, { subtree: true, childList: true });
            chat.handle({ type: 'response_complete', conversation_id: 'c', message_id: 'a' });";
        page.run::<()>(script, vec![]).await;
        let stood = page
            .until("the sweep", async |page| page.run::<Option<f64>>("return swept ?? null;", vec![]).await)
            .await;
        assert!(stood >= 1_990.0, "it was swept after {stood} ms, within its grace time");
        assert!(ids(page).await.is_empty());
    });
}

#[test]
fn a_completed_container_with_text_is_never_swept() {
    play(Setup::default().page("bare"), async |scene| {
        let page = &scene.page;
        make_chat(page, quick()).await;
        handle(page, chunk("a", 1, "texto")).await;
        handle(page, json!({"type": "response_complete", "conversation_id": "c", "message_id": "a"})).await;
        page.answer("the completion", |answer| answer.status == "completed").await;
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        looks(page, 3).await;
        assert_eq!(ids(page).await, ["a"]);
    });
}

#[test]
fn pending_streaming_paused_failed_and_interrupted_ones_are_never_swept() {
    play(Setup::default().page("bare"), async |scene| {
        let page = &scene.page;
        make_chat(page, quick()).await;
        let wire = |kind: &str, id: &str, more: Value| {
            let mut frame = json!({"type": kind, "conversation_id": "c", "message_id": id, "epoch": 0});
            frame.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            frame
        };
        let all = ["failed", "interrupted", "paused", "pending", "streaming"];
        for id in all {
            handle(page, wire("message_started", id, json!({"role": "assistant"}))).await;
        }
        // Its text is all of another part: nothing of it shows, and it is streaming.
        let silent = json!({"offset": 0, "part": 0, "kind": "reasoning", "content": "penso"});
        handle(page, wire("message_chunk", "streaming", silent)).await;
        page.run::<()>("chat.pause('paused');", vec![]).await;
        let end = json!({"status": "interrupted", "reason": "stopped", "length": 0, "usage": {}, "metrics": {"duration_ms": 1}});
        handle(page, wire("response_complete", "interrupted", end)).await;
        let end = json!({"code": "provider_failed", "message": "ai", "length": 0});
        handle(page, wire("stream_error", "failed", end)).await;
        let statuses = page
            .until("five containers", async |page| {
                let messages = page.messages().await;
                (messages.len() == all.len()).then_some(messages)
            })
            .await;
        let mut statuses: Vec<(String, String)> = statuses.into_iter().map(|m| (m.id, m.status)).collect();
        statuses.sort();
        let status = |id: &str| statuses.iter().find(|(of, _)| of == id).unwrap().1.as_str();
        assert_eq!(
            ["failed", "interrupted", "pending", "streaming"].map(status),
            ["error", "interrupted", "pending", "streaming"]
        );
        // Well past the grace time, and looked at again and again.
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        looks(page, 5).await;
        assert_eq!(ids(page).await, all);
    });
}
