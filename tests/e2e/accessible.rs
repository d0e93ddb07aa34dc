//! For everyone: axe-core finds nothing on the demo, whatever it shows; all of it is there at 400 % zoom and by keyboard.

use std::path::Path;
use std::time::Duration;

use riacho_tests::scene::{Scene, Setup, play};
use serde::Deserialize;
use serde_json::{Value, json};

/// What axe-core has against a page: the rule, and where.
#[derive(Debug, Deserialize)]
struct Finding {
    #[serde(rename = "id")]
    _rule: String,
    #[serde(rename = "nodes")]
    _nodes: Vec<String>,
}

/// Says what is wrong with what the page shows now; and nothing may stand out of the window's side.
async fn check(scene: &Scene, what: &str) {
    let axe = Path::new(env!("CARGO_MANIFEST_DIR")).join("servers/node_modules/axe-core/axe.min.js");
    let axe = std::fs::read_to_string(&axe).unwrap_or_else(|error| panic!("{}: {error}", axe.display()));
    let script = format!(
        "{axe}
         return axe.run(document, {{ resultTypes: ['violations'] }}).then(({{ violations }}) =>
             violations.map(({{ id, nodes }}) => ({{ id, nodes: nodes.map(({{ html, failureSummary }}) => html.slice(0, 200) + failureSummary) }})));"
    );
    let findings: Vec<Finding> = scene.page.run(&script, vec![]).await;
    assert!(findings.is_empty(), "{what}: {findings:#?}");
    let wide: (u32, u32) =
        scene.page.run("return [document.documentElement.scrollWidth, innerWidth];", vec![]).await;
    assert!(wide.0 <= wide.1, "{what}: one has to scroll sideways: {wide:?}");
}

async fn window(scene: &Scene, width: u32, height: u32) {
    let tools = scene.browser.driver.cdp();
    let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
    tools.send_raw("Emulation.setDeviceMetricsOverride", size).await.expect("a window of another size");
}

async fn choose(scene: &Scene, theme: &str, language: &str) {
    let keep = "localStorage.setItem('riacho:preferences', JSON.stringify({ theme: arguments[0], language: arguments[1] }));";
    scene.page.run::<()>(keep, vec![theme.into(), language.into()]).await;
    scene.page.reload().await;
    scene
        .page
        .until("a conversation", async |page| (!page.conversation().await.is_empty()).then_some(()))
        .await;
}

/// A new conversation, and what the demo says to this.
async fn ask(scene: &Scene, text: &str, status: &str) {
    let script = "document.getElementById('new').click();
        const composer = document.getElementById('message');
        composer.value = arguments[0];
        composer.form.requestSubmit();";
    scene.page.run::<()>(script, vec![text.into()]).await;
    let said = async |page: &riacho_tests::page::Page| {
        let answers = page.answers().await;
        answers.into_iter().find(|answer| answer.status == status && !answer.text.is_empty()).map(|_| ())
    };
    scene.page.until(text, said).await;
    // Colours, buttons and formulas are there a moment later.
    tokio::time::sleep(Duration::from_millis(300)).await;
}

/// Everything that the demo can show, in one theme and one language.
async fn all_of_it(scene: &Scene, theme: &str, language: &str) {
    choose(scene, theme, language).await;
    let here = |what: &str| format!("{what}, {theme}, {language}");
    check(scene, &here("nothing said yet")).await;
    ask(scene, "slow", "streaming").await;
    check(scene, &here("streaming")).await;
    scene.page.run::<()>("document.getElementById('stop').click();", vec![]).await;
    ask(scene, "tour", "completed").await;
    check(scene, &here("a whole answer")).await;
    let names = if language == "en" { ["You", "Answer"] } else { ["Você", "Resposta"] };
    assert_eq!(speakers(scene).await, names.map(|name| Some(name.to_owned())));
    ask(scene, "error", "error").await;
    check(scene, &here("an error")).await;
    ask(scene, "hostile", "completed").await;
    check(scene, &here("hostile text")).await;
    ask(scene, "think", "completed").await;
    scene.page.run::<()>("document.querySelector('details').open = true;", vec![]).await;
    check(scene, &here("reasoning")).await;
    scene.page.click("#open-panel").await;
    check(scene, &here("the panel")).await;
    scene.page.click("#open-panel").await;
    scene.page.click("#open-preferences").await;
    check(scene, &here("the preferences")).await;
}

/// What the messages are called, for who hears them.
async fn speakers(scene: &Scene) -> Vec<Option<String>> {
    let script =
        "return [...document.querySelectorAll('article.message')].map((message) => message.ariaLabel);";
    scene.page.run(script, vec![]).await
}

fn setup() -> Setup {
    Setup::default().no_provider().relay_args(&["--demo-pace", "8", "--demo-chunk", "60"])
}

#[test]
fn axe_finds_nothing_in_light_english() {
    play(setup(), async |scene| all_of_it(scene, "light", "en").await);
}

#[test]
fn axe_finds_nothing_in_dark_english() {
    play(setup(), async |scene| all_of_it(scene, "dark", "en").await);
}

#[test]
fn axe_finds_nothing_in_light_portuguese() {
    play(setup(), async |scene| all_of_it(scene, "light", "pt-BR").await);
}

#[test]
fn axe_finds_nothing_in_dark_portuguese() {
    play(setup(), async |scene| all_of_it(scene, "dark", "pt-BR").await);
}

#[test]
fn axe_finds_nothing_on_a_phone() {
    play(setup(), async |scene| {
        window(scene, 390, 844).await;
        all_of_it(scene, "light", "en").await;
        choose(scene, "dark", "pt-BR").await;
        scene.page.click("#menu").await;
        check(scene, "the menu").await;
    });
}

/// One tag, without a style of the page's, on a small telephone.
#[test]
fn axe_finds_nothing_on_the_element() {
    play(setup().page("element"), async |scene| {
        window(scene, 320, 640).await;
        let say = async |text: &str, status: &str| {
            let send = "const chat = document.querySelector('riacho-chat');
                return chat.ready.then((client) => void client.send(arguments[0]));";
            scene.page.run::<()>(send, vec![text.into()]).await;
            scene
                .page
                .until(text, async |page| (page.answers().await.pop()?.status == status).then_some(()))
                .await;
        };
        // What any page has around it.
        scene
            .page
            .run::<()>(
                "const main = document.createElement('main');
                 const heading = document.createElement('h1');
                 heading.textContent = 'Shop';
                 main.append(heading, document.querySelector('riacho-chat'));
                 document.body.append(main);",
                vec![],
            )
            .await;
        say("tour", "completed").await;
        check(scene, "the element").await;
        say("error", "error").await;
        check(scene, "the element, an error").await;
        let names = ["You", "Answer", "You", "Answer"].map(|name| Some(name.to_owned()));
        assert_eq!(speakers(scene).await, names);
    });
}

/// 400 % of a window of 1280 by 1024 pixels: WCAG 2.2, 1.4.10.
#[test]
fn at_400_percent_all_of_it_is_there() {
    play(setup(), async |scene| {
        window(scene, 320, 256).await;
        all_of_it(scene, "light", "en").await;
    });
}

/// The way of the Tab key through the page: each stop has a name, and shows that it has the focus.
#[test]
fn every_control_is_reached_by_keyboard_has_a_name_and_shows_its_focus() {
    play(setup(), async |scene| {
        ask(scene, "tour", "completed").await;
        scene.page.click("#open-panel").await;
        scene.page.run::<()>("document.querySelector('.skip').focus();", vec![]).await;
        let mut stops = Vec::new();
        for _ in 0..80 {
            let stop: Value = scene
                .page
                .run(
                    "const element = document.activeElement;
                     if (element === document.body) return null;
                     const { outlineStyle, outlineWidth } = getComputedStyle(element);
                     return [element.id || element.className || element.localName, outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2,
                         (element.ariaLabel ?? element.labels?.[0]?.textContent ?? element.textContent).trim()];",
                    vec![],
                )
                .await;
            let Some(stop) = stop.as_array() else { break };
            // The first was given the focus by the test, and not by a key.
            assert!(stops.is_empty() || stop[1] == true, "no focus to be seen: {stop:?}");
            assert_ne!(stop[2], "", "no name: {stop:?}");
            stops.push(stop[0].as_str().unwrap_or_default().to_owned());
            let actions = scene.browser.driver.action_chain();
            actions.send_keys("\u{e004}").perform().await.expect("the Tab key");
        }
        for wanted in [
            "skip",
            "open-panel",
            "open-preferences",
            "new",
            "open",
            "chat",
            "riacho-code-copy",
            "small",
            "message",
            "send",
        ] {
            assert!(
                stops.iter().any(|stop| stop == wanted),
                "the Tab key does not reach {wanted}: {stops:?}"
            );
        }

        // A button that goes as it is pressed leaves the focus where it stood.
        ask(scene, "error", "error").await;
        let press = "const retry = document.querySelector('.message-retry');
            retry.focus();
            retry.click();";
        scene.page.run::<()>(press, vec![]).await;
        let gone =
            "return [document.querySelector('.message-retry:focus') === null, document.activeElement.id];";
        let found: (bool, String) = scene.page.run(gone, vec![]).await;
        assert_eq!(found, (true, "chat".to_owned()));
    });
}
