//! A page over time: memory, the network gone, two tabs, tokens that run out, reloads anywhere.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use riacho_tests::link::From;
use riacho_tests::page::Page;
use riacho_tests::scene::{Scene, Setup, play};
use serde_json::{Value, json};
use thirtyfour::cdp::Cdp;

use crate::text::{pieces, shown};

/// What a page holds: heap in bytes after a collection, DOM nodes, bytes of wasm memory.
async fn held(tools: &Cdp) -> [u64; 3] {
    let call = |name: &'static str, args: Value| tools.send_raw(name, args);
    for _ in 0..2 {
        call("HeapProfiler.collectGarbage", json!({})).await.unwrap();
    }
    let heap = call("Runtime.getHeapUsage", json!({})).await.unwrap();
    let nodes = call("Memory.getDOMCounters", json!({})).await.unwrap();
    let prototype =
        call("Runtime.evaluate", json!({"expression": "WebAssembly.Memory.prototype"})).await.unwrap();
    let id = &prototype["result"]["objectId"];
    let memories = call("Runtime.queryObjects", json!({"prototypeObjectId": id})).await.unwrap();
    let sum = json!({
        "objectId": memories["objects"]["objectId"], "returnByValue": true,
        "functionDeclaration": "function () { return this.reduce((sum, memory) => sum + memory.buffer.byteLength, 0); }",
    });
    let wasm = call("Runtime.callFunctionOn", sum).await.unwrap();
    [&heap["usedSize"], &nodes["nodes"], &wasm["result"]["value"]].map(|value| value.as_f64().unwrap() as u64)
}

/// Acts from one number to another: so often to warm up, then `times` more in steps. What the page holds has not grown.
async fn assert_flat(scene: &Scene, warm: usize, times: usize, step: usize, act: impl AsyncFn(usize, usize)) {
    let tools = scene.browser.driver.cdp();
    scene.browser.driver.set_script_timeout(Duration::from_secs(300)).await.unwrap();
    act(0, warm).await;
    let before = held(&tools).await;
    for done in (warm..warm + times).step_by(step) {
        act(done, done + step).await;
        if (done - warm).is_multiple_of(10 * step) {
            println!("heap, nodes and wasm memory after {done}: {:?}", held(&tools).await);
        }
    }
    let after = held(&tools).await;
    println!("heap, nodes and wasm memory before {before:?}, after {times} more {after:?}");
    assert!(after[0] < before[0] + before[0] / 10, "heap {before:?} {after:?}");
    assert!(after[1] < before[1] + before[1] / 10, "nodes {before:?} {after:?}");
    assert!(after[2] <= before[2], "wasm memory {before:?} {after:?}");
}

#[test]
fn memory_is_flat_over_a_thousand_switches() {
    const ROOMS: usize = 12;
    let setup =
        Setup::default().page("bare").no_provider().relay_args(&["--demo-pace", "0", "--demo-chunk", "400"]);
    play(setup, async |scene| {
        let page = &scene.page;
        crate::bare::make_chat(page, json!({"url": "/ws"})).await;
        // Each with an answer, and let go while others are looked at: coming back fetches it again.
        let script = "
            const [rooms, from, to] = arguments;
            const id = (room) => `01990000-0000-7000-8000-${String(room).padStart(12, '0')}`;
            const whole = (room) => new Promise((resolve) => {
                const look = () => {
                    const answer = document.querySelector(`[data-conversation-view='${id(room)}'] [data-role=assistant]`);
                    const is = answer?.dataset.status === 'completed' && answer.textContent.length > 500;
                    is ? resolve() : setTimeout(look, 1);
                };
                look();
            });
            return (async () => {
                for (let i = from; i < to; i += 1) {
                    const room = i % rooms;
                    chat.open(id(room));
                    if (i < rooms) {
                        chat.send(`Olá ${room}`);
                    }
                    await whole(room);
                }
                return chat.debug().messages.length;
            })();";
        assert_flat(scene, 10 * ROOMS, 1_000, 100, async |from, to| {
            let known: u64 = page.run(script, vec![ROOMS.into(), from.into(), to.into()]).await;
            assert!(known <= 2 * 5, "the room on screen and the four before it, not {known} messages");
        })
        .await;
    });
}

/// One page that is never loaded again: conversations of four answers, one after the other, each as long as the demo's tour.
/// 200 answers; `RIACHO_LONG=1` makes it the 4,000 of a busy day.
#[test]
fn memory_is_flat_over_a_day_of_answers() {
    let answers = if is_long() { 4_000 } else { 200 };
    let setup =
        Setup::default().page("bare").no_provider().relay_args(&["--demo-pace", "0", "--demo-chunk", "400"]);
    play(setup, async |scene| {
        let page = &scene.page;
        crate::bare::make_chat(page, json!({"url": "/ws"})).await;
        let script = "
            const [from, to] = arguments;
            const id = (room) => `01990000-0000-7000-8000-${String(room).padStart(12, '0')}`;
            const ended = (replyId) => new Promise((resolve) => {
                const off = chat.on('status', ({ messageId, status }) => {
                    if (messageId === replyId && status !== 'pending' && status !== 'streaming') {
                        off();
                        resolve(status);
                    }
                });
            });
            return (async () => {
                for (let i = from; i < to; i += 1) {
                    chat.open(id(Math.floor(i / 4)));
                    const { replyId } = chat.send(`Olá ${i}`);
                    const status = await ended(replyId);
                    if (status !== 'completed' || chat.text(replyId).length < 1000) {
                        throw new Error(`answer ${i}: ${status}`);
                    }
                }
                return [chat.debug().messages.length, chat.debug().containers];
            })();";
        assert_flat(scene, 40, answers, 40, async |from, to| {
            let [known, containers]: [u64; 2] = page.run(script, vec![from.into(), to.into()]).await;
            assert!(known <= 8 * 5, "the room on screen and the four before it, not {known} messages");
            assert!(containers <= 8, "one room is on screen, not {containers} containers");
        })
        .await;
    });
}

/// More than the usual: `RIACHO_LONG=1`.
fn is_long() -> bool {
    std::env::var_os("RIACHO_LONG").is_some()
}

/// Ten seconds; `RIACHO_LONG=1` makes it a full minute.
#[test]
fn offline_in_mid_stream() {
    let pace = Duration::from_millis(if is_long() { 200 } else { 33 });
    play(Setup::default().sockets_are_lost().console_says("ERR_INTERNET"), async |scene| {
        let tools = scene.browser.driver.cdp();
        let network = async |offline: bool| {
            let args =
                json!({"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
            tools.send_raw("Network.emulateNetworkConditions", args).await.unwrap();
        };
        tools.send_raw("Network.enable", json!({})).await.unwrap();
        scene.page.send("Conta").await;
        let mut exchange = scene.upstream.next().await;
        exchange.begin().await;
        let pieces = pieces("alfa", 400);
        for piece in &pieces[..50] {
            exchange.delta(piece).await;
        }
        scene.page.answer("the first text", |answer| answer.text.contains("alfa49")).await;
        network(true).await;
        scene.link.refuse(true);
        scene.link.cut();
        for piece in &pieces[50..200] {
            exchange.delta(piece).await;
            tokio::time::sleep(pace).await;
        }
        // What is written meanwhile waits, and goes out once; nothing comes in.
        scene.page.send("E depois?").await;
        let offline = scene.page.answers().await;
        for piece in &pieces[200..350] {
            exchange.delta(piece).await;
            tokio::time::sleep(pace).await;
        }
        let still = scene.page.answers().await;
        assert_eq!((still.len(), &still[0].text), (2, &offline[0].text));
        assert!(
            shown(&pieces).starts_with(&offline[0].text)
                && offline[0].text.len() < shown(&pieces[..200]).len()
        );
        assert!(scene.upstream.is_idle());
        scene.link.refuse(false);
        network(false).await;
        for piece in &pieces[350..] {
            exchange.delta(piece).await;
        }
        exchange.finish().await;
        let mut second = scene.upstream.next().await;
        assert_eq!(second.asked(), "E depois?");
        second.stream(["Fim."], Duration::ZERO).await;
        let answers = scene
            .page
            .until("both answers", async |page| {
                let answers = page.answers().await;
                (answers.len() == 2 && answers.iter().all(|a| a.status == "completed")).then_some(answers)
            })
            .await;
        assert_eq!((answers[0].text.clone(), answers[1].text.as_str()), (shown(&pieces), "Fim."));
        assert_eq!(scene.page.messages().await.len(), 4);
        assert!(scene.upstream.is_idle(), "each message was asked once");
    });
}

#[test]
fn two_tabs_of_one_user_see_the_same_conversation() {
    play(Setup::default(), async |scene| {
        let conversation = scene.page.conversation().await;
        let driver = &scene.browser.driver;
        let first = driver.window().await.unwrap();
        let second = driver.new_tab().await.unwrap();
        driver.switch_to_window(second.clone()).await.unwrap();
        scene.page.goto(&format!("{}#{conversation}", scene.link.url())).await;
        scene
            .page
            .until("the same conversation", async |page| {
                (page.conversation().await == conversation).then_some(())
            })
            .await;
        driver.switch_to_window(first.clone()).await.unwrap();
        scene.page.send("Conta").await;
        let mut exchange = scene.upstream.next().await;
        exchange.begin().await;
        let pieces = pieces("alfa", 40);
        exchange.delta(&pieces[..20].concat()).await;
        let here = scene.page.answer("the text", |answer| answer.text.contains("alfa19")).await;

        driver.switch_to_window(second).await.unwrap();
        let there = scene.page.answer("the text in the other tab", |a| a.text.contains("alfa19")).await;
        assert_eq!((&there.id, there.status.as_str()), (&here.id, "streaming"));
        assert_eq!(scene.page.messages().await.len(), 2);
        exchange.delta(&pieces[20..].concat()).await;
        scene.page.answer("the rest", |answer| answer.text == shown(&pieces)).await;
        scene.page.press("Stop").await;
        exchange.dropped().await;
        scene.page.answer("the stop", |answer| answer.status == "interrupted").await;

        driver.switch_to_window(first).await.unwrap();
        let answer = scene.page.answer("the stop in the first tab", |a| a.status == "interrupted").await;
        assert_eq!(answer.text, shown(&pieces));
        assert_eq!(scene.page.messages().await.len(), 2);
    });
}

const SECRET: &str = "a secret of the tests, of thirty-two bytes or more";

#[test]
fn a_token_that_expires_in_mid_stream_is_asked_for_again() {
    let setup = Setup::default()
        .page("bare")
        .relay_env("RIACHO_JWT_SECRET", SECRET)
        .relay_args(&["--jwt-leeway", "0"]);
    play(setup, async |scene| {
        let page = &scene.page;
        page.until("the package", async |page| {
            page.run::<bool>("return 'riacho' in globalThis;", vec![]).await.then_some(())
        })
        .await;
        // Signed in the page, good for four seconds.
        let script = "
            const base64 = (bytes) => btoa(String.fromCharCode(...bytes)).replace(/[+]/g, '-').replace(/[/]/g, '_').replace(/=/g, '');
            const bytes = (text) => new TextEncoder().encode(text);
            const secret = arguments[0];
            globalThis.tokens = 0;
            globalThis.codes = [];
            const token = async () => {
                tokens += 1;
                const now = Math.floor(Date.now() / 1000);
                const claims = { sub: 'alice', iat: now, nbf: now, exp: now + 4 };
                const text = [{ alg: 'HS256', typ: 'JWT' }, claims].map((part) => base64(bytes(JSON.stringify(part)))).join('.');
                const key = await crypto.subtle.importKey('raw', bytes(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
                return `${text}.${base64(new Uint8Array(await crypto.subtle.sign('HMAC', key, bytes(text))))}`;
            };
            globalThis.chat = new riacho.ChatClient({ url: '/ws', root: document.getElementById('root'), storageKey: null, token });
            chat.on('error', ({ code }) => codes.push(code));
            chat.open('01990000-0000-7000-8000-000000000001');
            chat.send('Conta');";
        page.run::<()>(script, vec![SECRET.into()]).await;
        let mut exchange = scene.upstream.next().await;
        exchange.begin().await;
        let pieces = pieces("alfa", 100);
        for piece in &pieces {
            exchange.delta(piece).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        exchange.finish().await;
        let answer = page.answer("the end", |answer| answer.status == "completed").await;
        assert_eq!(answer.text, shown(&pieces));
        assert_eq!(page.messages().await.len(), 2);
        let (tokens, codes): (usize, Vec<String>) = page.run("return [tokens, codes];", vec![]).await;
        assert!(
            tokens >= 3 && tokens == scene.link.opened(),
            "{tokens} tokens, {} sockets",
            scene.link.opened()
        );
        assert!(!codes.is_empty() && codes.iter().all(|code| code == "token_expired"), "{codes:?}");
        let sent = scene.link.seen().iter().filter(|s| s.from == From::Page && s.is("send_message")).count();
        assert_eq!(sent, 1);
        assert!(scene.upstream.is_idle());
    });
}

/// Where text was cut off by a reload, all of it is there again, in the one container.
async fn whole(page: &Page, text: &str) {
    page.answer("the text so far", |answer| answer.text == text).await;
}

#[test]
fn twenty_reloads_at_random_moments_lose_nothing() {
    let given = std::env::var("RIACHO_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = given.unwrap_or_else(|| {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| u64::from(since.subsec_nanos()))
    });
    println!("RIACHO_SEED={seed}");
    play(Setup::default().sockets_are_lost(), async |scene| {
        let mut random = fastrand::Rng::with_seed(seed);
        let conversation = scene.page.conversation().await;
        scene.page.send("Conta").await;
        let mut exchange = scene.upstream.next().await;
        exchange.begin().await;
        let pieces = pieces("alfa", 2_000);
        let mut sent = 0;
        for _ in 0..20 {
            for _ in 0..random.usize(1..60) {
                exchange.delta(&pieces[sent]).await;
                sent += 1;
                if random.bool() {
                    tokio::time::sleep(Duration::from_millis(random.u64(0..6))).await;
                }
            }
            // Not when all of it is there: in the greeting, between two frames, before the first one.
            scene.page.reload().await;
            if random.bool() {
                exchange.delta(&pieces[sent]).await;
                sent += 1;
                whole(&scene.page, &shown(&pieces[..sent])).await;
            }
            assert!(scene.page.messages().await.len() <= 2);
        }
        whole(&scene.page, &shown(&pieces[..sent])).await;
        exchange.finish().await;
        let answer = scene.page.answer("the completion", |answer| answer.status == "completed").await;
        assert_eq!(answer.text, shown(&pieces[..sent]));
        assert_eq!((scene.page.conversation().await, scene.page.messages().await.len()), (conversation, 2));
        assert!(scene.upstream.is_idle(), "the provider was asked once");
    });
}
