//! An answer is one container with the right text, however often its events come.

use std::time::Duration;

use riacho_tests::link::From;
use riacho_tests::scene::{Setup, play};

use crate::text::{pieces, shown};

#[test]
fn an_answer_whose_events_are_all_replayed_stays_one_container_with_the_right_text() {
    play(Setup::default(), async |scene| {
        scene.page.send("Conta").await;
        let pieces = pieces("alfa", 12);
        let mut exchange = scene.upstream.next().await;
        exchange.begin().await;
        for piece in &pieces {
            exchange.delta(piece).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let streaming = scene.page.answer("all text", |answer| answer.text.contains("alfa11")).await;
        assert_eq!(streaming.status, "streaming");
        let so_far: Vec<_> = scene.link.seen();
        exchange.finish().await;
        let done = scene.page.answer("the completion", |answer| answer.status == "completed").await;
        assert_eq!(done.text, shown(&pieces));

        // What the relay said of the messages, again, word for word: first without the end, then with it.
        let mut replayed = 0;
        for seen in so_far.iter().chain(&scene.link.seen()) {
            let is_of_a_message = ["message_started", "message_chunk", "message_status", "response_complete"];
            if seen.from == From::Relay && is_of_a_message.iter().any(|kind| seen.is(kind)) {
                scene.link.say(&seen.frame);
                replayed += 1;
            }
        }
        assert!(replayed > 6, "{replayed}");

        // Whatever comes after them on the socket is read after them.
        scene.page.send("Mais").await;
        let mut exchange = scene.upstream.next().await;
        exchange.stream(["Fim."], Duration::ZERO).await;
        let answers = scene
            .page
            .until("the second answer", async |page| {
                let answers = page.answers().await;
                (answers.len() > 1 && answers[1].status == "completed").then_some(answers)
            })
            .await;
        assert_eq!(answers.len(), 2);
        assert_eq!(answers[0], done);
        assert_eq!(answers[1].text, "Fim.");
        assert_eq!(scene.page.messages().await.len(), 4);
        assert!(scene.upstream.is_idle(), "the provider was asked once a message");
    });
}

#[test]
fn a_completion_takes_back_no_text_and_adds_none() {
    play(Setup::default(), async |scene| {
        scene.page.send("Conta").await;
        let mut exchange = scene.upstream.next().await;
        exchange.begin().await;
        exchange.delta("Uma coisa").await;
        let before = scene.page.answer("the text", |answer| answer.text == "Uma coisa").await;
        // The element stays the same: a mark that a test puts on it is still there at the end.
        scene.page.run::<()>("document.querySelector('[data-role=assistant]').riachoMark = 1;", vec![]).await;
        exchange.finish().await;
        let after = scene.page.answer("the completion", |answer| answer.status == "completed").await;
        assert_eq!((after.id, after.text), (before.id, before.text));
        let mark: i64 = scene
            .page
            .run("return document.querySelector('[data-role=assistant]').riachoMark ?? 0;", vec![])
            .await;
        assert_eq!(mark, 1);
    });
}
