//! A session that was recorded replays to the same DOM, mutation by mutation, in each browser.

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::time::Duration;

use riacho_tests::scene::{self, Scene, Setup};
use riacho_tests::upstream::Exchange;
use riacho_tests::wild::Kind;
use serde::Deserialize;
use serde_json::{Value, json};

const A: &str = "01990000-0000-7000-8000-00000000000a";
const B: &str = "01990000-0000-7000-8000-00000000000b";
const TOKEN: &str = "a token that is on no recording";

/// Headings, lists, raw HTML that waits for the sanitiser, code, a table, a definition that comes late, a formula.
const DOCUMENT: &str = "\
# Um título\n\nA [link] that waits, **bold**, `code`.\n\n<details><summary>more</summary>\n\n- um\n- dois\n\n</details>\n\n\
```rust\nfn main() {\n    println!(\"Olá\");\n}\n```\n\n| a | b |\n|---|---|\n| 1 | <kbd>2</kbd> |\n\n1. one\n2. two\n   > quoted\n\n\
![rio](https://img.example/rio.png) $e = mc^2$ and more text after it, long enough to be cut in the middle of a frame.\n\n[link]: https://example.com/\n";

/// What both pages have: an element to show things in, and a list of every change of it.
const WATCH: &str = "
    window.watched = (root) => {
        const ids = new Map();
        const name = (node) => {
            if (node !== null && !ids.has(node)) {
                ids.set(node, `${ids.size} ${node.nodeName}`);
            }
            return ids.get(node) ?? null;
        };
        const mutations = [];
        const take = (records) => {
            for (const { type, target, addedNodes, removedNodes, previousSibling, nextSibling, attributeName, oldValue } of records) {
                mutations.push(JSON.stringify([
                    type, name(target), [...addedNodes].map(name), [...removedNodes].map(name),
                    name(previousSibling), name(nextSibling), attributeName, oldValue,
                ]));
            }
        };
        const observer = new MutationObserver(take);
        observer.observe(root, {
            subtree: true, childList: true,
            attributes: true, attributeOldValue: true, characterData: true, characterDataOldValue: true,
        });
        return () => {
            take(observer.takeRecords());
            return { mutations, html: root.innerHTML };
        };
    };
    window.place = () => document.body.appendChild(document.createElement('div'));
    return Promise.all([import('/riacho/index.js'), import('/riacho/debug/index.js')]).then(async ([riacho, tapes]) => {
        await riacho.default();
        Object.assign(window, { riacho, tapes });
    });";

#[derive(Debug, PartialEq, Deserialize)]
struct Seen {
    mutations: Vec<String>,
    html: String,
}

impl Seen {
    /// The first difference says more than both lists.
    fn assert_is(&self, live: &Seen, how: &str) {
        for (n, (here, there)) in self.mutations.iter().zip(&live.mutations).enumerate() {
            assert_eq!(here, there, "{how}: mutation {n} of {}", live.mutations.len());
        }
        assert_eq!(self.mutations.len(), live.mutations.len(), "{how}");
        assert_eq!(self.html, live.html, "{how}");
    }
}

/// A scene, with the package at hand on its page.
struct World<'a>(&'a mut Scene);

impl Deref for World<'_> {
    type Target = Scene;

    fn deref(&self) -> &Scene {
        self.0
    }
}

impl DerefMut for World<'_> {
    fn deref_mut(&mut self) -> &mut Scene {
        self.0
    }
}

fn play_in(kind: Kind, test: impl AsyncFnOnce(&mut World)) {
    scene::play_in(kind, Setup::default().sockets_are_lost(), async |scene| {
        scene.browser.driver.set_script_timeout(Duration::from_secs(120)).await.unwrap();
        let mut world = World(scene);
        world.fresh().await;
        test(&mut world).await;
    });
}

impl World<'_> {
    async fn fresh(&self) {
        self.page.goto(&self.link.url()).await;
        self.page.run::<()>(WATCH, vec![]).await;
    }

    async fn run(&self, script: &str) {
        self.page.run::<()>(script, vec![A.into(), B.into(), TOKEN.into()]).await;
    }

    /// The next request of the relay's, and what comes of it until it is on the page.
    async fn begun(&mut self, text: &str) -> Exchange {
        let mut exchange = self.upstream.next().await;
        exchange.begin().await;
        exchange.delta(text).await;
        self.shows(text).await;
        exchange
    }

    async fn shows(&self, text: &str) {
        self.until("root.textContent.includes(arguments[0])", text).await;
    }

    async fn until(&self, condition: &str, argument: &str) {
        self.page
            .until(condition, async |page| {
                let script = format!("return {condition};");
                page.run::<bool>(&script, vec![argument.into()]).await.then_some(())
            })
            .await;
    }

    /// Several conversations, a switch, a cut, a stop, a failure and another try, raw HTML, code.
    async fn session(&mut self) -> (Seen, Value) {
        self.run(
            "const [a, , token] = arguments;
             window.root = place();
             window.seen = watched(root);
             window.recorder = new tapes.Recorder();
             window.chat = new riacho.ChatClient({ url: '/ws', root, storageKey: null, token: () => token, recorder });
             chat.setWords({ load_image: 'Carregar de {host}' });
             chat.open(a);
             chat.send('Conta');",
        )
        .await;
        let mut first = self.begun("Era uma vez").await;
        first.delta(" <b>um</b> rio.\n\n").await;
        self.until("root.querySelector('b') !== null", "").await;
        self.run("chat.open(arguments[1]); window.second = chat.send('E o mar?').replyId;").await;
        let mut second = self.begun("O mar").await;
        for piece in DOCUMENT.split_inclusive(' ') {
            first.delta(piece).await;
        }
        self.link.cut();
        second.delta(" é fundo.").await;
        self.shows("O mar é fundo.").await;
        self.run("chat.stop(second);").await;
        second.dropped().await;
        self.until("root.querySelector('[data-status=interrupted]') !== null", "").await;
        self.run("chat.open(arguments[0]); chat.pause(chat.messages().at(-1).messageId);").await;
        self.run("chat.resume(chat.messages().at(-1).messageId);").await;
        self.shows("middle of a frame.").await;
        self.link.cut();
        first.delta("\nE assim foi até ao fim.\n").await;
        first.finish().await;
        self.until("chat.messages().at(-1).status === 'completed'", "").await;
        self.run("chat.send('Mais?');").await;
        self.upstream.next().await.refuse(400, &[], "no").await;
        self.until("root.querySelector('.message-retry') !== null", "").await;
        self.run("root.querySelector('.message-retry').click();").await;
        let mut third = self.begun("Agora sim").await;
        third.finish().await;
        self.until("chat.messages().at(-1).status === 'completed'", "").await;
        // The headers of blocks of code, and what else is to come.
        self.until("root.querySelector('.riacho-code-header') !== null", "").await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let [seen, recording]: [Value; 2] = self
            .page
            .run("const kept = [seen(), recorder.recording()]; chat.close(); return kept;", vec![])
            .await;
        (serde_json::from_value(seen).unwrap(), recording)
    }

    async fn replayed(&self, recording: &Value, speed: &str) -> Seen {
        self.fresh().await;
        let script = format!(
            "window.root = place();
             const seen = watched(root);
             return tapes.replay(arguments[0], root, {{ speed: {speed} }}).finished.then(
                 () => seen(),
                 (error) => {{ throw new Error(`${{error.code}}: ${{error.message}}`); }},
             );"
        );
        self.page.run(&script, vec![recording.clone()]).await
    }
}

fn a_session_replays_in(kind: Kind) {
    play_in(kind, async |world| {
        let (live, recording) = world.session().await;
        assert!(live.mutations.len() > 100 && live.html.contains("Carregar de img.example"), "{live:#?}");
        assert_eq!((&recording["complete"], &recording["of"]), (&json!(true), &json!("chat")));
        let text = recording.to_string();
        assert!(!text.contains(TOKEN), "the token is on the recording");
        let inputs: Vec<&str> =
            recording["entries"].as_array().unwrap().iter().filter_map(|e| e["input"].as_str()).collect();
        for input in ["start", "open", "text", "closed", "frame", "timer", "sanitizer", "code", "retry"] {
            assert!(inputs.contains(&input), "a session has {input}: {inputs:?}");
        }
        if kind == Kind::Chromium && std::env::var_os("UPDATE_RECORDING").is_some() {
            std::fs::write(kept().join("session.json"), format!("{recording}\n")).unwrap();
        }
        let sockets = world.link.opened();
        for speed in ["Infinity", "20"] {
            world.replayed(&recording, speed).await.assert_is(&live, &format!("{kind:?} at {speed}"));
            // The demo's own client is on the page, too: one socket a visit, and none of the replay's.
        }
        assert!(world.link.opened() <= sockets + 2, "a replay has no socket");
        assert!(world.upstream.is_idle(), "a replay asks nobody");
    });
}

#[test]
fn a_session_replays_mutation_by_mutation() {
    a_session_replays_in(Kind::Chromium);
}

#[test]
fn a_session_replays_mutation_by_mutation_in_firefox() {
    a_session_replays_in(Kind::Firefox);
}

#[test]
fn a_session_replays_mutation_by_mutation_in_webkit() {
    a_session_replays_in(Kind::WebKit);
}

fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/recordings")
}

/// Files of earlier versions can be read, and end as their texts rendered in one go. `UPDATE_RECORDING=1` with the test of the
/// session writes the first one anew.
#[test]
fn every_kept_recording_still_replays() {
    play_in(Kind::Chromium, async |world| {
        let mut count = 0;
        for file in std::fs::read_dir(kept()).unwrap() {
            let file = file.unwrap().path();
            let recording: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
            world.fresh().await;
            let script = "
                const [recording] = arguments;
                const root = place();
                const bare = (element) => {
                    const copy = element.cloneNode(true);
                    copy.querySelectorAll('[data-riacho-ui]').forEach((ui) => ui.remove());
                    copy.normalize();
                    return copy.innerHTML;
                };
                return (async () => {
                    const { client, finished } = tapes.replay(recording, root, { speed: Infinity });
                    let failure = null;
                    await finished.catch(({ code }) => (failure = code));
                    const pairs = [];
                    for (const element of root.querySelectorAll('[data-role=assistant]')) {
                        const { messageId, status } = element.dataset;
                        const once = document.createElement('div');
                        const stream = new riacho.MarkdownStream(once, { idPrefix: messageId, codeHeader: false });
                        stream.push(client.text(messageId));
                        await stream.end();
                        pairs.push([status, bare(element.querySelector('.message-content')), bare(once)]);
                    }
                    return [failure, pairs];
                })();";
            let (failure, pairs): (Option<String>, Vec<[String; 3]>) =
                world.page.run(script, vec![recording]).await;
            assert!(failure.is_none(), "{}: {failure:?}", file.display());
            assert!(!pairs.is_empty(), "{}: no answers", file.display());
            for [status, replayed, once] in pairs {
                assert_eq!((status.as_str(), &replayed), ("completed", &once), "{}", file.display());
            }
            count += 1;
        }
        assert!(count > 0, "no recordings are kept");
    });
}

#[test]
fn a_stream_replays_mutation_by_mutation() {
    play_in(Kind::Chromium, async |world| {
        // In steps that cut words, characters and frames anywhere.
        let script = "
            const [text] = arguments;
            window.root = place();
            const seen = watched(root);
            const recorder = new tapes.Recorder();
            const stream = new riacho.MarkdownStream(root, { recorder, words: { load_image: 'Carregar de {host}' } });
            return (async () => {
                for (let at = 0; at < text.length; at += 1 + at % 7) {
                    stream.push(text.slice(at, at + 1 + at % 7));
                    if (at % 3 === 0) await new Promise(requestAnimationFrame);
                    if (at % 11 === 0) stream.flush();
                }
                await stream.end();
                await new Promise((resolve) => setTimeout(resolve, 300));
                // As a file: halves of characters are in it.
                return [seen(), JSON.stringify(recorder.recording())];
            })();";
        let text = format!("{DOCUMENT}🌊🌊🌊 {DOCUMENT}");
        let [live, recording]: [Value; 2] = world.page.run(script, vec![text.into()]).await;
        let live: Seen = serde_json::from_value(live).unwrap();
        assert!(live.mutations.len() > 100 && live.html.contains("<details>"), "{live:#?}");
        assert!(live.html.contains("Carregar de img.example"), "{live:#?}");
        for speed in ["Infinity", "3"] {
            world.replayed(&recording, speed).await.assert_is(&live, speed);
        }
    });
}

#[test]
fn a_recording_has_a_limit_and_can_be_without_words() {
    play_in(Kind::Chromium, async |world| {
        let script = "
            const recorded = async (options) => {
                const recorder = new tapes.Recorder(options);
                const stream = new riacho.MarkdownStream(place(), { recorder });
                for (let n = 0; n < 500; n += 1) {
                    stream.push(`**Água ${n}** ملح 水 🌊 \\`x\\`\\n\\n`);
                    stream.flush();
                }
                await stream.end();
                return recorder.recording();
            };
            return (async () => [await recorded(), await recorded({ limit: 2000 }), await recorded({ redact: true })])();";
        let [whole, cut, redacted]: [Value; 3] = world.page.run(script, vec![]).await;
        let entries = |recording: &Value| recording["entries"].as_array().unwrap().len();
        assert_eq!((&whole["complete"], &whole["redacted"]), (&json!(true), &json!(false)));
        assert!(entries(&whole) > 500);
        assert_eq!(cut["complete"], false);
        assert!(
            (10..60).contains(&entries(&cut)) && cut.to_string().len() < 5_000,
            "{}",
            cut.to_string().len()
        );
        assert_eq!(redacted["redacted"], true);
        let pushed = |recording: &Value| -> Vec<String> {
            let entries = recording["entries"].as_array().unwrap().iter();
            entries.filter_map(|entry| entry["args"][0].as_str().map(str::to_owned)).collect()
        };
        assert_eq!(pushed(&redacted)[7], "**éxxx 0** אאא 文 🌊 `x`\n\n");
        let lengths = |texts: Vec<String>| {
            texts.iter().map(|text| (text.len(), text.encode_utf16().count())).collect::<Vec<_>>()
        };
        assert_eq!(lengths(pushed(&whole)), lengths(pushed(&redacted)));

        // What has no end is played to where it ends; what was made without words is played without them.
        for recording in [&cut, &redacted] {
            let seen = world.replayed(recording, "Infinity").await;
            assert!(seen.html.contains("<strong>"), "{}", seen.html);
        }
        // Of an event only what is read of it, and of that no words.
        let script = "
            const recorder = new tapes.Recorder({ redact: true });
            const chat = new riacho.ChatClient({ root: place(), storageKey: null, recorder, token: () => 'segredo' });
            chat.open('c');
            chat.handle({ type: 'message_chunk', conversation_id: 'c', message_id: 'm', content: 'O **segredo**', key: 'segredo' });
            chat.rename('c', 'segredo');
            return new Promise(requestAnimationFrame).then(() => new Promise(requestAnimationFrame)).then(() => recorder.recording());";
        let chat: Value = world.page.run(script, vec![]).await;
        let text = chat.to_string();
        assert!(!text.contains("segredo") && !text.contains("key"), "{text}");
        let seen = world.replayed(&chat, "Infinity").await;
        assert!(seen.html.contains("X <strong>xxxxxxx</strong>"), "{}", seen.html);

        let codes: Vec<String> = world
            .page
            .run(
                "const code = (call) => { try { call(); return 'none'; } catch (error) { return error.code; } };
                 const recorder = new tapes.Recorder();
                 const first = new riacho.MarkdownStream(place(), { recorder });
                 const codes = [
                     code(() => new riacho.MarkdownStream(place(), { recorder })),
                     code(() => new tapes.Recorder({ limit: 0 })),
                     code(() => tapes.replay('{', place())),
                     code(() => tapes.replay({ ...arguments[0], version: 2 }, place())),
                     code(() => tapes.replay(arguments[0], place(), { speed: -1 })),
                 ];
                 // What is mounted twice gives it to a second one; the first is not heard any more.
                 first.free();
                 const second = new riacho.MarkdownStream(place(), { recorder });
                 second.push('dois');
                 const calls = recorder.recording().entries.map(({ call, args }) => `${call} ${args}`);
                 return [...codes, ...calls];",
                vec![whole.clone()],
            )
            .await;
        assert_eq!(
            codes,
            ["bad_recorder", "bad_recorder", "bad_recording", "bad_recording", "bad_speed", "push dois"]
        );
        // One that says what it does not do.
        let code: String = world
            .page
            .run(
                "const bad = { ...arguments[0], of: 'chat', entries: [{ at: 0, call: 'free', args: [] }] };
                 bad.options = { url: 'http://[', transport: 1, storageKey: 'kept', images: 1, codeHeader: { describe: 1 } };
                 return tapes.replay(bad, place()).finished.then(() => 'none', ({ code }) => code);",
                vec![whole],
            )
            .await;
        assert_eq!(code, "bad_recording");
    });
}
