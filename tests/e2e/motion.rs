//! Reduced motion: the system's wish first, from the start and while the page is open; then the reader's own. In three browsers.

use riacho_tests::scene::{Scene, Setup, play_in};
use riacho_tests::upstream::Exchange;
use riacho_tests::wild::{Kind, Motion};
use serde_json::{Value, json};
use thirtyfour::common::command::FormatRequestData;
use thirtyfour::{RequestData, SessionId};

use crate::kinds::in_each_browser;
use crate::preferences::{choose, reload};

/// Animations that run in the document, and whether something is drawn behind the text: dots or a caret.
async fn moves(scene: &Scene) -> (usize, bool) {
    let script = "const content = document.querySelector('.assistant .message-content');
        const last = content.lastElementChild ?? content;
        return [document.getAnimations().length, getComputedStyle(last, '::after').content !== 'none'];";
    scene.page.run(script, vec![]).await
}

const STILL: (usize, bool) = (0, true);

async fn is_wished(scene: &Scene) -> bool {
    scene.page.run("return matchMedia('(prefers-reduced-motion: reduce)').matches;", vec![]).await
}

/// Asks, and sees dots; then text, and a caret.
async fn dots(scene: &mut Scene) -> (Exchange, (usize, bool)) {
    scene.page.send("Conta").await;
    let exchange = scene.upstream.next().await;
    scene.page.answer("an answer to come", |answer| answer.status == "pending").await;
    let dots = moves(scene).await;
    (exchange, dots)
}

async fn caret(scene: &Scene, exchange: &mut Exchange) -> (usize, bool) {
    exchange.begin().await;
    exchange.delta("O rio").await;
    scene.page.answer("the text", |answer| answer.text == "O rio").await;
    moves(scene).await
}

/// A long answer, from its beginning back to its end: by a step, and not by a way.
async fn assert_steps(scene: &Scene, exchange: &mut Exchange) {
    exchange.delta(&"\n\nE corre, e corre.".repeat(80)).await;
    let there = "const chat = document.getElementById('chat');
        return chat.scrollHeight > 2 * chat.clientHeight && chat.scrollTop + chat.clientHeight > chat.scrollHeight - 2;";
    scene.page.until("a long answer", async |page| page.run::<bool>(there, vec![]).await.then_some(())).await;
    scene.page.run::<()>("document.getElementById('chat').scrollTop = 0;", vec![]).await;
    scene
        .page
        .until("the way down", async |page| {
            page.run::<bool>("return !document.getElementById('down').hidden;", vec![]).await.then_some(())
        })
        .await;
    let back = format!("document.getElementById('down').click(); {there}");
    assert!(scene.page.run::<bool>(&back, vec![]).await, "it scrolls on its own");
    assert_eq!(moves(scene).await, STILL);
}

fn on_a_system_that_wishes_it_nothing_moves(kind: Kind) {
    play_in(kind, Setup::default().less_motion(), async |scene| {
        assert!(is_wished(scene).await, "{kind:?} was told so");
        let (mut exchange, dots) = dots(scene).await;
        assert_eq!(dots, STILL, "three dots that stand still");
        assert_eq!(caret(scene, &mut exchange).await, STILL, "a caret that stands still");
        assert_steps(scene, &mut exchange).await;
        // What the reader may choose here is less, never more than the system's wish.
        for choice in ["less", "system"] {
            choose(&scene.page, "motion", choice).await;
            assert_eq!(moves(scene).await, STILL, "{choice}");
        }
        exchange.finish().await;
    });
}

/// What makes the test above say something; and the reader's own wish, on a system without one.
fn the_readers_own_wish_is_kept_and_nothing_moves(kind: Kind) {
    play_in(kind, Setup::default(), async |scene| {
        assert!(!is_wished(scene).await, "{kind:?} was told nothing");
        let (mut exchange, before) = dots(scene).await;
        assert_eq!(before, (1, true), "dots that move");
        assert_eq!(caret(scene, &mut exchange).await, (1, true), "a caret that moves");
        choose(&scene.page, "motion", "less").await;
        assert_eq!(moves(scene).await, STILL, "at once");
        reload(scene).await;
        scene.page.answer("the text again", |answer| answer.text == "O rio").await;
        assert_eq!(moves(scene).await, STILL, "after a reload");
        assert_steps(scene, &mut exchange).await;
        choose(&scene.page, "motion", "system").await;
        assert_eq!(moves(scene).await, (1, true), "as the system again");
        exchange.finish().await;
    });
}

/// WebKitGTK takes the wish from its desktop when it starts, and there is no desktop here that could change its mind.
fn a_system_that_changes_its_mind_is_followed(kind: Kind) {
    play_in(kind, Setup::default(), async |scene| {
        let (mut exchange, before) = dots(scene).await;
        assert_eq!(before, (1, true));
        for (motion, expected) in [(Motion::Less, STILL), (Motion::Any, (1, true)), (Motion::Less, STILL)] {
            wish(scene, kind, motion).await;
            scene
                .page
                .until("the wish", async |_| {
                    (is_wished(scene).await == (motion == Motion::Less)).then_some(())
                })
                .await;
            assert_eq!(moves(scene).await, expected, "{motion:?}");
        }
        assert_eq!(caret(scene, &mut exchange).await, STILL);
        wish(scene, kind, Motion::Any).await;
        scene
            .page
            .until("a caret that moves", async |_| (moves(scene).await == (1, true)).then_some(()))
            .await;
        // Whoever has asked for less here has less, whatever the system says.
        choose(&scene.page, "motion", "less").await;
        assert_eq!(moves(scene).await, STILL);
        exchange.finish().await;
    });
}

async fn wish(scene: &Scene, kind: Kind, motion: Motion) {
    let less = motion == Motion::Less;
    let driver = &scene.browser.driver;
    match kind {
        Kind::Chromium => {
            let value = if less { "reduce" } else { "no-preference" };
            let features = json!({"features": [{"name": "prefers-reduced-motion", "value": value}]});
            driver.cdp().send_raw("Emulation.setEmulatedMedia", features).await.unwrap();
        }
        Kind::Firefox => {
            // The browser's own script, as its settings page runs it.
            driver.cmd(Context { context: "chrome" }).await.unwrap();
            let set = format!("Services.prefs.setIntPref('ui.prefersReducedMotion', {});", i32::from(less));
            driver.execute(set, Vec::<Value>::new()).await.unwrap();
            driver.cmd(Context { context: "content" }).await.unwrap();
        }
        Kind::WebKit => panic!("its desktop has the only say"),
    }
}

/// geckodriver: whose scripts come next, the page's or the browser's.
#[derive(Debug)]
struct Context {
    context: &'static str,
}

impl FormatRequestData for Context {
    fn format_request(&self, session: &SessionId) -> RequestData {
        RequestData::new(http::Method::POST, format!("/session/{session}/moz/context"))
            .add_body(json!({"context": self.context}))
    }
}

in_each_browser! {
    on_a_system_that_wishes_it_nothing_moves,
    the_readers_own_wish_is_kept_and_nothing_moves,
}

#[test]
fn a_change_of_the_systems_mind_is_followed_in_chromium() {
    a_system_that_changes_its_mind_is_followed(Kind::Chromium);
}

#[test]
fn a_change_of_the_systems_mind_is_followed_in_firefox() {
    a_system_that_changes_its_mind_is_followed(Kind::Firefox);
}
