//! What a page asks for and when: the second wasm module, what goes around code, and images that the page has allowed.

use riacho_tests::stage::{Stage, play};
use riacho_tests::wild::Kind;
use serde_json::Value;

/// The paths that were asked for.
fn paths(asked: &[String]) -> Vec<&str> {
    asked.iter().filter_map(|request| request.split(' ').nth(1)?.split('?').next()).collect()
}

#[test]
fn a_page_without_raw_html_never_asks_for_the_sanitiser() {
    const TEXT: &str = "# Rio\n\n*a* **b** `c` [d](https://example.org) <https://example.org> &copy; Vec<String> a < b\n\n\
        - x\n  - [ ] y\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> z[^1]\n\n$x$ \\<b>\n\n[^1]: n\n\n![i](https://example.org/i.png)\n";
    play(Kind::Chromium, "code", "", async |stage| {
        let loaded = stage.asked();
        assert!(paths(&loaded).contains(&"/riacho/dist/riacho_bg.wasm"), "{loaded:?}");
        let lazy = |path: &str| {
            path.contains("sanitizer") || path.starts_with("/riacho/code/") || path.contains("vendor")
        };
        assert!(!paths(&loaded).into_iter().any(lazy), "{loaded:?}");
        let script = "
            const { root, markdown } = stream({ highlight: counted().highlight });
            await feed(markdown, args[0], 3, 5);
            await markdown.end();
            for (let i = 0; i < 20; i += 1) {
                await frame();
            }
            return root.textContent;";
        let plain: String = stage.run(script, vec![TEXT.into()]).await;
        assert!(plain.contains("Vec<String> a < b") && plain.contains("<b>"), "{plain}");
        let asked = stage.asked();
        assert!(asked.is_empty(), "a page without raw HTML and code asked for {asked:?}");

        // What comes with the first code, and with the first raw HTML: each once, and nothing else.
        stage.run::<String>(script, vec!["```js\nx\n```\n\n```js\ny\n```\n".into()]).await;
        stage.until("return document.querySelector('pre button') !== null;").await;
        let code = stage.asked();
        assert!(
            !code.is_empty()
                && paths(&code).into_iter().all(|path| lazy(path) && !path.contains("sanitizer")),
            "{code:?}"
        );
        stage.run::<String>(script, vec!["<b>x</b>\n\n<i>y</i>\n".into()]).await;
        let raw = stage.asked();
        assert_eq!(
            paths(&raw),
            ["/riacho/dist/riacho_sanitizer.js", "/riacho/dist/riacho_sanitizer_bg.wasm"]
        );
    });
}

#[test]
fn a_chat_loads_the_images_of_a_message_or_of_an_origin() {
    play(Kind::Chromium, "code", "", async |stage| {
        // `img-src 'self'` of the page's policy would stop other hosts: here the two origins are one, by its two names.
        let begin = "
            const chat = new ChatClient({ root: document.getElementById('root'), storageKey: null });
            globalThis.chat = chat;
            chat.open('c');
            globalThis.say = (id, content) => chat.handle({ type: 'message_chunk', conversation_id: 'c', message_id: id, content });
            say('a', '![um](/icon.svg?a1)\\n\\n');
            say('b', '![dois](/icon.svg?b1) ![fora](https://example.org/x.png)\\n\\n');
            for (let i = 0; i < 20; i += 1) await frame();
            return document.querySelectorAll('#root img').length;";
        let _ = stage.asked();
        assert_eq!(stage.run::<usize>(begin, vec![]).await, 0);
        assert_eq!(stage.asked(), Vec::<String>::new());
        let icons = || -> Vec<String> {
            let asked = stage.asked();
            let queries =
                asked.iter().filter_map(|request| Some(request.split_once("/icon.svg?")?.1.to_owned()));
            let mut queries: Vec<String> = queries.collect();
            // In whatever order the browser asks.
            queries.sort();
            queries
        };
        let settle = "for (let i = 0; i < 20; i += 1) await frame();";

        // Those of one message: that are there, and to come.
        let one = format!(
            "chat.loadImages({{ messageId: 'a' }}); say('a', '![três](/icon.svg?a2)\\n\\n'); {settle}"
        );
        stage.run::<Value>(&one, vec![]).await;
        assert_eq!(icons(), ["a1", "a2"]);

        // Those of an origin, in whatever message.
        let origin = format!(
            "chat.loadImages({{ origin: location.origin }}); say('c', '![quatro](/icon.svg?c1)\\n\\n'); {settle}"
        );
        stage.run::<Value>(&origin, vec![]).await;
        assert_eq!(icons(), ["b1", "c1"]);
        let left: Vec<String> = stage
            .run(
                "return [...document.querySelectorAll('#root button')].map((button) => button.textContent);",
                vec![],
            )
            .await;
        assert_eq!(left, ["Load image from example.org"]);

        let wrong: Vec<String> = stage
            .run(
                "return ['javascript:alert(1)', 'x'].map((origin) => { try { chat.loadImages({ origin }); } catch (error) { return error.code; } });",
                vec![],
            )
            .await;
        assert_eq!(wrong, ["bad_origin", "bad_origin"]);
        stage.run::<Value>("chat.close();", vec![]).await;
    });
}

/// What is asked for besides the page itself, in order of the alphabet.
fn of_the_package(stage: &Stage) -> Vec<String> {
    let asked = stage.asked();
    let mut found: Vec<String> = paths(&asked)
        .into_iter()
        .filter_map(|path| Some(path.strip_prefix("/riacho/")?.to_owned()))
        .collect();
    found.sort();
    found
}

const CORE: &str = "dist/riacho_bg.wasm";
const CLIENT: &str = "dist/riacho_client_bg.wasm";
const SANITIZER: &str = "dist/riacho_sanitizer_bg.wasm";

/// What only a chat needs.
fn is_the_chats(path: &str) -> bool {
    path.contains("client") || path.contains("chat")
}

fn wasm(asked: &[String]) -> Vec<&str> {
    asked.iter().map(String::as_str).filter(|path| path.ends_with(".wasm")).collect()
}

/// Renders without raw HTML, by the entry's own functions.
const RENDERS: &str = "
    const element = document.getElementById('root').appendChild(document.createElement('div'));
    const markdown = new MarkdownStream(element, { codeHeader: false });
    markdown.push('# Rio\\n\\n- *a* **b**\\n\\n```js\\nx\\n```\\n\\n| a |\\n|---|\\n| $x$ |\\n');
    await markdown.end();
    return ['h1', 'li strong', 'pre code', 'td'].every((css) => element.querySelector(css) !== null);";

#[test]
fn a_page_that_only_renders_loads_the_core_alone() {
    for kind in [Kind::Chromium, Kind::Firefox, Kind::WebKit] {
        play(kind, "entries", "", async |stage| {
            assert_eq!(of_the_package(stage), [""; 0]);
            let script = format!(
                "const {{ default: init, MarkdownStream }} = await entry('markdown'); await init(); await init(); {RENDERS}"
            );
            assert!(stage.run::<bool>(&script, vec![]).await);
            let asked = of_the_package(stage);
            assert_eq!(wasm(&asked), [CORE]);
            assert!(asked.contains(&"markdown.js".to_owned()), "{asked:?}");
            let others = |path: &String| is_the_chats(path) || path.contains("sanitizer");
            assert!(!asked.iter().any(others), "{asked:?}");
            let mut once = asked.clone();
            once.dedup();
            assert_eq!(once, asked);
        });
    }
}

#[test]
fn a_page_with_a_chat_loads_both_modules_at_once_and_each_once() {
    play(Kind::Chromium, "entries", "", async |stage| {
        let script = format!(
            "together(2);
             const [{{ init }}, core] = await Promise.all([entry('index'), entry('markdown')]);
             await Promise.all([init(), core.init()]);
             const {{ ChatClient, MarkdownStream }} = await entry('index');
             if (MarkdownStream !== core.MarkdownStream) throw new Error('the core is there twice');
             const chat = new ChatClient({{ root: document.getElementById('root'), storageKey: null }});
             chat.close();
             {RENDERS}"
        );
        assert!(stage.run::<bool>(&script, vec![]).await);
        let asked = of_the_package(stage);
        assert_eq!(wasm(&asked), [CORE, CLIENT]);
        let mut once = asked.clone();
        once.dedup();
        assert_eq!(once, asked);
    });
}

#[test]
fn a_chat_that_comes_later_says_what_it_waits_for_and_loads_its_own_module_alone() {
    play(Kind::Chromium, "entries", "", async |stage| {
        let script = "
            const { init, MarkdownStream } = await entry('markdown');
            await init();
            const { ChatClient } = await entry('index');
            const make = () => new ChatClient({ root: document.getElementById('root'), storageKey: null });
            const words = (() => { try { make(); } catch ({ code, message }) { return [code, message]; } })();
            const { mode } = await init();
            make().close();
            return [...words, mode];";
        let [code, message, mode]: [String; 3] = stage.run(script, vec![]).await;
        assert_eq!((code.as_str(), mode.as_str()), ("not_initialised", "wasm"));
        assert!(message.contains("init() once more"), "{message}");
        assert_eq!(wasm(&of_the_package(stage)), [CORE, CLIENT]);
    });
}

/// What the element shows right after a text with raw HTML was pushed: whether that is an element, and its text.
const RAW: &str = "
    const element = document.getElementById('root').appendChild(document.createElement('div'));
    const markdown = new MarkdownStream(element);
    markdown.push('a <b>bold</b> brook\\n');
    markdown.flush();
    return [element.querySelector('b') !== null, element.textContent];";

#[test]
fn a_preloaded_sanitiser_comes_with_the_core_and_raw_html_is_never_text() {
    for kind in [Kind::Chromium, Kind::Firefox, Kind::WebKit] {
        play(kind, "entries", "", async |stage| {
            let script = format!(
                "together(2);
                 const {{ init, MarkdownStream }} = await entry('markdown');
                 await init({{ preloadSanitizer: true }});
                 {RAW}"
            );
            let shown: (bool, String) = stage.run(&script, vec![]).await;
            assert_eq!(shown, (true, "a bold brook".to_owned()));
            assert_eq!(wasm(&of_the_package(stage)), [CORE, SANITIZER]);
        });
    }
    // A page that thinks of it after the element or a hook has called `init()` for it.
    play(Kind::Chromium, "entries", "", async |stage| {
        let script = format!(
            "const {{ init, MarkdownStream }} = await entry('markdown');
             await init();
             await init({{ preloadSanitizer: true }});
             {RAW}"
        );
        let shown: (bool, String) = stage.run(&script, vec![]).await;
        assert_eq!(shown, (true, "a bold brook".to_owned()));
        assert_eq!(wasm(&of_the_package(stage)), [CORE, SANITIZER]);
    });
}

#[test]
fn what_a_page_preloads_is_what_the_package_asks_for() {
    let guide = include_str!("../../docs/PAGE.md");
    let links: String = guide
        .lines()
        .filter(|line| line.starts_with("<link rel=\"modulepreload") || line.contains("as=\"fetch\""))
        .collect();
    assert_eq!(links.matches("/node_modules/riacho/dist/").count(), 4, "{links}");
    play(Kind::Chromium, "entries", "", async |stage| {
        let script = format!(
            "for (const link of args[0].match(/<link[^>]*>/g)) {{
                 const element = document.createElement('link');
                 for (const [, name, , value] of link.slice(5).matchAll(/([a-z]+)(=\"([^\"]*)\")?/g)) {{
                     element.setAttribute(name, (value ?? '').replace('/node_modules/', '/'));
                 }}
                 document.head.append(element);
                 await new Promise((resolve, reject) => Object.assign(element, {{ onload: resolve, onerror: reject }}));
             }}
             const {{ init, MarkdownStream }} = await entry('index');
             await init();
             {RENDERS}"
        );
        assert!(stage.run::<bool>(&script, vec![links.as_str().into()]).await);
        let asked = of_the_package(stage);
        assert_eq!(wasm(&asked), [CORE, CLIENT]);
        for script in ["dist/chat.js", "dist/core.js"] {
            assert_eq!(asked.iter().filter(|path| *path == script).count(), 1, "{asked:?}");
        }
    });
}
