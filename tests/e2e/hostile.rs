//! Hostile text in three real browsers, through the real package: no script runs, nothing is fetched, nothing is there
//! that the policy forbids. And a control, which shows that the same text does all of it where nobody looks.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use riacho_tests::built;
use riacho_tests::wild::{Kind, Wild};
use riacho_tests::witness::{Files, Witness};
use serde::Deserialize;
use serde_json::{Value, json};

/// The demo's.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'";

#[derive(Debug, Deserialize)]
struct Found {
    inputs: usize,
    states: usize,
    /// Texts that ended in the midst of an attack.
    ended: usize,
    elements: usize,
    links: usize,
    clicks: usize,
    /// Clicks that had to be made again.
    lost: usize,
    focused: usize,
    reparsed: usize,
    milliseconds: u64,
    fired: Vec<String>,
    violations: Vec<String>,
    forbidden: Vec<String>,
    mutated: Vec<String>,
    wild: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Control {
    inputs: usize,
    fired: usize,
    by: Value,
}

fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("RIACHO_CORPORA");
    if folder.is_none() {
        eprintln!("skipped: RIACHO_CORPORA is not set");
    }
    folder.map(|folder| PathBuf::from(folder).join("attacks.jsonl"))
}

fn seed() -> u32 {
    let given = std::env::var("RIACHO_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.subsec_nanos())
    })
}

fn files(attacks: &Path, beacon: &Witness) -> Files {
    let fetches = include_str!("../fixtures/fetches.json")
        .replace("BEACONHOST", &beacon.address().to_string())
        .replace("BEACON", &beacon.url("/beacon.png"));
    Files::default()
        .folder("", &Path::new(env!("CARGO_MANIFEST_DIR")).join("pages/hostile"))
        .folder("/riacho", &built::site().join("riacho"))
        .file("/attacks.jsonl", std::fs::read(attacks).expect("the corpus"))
        .file("/fetches.json", fetches)
}

async fn open(browser: &Wild, url: &str) {
    browser.driver.goto(url).await.expect("the page loads");
    for _ in 0..600 {
        let ready = browser.driver.execute("return globalThis.ready === true;", vec![]).await;
        if ready.is_ok_and(|ready| ready.json() == &json!(true)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{url} never got ready");
}

async fn run<T: for<'a> Deserialize<'a>>(browser: &Wild, options: Value) -> T {
    // Polled, since drivers differ in how long they wait for a script.
    browser
        .driver
        .execute(
            "window.done = undefined; run(arguments[0]).then((found) => { window.done = found; }, \
             (error) => { window.done = String(error) + error?.stack; });",
            vec![options],
        )
        .await
        .expect("the run begins");
    for _ in 0..3000 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let done = browser.driver.execute("return window.done;", vec![]).await.expect("the page lives");
        if !done.json().is_null() {
            return serde_json::from_value(done.json().clone())
                .unwrap_or_else(|error| panic!("{error}: {:?}", done.json()));
        }
    }
    panic!("the run never ended");
}

/// What the page and hosts elsewhere were asked for, in all the time since it was last looked.
fn asked(kind: Kind, servers: &[&Witness]) -> Vec<String> {
    let seen = servers.iter().flat_map(|server| server.take());
    seen.filter(|request| !kind.asks_by_itself(request)).collect()
}

fn hostile(kind: Kind) {
    let Some(attacks) = corpus() else { return };
    let seed = seed();
    println!("RIACHO_SEED={seed}");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let beacon = Witness::start(Files::default()).await;
        let strict = Witness::start(files(&attacks, &beacon).policy(POLICY)).await;
        let free = Witness::start(files(&attacks, &beacon)).await;
        let browser = kind.start(beacon.address()).await;
        let servers = [&beacon, &strict, &free];
        for (server, is_free) in [(&strict, false), (&free, true)] {
            open(&browser, &server.url("/index.html")).await;
            let loaded = asked(kind, &servers);
            assert!(loaded.iter().any(|request| request.ends_with("sanitizer_bg.wasm")), "{loaded:?}");
            // Every prefix as a whole text takes a minute: once will do, and some of them elsewhere.
            let every = kind == Kind::Chromium && !is_free;
            let prefixes = if every { 1000 } else { 4 };
            let options = json!({"seed": seed, "cuts": 3, "prefixes": prefixes, "free": is_free});
            let found: Found = run(&browser, options).await;
            let leaked = asked(kind, &servers);
            println!(
                "{kind:?}, {}: {} inputs, {} prefixes that end, {} states of the DOM with {} elements, {} links clicked ({} lost), {} elements focused, \
                 {} trees parsed again, {} ms; {} scripts ran, {} violations, {} requests, {} things forbidden",
                if is_free { "without a policy of the page" } else { "under the policy" },
                found.inputs, found.ended, found.states, found.elements, found.clicks, found.lost, found.focused, found.reparsed,
                found.milliseconds, found.fired.len(), found.violations.len(), leaked.len(), found.forbidden.len(),
            );
            assert!(found.inputs > 2500 && found.states > 100_000, "too little was tried: {found:?}");
            assert!(found.ended > if every { 50_000 } else { 5_000 }, "too few ends: {found:?}");
            assert!(found.reparsed > 2500 || !is_free);
            for (what, list) in [
                ("scripts ran", &found.fired),
                ("violations", &found.violations),
                ("requests", &leaked),
                ("forbidden", &found.forbidden),
                ("not the same tree when parsed again", &found.mutated),
                ("errors", &found.wild),
            ] {
                assert!(list.is_empty(), "{kind:?}: {} {what}: {:#?}", list.len(), &list[..list.len().min(10)]);
            }
            assert!(found.links > 100 && found.clicks >= found.links, "links were not clicked: {found:?}");
        }
        open(&browser, &free.url("/control.html")).await;
        let _ = asked(kind, &servers);
        let control: Control = run(&browser, json!({"seed": seed, "cuts": 3})).await;
        let leaked = asked(kind, &servers);
        println!(
            "{kind:?}, the control: {} inputs, {} scripts ran ({}), {} requests",
            control.inputs, control.fired, control.by, leaked.len()
        );
        browser.quit().await;
        assert!(control.fired >= 2000, "the control is too quiet: {control:?}");
        assert!(leaked.len() >= 100, "the control asked for too little: {}", leaked.len());
        assert!(leaked.iter().any(|request| request.contains("/beacon.png")), "no beacon was seen");
    });
}

#[test]
fn hostile_text_does_nothing_in_chromium() {
    hostile(Kind::Chromium);
}

#[test]
fn hostile_text_does_nothing_in_firefox() {
    hostile(Kind::Firefox);
}

#[test]
fn hostile_text_does_nothing_in_webkit() {
    hostile(Kind::WebKit);
}

#[test]
fn an_image_waits_until_the_reader_or_the_page_says_so() {
    let Some(attacks) = corpus() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let beacon = Witness::start(Files::default()).await;
        let free = Witness::start(files(&attacks, &beacon)).await;
        let browser = Kind::Chromium.start(beacon.address()).await;
        open(&browser, &free.url("/index.html")).await;
        let servers = [&beacon, &free];
        let run = async |script: &str| {
            let done = browser.driver.execute(script, vec![beacon.url("").into()]).await.expect("the script runs");
            tokio::time::sleep(Duration::from_millis(500)).await;
            (done.json().clone(), asked(Kind::Chromium, &servers))
        };
        let _ = asked(Kind::Chromium, &servers);
        let shows = "const [origin] = arguments;
            return import('/riacho/index.js').then(async ({ MarkdownStream }) => {
                const element = document.body.appendChild(document.createElement('div'));
                const stream = new MarkdownStream(element);
                stream.push(`[![own](/icon.svg?1)](/elsewhere) ![other](${origin}/b.png?1)`);
                await stream.end();
                Object.assign(window, { element, stream });
                return [element.textContent, element.querySelectorAll('img').length, element.innerHTML.includes('.png')];
            });";
        let (shown, requests) = run(shows).await;
        let host = |server: &Witness| server.address().to_string();
        let text =
            format!("ownLoad image from {} otherLoad image from {}", host(&free), host(&beacon));
        assert_eq!(shown, json!([text, 0, false]));
        assert!(requests.is_empty(), "{requests:?}");

        // By keyboard, inside a link that is not meant.
        run("element.querySelector('button').focus();").await;
        browser.driver.active_element().await.expect("a button").send_keys("\u{e007}").await.expect("it takes keys");
        let (there, requests) = run(
            "return [location.pathname, document.activeElement.localName, element.querySelectorAll('img').length];",
        )
        .await;
        assert_eq!(there, json!(["/index.html", "img", 1]));
        assert_eq!(requests, ["GET /icon.svg?1"]);

        // What does not come leaves the text and the button.
        let (_, requests) = run("stream.loadImages({ origin: arguments[0] });").await;
        assert_eq!(requests, ["GET /b.png?1"]);
        let (left, _) = run("return [element.querySelectorAll('img').length, element.querySelectorAll('button').length];").await;
        assert_eq!(left, json!([1, 1]));

        // In words of the page's, which are no markup; and `$&` is no pattern.
        let (said, _) = run("return import('/riacho/index.js').then(async ({ MarkdownStream }) => {
                const element = document.body.appendChild(document.createElement('div'));
                const stream = new MarkdownStream(element, { words: { load_image: '<b>Carregar de {host}, por $&' } });
                stream.push(`![own](${arguments[0]}/c.png)`);
                await stream.end();
                return element.querySelector('button').textContent;
            });").await;
        assert_eq!(said, json!(format!("<b>Carregar de {}, por $&", host(&beacon))));

        // From the start, by the policy.
        let listed = "return import('/riacho/index.js').then(async ({ MarkdownStream }) => {
                const element = document.body.appendChild(document.createElement('div'));
                const stream = new MarkdownStream(element, { images: ['self'] });
                stream.push(`![own](/icon.svg?2) ![other](${arguments[0]}/b.png?2)`);
                await stream.end();
                return [element.querySelector('img').referrerPolicy, element.querySelectorAll('button').length];
            });";
        let (shown, requests) = run(listed).await;
        assert_eq!(shown, json!(["no-referrer", 1]));
        assert_eq!(requests, ["GET /icon.svg?2"]);
        browser.quit().await;
    });
}
