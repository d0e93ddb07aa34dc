//! Stop ends the provider's request, and keeps the text.

use std::time::{Duration, Instant};

use riacho_tests::link::From;
use riacho_tests::scene::{Setup, play};

#[test]
fn stop_ends_the_providers_request_within_a_second_and_the_text_stays() {
    play(Setup::default(), async |scene| {
        scene.page.send("Conta").await;
        let mut exchange = scene.upstream.next().await;
        exchange.begin().await;
        exchange.delta("O que já veio").await;
        let before = scene.page.answer("the text", |answer| answer.text == "O que já veio").await;
        assert!(!exchange.is_dropped());

        let pressed = Instant::now();
        scene.page.press("Stop").await;
        let took = exchange.dropped().await - pressed;
        assert!(took < Duration::from_secs(1), "the provider's request went on for {took:?}");

        let answer = scene.page.answer("the end", |answer| answer.status == "interrupted").await;
        assert_eq!((answer.id.as_str(), answer.text.as_str()), (before.id.as_str(), "O que já veio"));
        let seen = scene.link.seen();
        let end = seen.iter().find(|seen| {
            seen.from == From::Relay
                && seen.is("response_complete")
                && seen.frame["message_id"] == answer.id.as_str()
        });
        let end = &end.expect("its terminal frame").frame;
        assert_eq!((end["status"].as_str(), end["reason"].as_str()), (Some("interrupted"), Some("stopped")));
        assert_eq!(end["length"], "O que já veio".len());

        // Still there after a reload, still stopped.
        scene.page.reload().await;
        let answer = scene.page.answer("the stopped answer", |answer| answer.status == "interrupted").await;
        assert_eq!(answer.text, "O que já veio");
        assert!(scene.upstream.is_idle());
    });
}
