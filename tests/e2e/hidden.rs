//! The tab is hidden while the answer streams: no frames are drawn, and nothing is lost.

use std::time::Duration;

use riacho_tests::page::Page;
use riacho_tests::scene::{Setup, play};

use crate::text::{pieces, shown};

async fn visibility(page: &Page) -> String {
    page.run("return document.visibilityState;", vec![]).await
}

#[test]
fn an_answer_that_streams_in_a_hidden_tab_is_whole_when_it_is_shown_again() {
    play(Setup::default(), async |scene| {
        scene.page.send("Conta").await;
        let mut exchange = scene.upstream.next().await;
        exchange.begin().await;
        let pieces = pieces("alfa", 200);
        for piece in &pieces[..20] {
            exchange.delta(piece).await;
        }
        scene.page.answer("the first words", |answer| answer.text == shown(&pieces[..20])).await;

        scene.browser.hide().await;
        scene
            .page
            .until("a hidden tab", async |page| (visibility(page).await == "hidden").then_some(()))
            .await;
        let frames = "globalThis.frames = 0; requestAnimationFrame(function count() { frames++; requestAnimationFrame(count); });";
        scene.page.run::<()>(frames, vec![]).await;
        for piece in &pieces[20..] {
            exchange.delta(piece).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // It goes on while nobody looks, though the browser draws no frame.
        scene.page.answer("the text of a hidden tab", |answer| answer.text == shown(&pieces)).await;
        assert_eq!(scene.page.run::<u64>("return frames;", vec![]).await, 0, "a hidden tab draws no frames");
        exchange.finish().await;
        scene.page.answer("the end in a hidden tab", |answer| answer.status == "completed").await;
        assert_eq!(visibility(&scene.page).await, "hidden");

        scene.browser.show().await;
        scene
            .page
            .until("a shown tab", async |page| (visibility(page).await == "visible").then_some(()))
            .await;
        let answer = scene.page.answer("the answer", |answer| answer.status == "completed").await;
        assert_eq!(answer.text, shown(&pieces));
    });
}
