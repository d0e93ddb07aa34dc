//! React in a Vite project: the hook and the renderer, mounted, changed and taken away.

use riacho_tests::scene::play;
use serde_json::{Value, json};
use thirtyfour::cdp::Cdp;

use crate::{Project, at_the_relay, shows_a_streamed_answer};

/// Objects of this prototype that are alive after a collection.
async fn alive(page: &Cdp, prototype: &str) -> u64 {
    page.send_raw("HeapProfiler.enable", json!({})).await.unwrap();
    page.send_raw("HeapProfiler.collectGarbage", json!({})).await.unwrap();
    let call = |name: &'static str, args: Value| page.send_raw(name, args);
    let prototype = call("Runtime.evaluate", json!({"expression": prototype})).await.unwrap();
    let id = &prototype["result"]["objectId"];
    let found = call("Runtime.queryObjects", json!({"prototypeObjectId": id})).await.unwrap();
    let count = json!({
        "objectId": found["objects"]["objectId"], "functionDeclaration": "function () { return this.length; }",
        "returnByValue": true,
    });
    call("Runtime.callFunctionOn", count).await.unwrap()["result"]["value"].as_u64().unwrap()
}

#[test]
fn vite_finds_the_wasm_and_react_mounts_twice_without_a_trace() {
    let project = Project::get();
    project.tool("vite", "vite", &["build", "--logLevel", "warn"]);
    play(at_the_relay(project.at("vite/dist")), async |scene| {
        let page = &scene.page;
        // It was mounted, taken away and mounted in strict mode: one socket is open, one client alive.
        shows_a_streamed_answer(page, "globalThis.hook?.client() && hook").await;
        let state: Vec<String> = page
            .run("return ['state', 'count'].map((id) => document.getElementById(id).textContent);", vec![])
            .await;
        assert_eq!(state, ["ready", "2"]);
        assert_eq!(scene.link.opened(), 1);

        page.run::<()>("globalThis.prototype = hook.client().constructor.prototype;", vec![]).await;
        for times in 0..20 {
            page.run::<()>(
                &format!("write({{ text: 'a **b** {times}', done: true }}); show(false);"),
                vec![],
            )
            .await;
            page.until("nothing", async |page| page.messages().await.is_empty().then_some(())).await;
            page.run::<()>("show(true);", vec![]).await;
            page.until("the conversation again", async |page| {
                (page.answers().await.first()?.status == "completed").then_some(())
            })
            .await;
            assert_eq!(page.messages().await.len(), 2);
        }
        let tools = scene.browser.driver.cdp();
        let clients = alive(&tools, "prototype").await;
        assert!(clients <= 2, "{clients} clients are alive after 21 mounts, one of them on screen");

        // Text that goes on is appended, text that is another starts over, and the end is final.
        let shown = "return document.getElementById('text').textContent;";
        for (text, done, expected) in [
            ("um **do", false, "um do"),
            ("um **dois**", false, "um dois"),
            ("três", true, "três"),
            ("quatro", true, "quatro"),
        ] {
            page.run::<()>("write(arguments[0]);", vec![json!({"text": text, "done": done})]).await;
            page.until(expected, async |page| {
                (page.run::<String>(shown, vec![]).await.trim() == expected).then_some(())
            })
            .await;
        }
    });
}

#[test]
fn a_hook_says_that_an_answer_failed_until_the_reader_goes_on() {
    let project = Project::get();
    project.tool("vite", "vite", &["build", "--logLevel", "warn", "--outDir", "dist-failed"]);
    play(at_the_relay(project.at("vite/dist-failed")), async |scene| {
        let page = &scene.page;
        let until = async |state: &str, code: Option<&str>| {
            page.until(state, async |page| {
                let found: (Option<String>, Option<String>) =
                    page.run("return [globalThis.hook?.status, globalThis.hook?.error?.code];", vec![]).await;
                (found.0.as_deref() == Some(state) && found.1.as_deref() == code).then_some(())
            })
            .await;
        };
        until("ready", None).await;
        page.run::<()>("hook.send('error');", vec![]).await;
        until("error", Some("provider_failed")).await;
        page.run::<()>("hook.send('Olá');", vec![]).await;
        until("streaming", None).await;
        until("ready", None).await;

        // Another conversation is another story, and so is none: that is a new one.
        page.run::<()>("hook.send('error');", vec![]).await;
        until("error", Some("provider_failed")).await;
        let first: String = page.run("return hook.conversationId;", vec![]).await;
        page.run::<()>("open(undefined);", vec![]).await;
        until("ready", None).await;
        let second: String = page.run("return hook.conversationId;", vec![]).await;
        assert_ne!(first, second);
        assert!(page.messages().await.is_empty());
        page.run::<()>("open(arguments[0]);", vec![first.into()]).await;
        page.until("the failed answer", async |page| (page.messages().await.len() == 6).then_some(())).await;
        until("error", Some("provider_failed")).await;
        // Also to a client that did not see it fail.
        page.run::<()>("show(false); globalThis.hook = undefined;", vec![]).await;
        page.until("nothing", async |page| page.messages().await.is_empty().then_some(())).await;
        page.run::<()>("show(true);", vec![]).await;
        until("error", Some("provider_failed")).await;
    });
}

#[test]
fn a_hook_with_a_window_keeps_what_is_near_and_takes_pace_and_words_as_they_change() {
    let project = Project::get();
    project.tool("vite", "vite", &["build", "--logLevel", "warn", "--outDir", "dist-long"]);
    play(at_the_relay(project.at("vite/dist-long")), async |scene| {
        let page = &scene.page;
        page.until("the page", async |page| {
            page.run::<bool>("return globalThis.lengthen !== undefined;", vec![]).await.then_some(())
        })
        .await;
        page.run::<()>("show(false); lengthen({ stopped: 'Parado.' });", vec![]).await;
        page.until("the client", async |page| {
            page.run::<bool>("return Boolean(globalThis.long?.client());", vec![]).await.then_some(())
        })
        .await;
        let fill = "for (let n = 0; n < 300; n += 1) {
                const message_id = `message-${n}`;
                long.client().handle({ type: 'message_started', message_id, role: n % 2 ? 'assistant' : 'user' });
                long.client().handle({ type: 'message_chunk', message_id, content: `Message ${n}.\n\nIt goes on.` });
                long.client().handle({ type: 'response_complete', message_id });
            }";
        page.run::<()>(fill, vec![]).await;
        let shows = async |top: f64, n: usize| {
            let id = format!("message-{n}");
            page.until(&id, async |page| {
                page.run::<()>(
                    "document.getElementById('scroller').scrollTop = arguments[0];",
                    vec![top.into()],
                )
                .await;
                let messages = page.messages().await;
                assert!(messages.len() < 160, "{} elements", messages.len());
                messages.iter().any(|message| message.id == id).then_some(())
            })
            .await;
        };
        shows(1e9, 299).await;
        shows(0.0, 0).await;
        shows(1e9, 299).await;

        // Other words and another pace hold from then on, for the same client.
        page.run::<()>(
            "window.client = long.client();
             client.handle({ type: 'message_started', message_id: 'message-300', role: 'assistant' });
             client.handle({ type: 'message_chunk', message_id: 'message-300', content: 'a' });
             client.stop('message-300');",
            vec![],
        )
        .await;
        let says = async |words: &str| {
            page.until(words, async |page| {
                let last = page.messages().await.pop()?;
                (last.id == "message-300" && last.all.contains(words)).then_some(())
            })
            .await;
        };
        says("Parado.").await;
        page.run::<()>("lengthen({ stopped: 'Stopped, as you wished.', pace: 5 });", vec![]).await;
        says("Stopped, as you wished.").await;
        page.run::<()>(
            "client.handle({ type: 'message_started', message_id: 'message-301', role: 'assistant' });
             client.handle({ type: 'message_chunk', message_id: 'message-301', content: 'slowly '.repeat(200) });
             client.handle({ type: 'response_complete', message_id: 'message-301' });",
            vec![],
        )
        .await;
        let last = async || page.messages().await.pop().unwrap();
        page.until("a beginning", async |_| last().await.text.starts_with("slo").then_some(())).await;
        assert_eq!(last().await.status, "streaming", "it is shown at the pace that was asked for");
        page.run::<()>("lengthen({ stopped: '' });", vec![]).await;
        page.until("the end", async |_| (last().await.status == "completed").then_some(())).await;
        assert!(page.run::<bool>("return long.client() === client;", vec![]).await);
    });
}
