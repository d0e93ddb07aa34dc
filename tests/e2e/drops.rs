//! The socket drops, again and again, wherever it likes.

use std::time::Duration;

use riacho_tests::scene::{Setup, play};

use crate::text::{pieces, shown};

#[test]
fn an_answer_is_identical_after_twenty_cuts_at_random_places() {
    const CUTS: usize = 20;
    play(Setup::default().sockets_are_lost(), async |scene| {
        let mut random = fastrand::Rng::with_seed(20);
        scene.page.send("Conta").await;
        let mut exchange = scene.upstream.next().await;
        exchange.begin().await;
        let pieces = pieces("alfa", 3_000);
        let mut sent = 0;
        for cut in 1..=CUTS {
            // Anywhere: in the greeting, in the list of messages, in the middle of a chunk's frame.
            scene.link.cut_after(random.usize(1..2_000));
            while scene.link.cuts() < cut {
                // The answer does not wait for the page.
                exchange.delta(pieces.get(sent).expect("enough text for all cuts")).await;
                sent += 1;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        // No container has appeared twice, in between either: `answer` looks.
        let last = format!("alfa{}·", sent - 1);
        let before = scene.page.answer("the text so far", |answer| answer.text.contains(&last)).await;
        exchange.finish().await;
        let answer = scene.page.answer("the completion", |answer| answer.status == "completed").await;
        assert_eq!(answer.id, before.id);
        assert_eq!(answer.text, shown(&pieces[..sent]));
        assert_eq!(scene.page.messages().await.len(), 2);
        assert!(scene.link.opened() > CUTS);
        assert!(scene.upstream.is_idle(), "the provider was asked once");
    });
}

#[test]
fn a_message_that_was_sent_as_the_socket_went_is_one_message() {
    play(Setup::default().sockets_are_lost(), async |scene| {
        scene.page.until("the socket", async |_| (scene.link.opened() == 1).then_some(())).await;
        scene
            .page
            .until("the greeting", async |_| {
                scene.link.seen().iter().any(|seen| seen.is("conversation_joined")).then_some(())
            })
            .await;
        scene.link.refuse(true);
        scene.link.cut();
        scene.page.until("a refused try", async |_| (scene.link.refused() > 0).then_some(())).await;
        scene.page.send("Ainda aí?").await;
        scene.link.refuse(false);
        let mut exchange = scene.upstream.next().await;
        assert_eq!(exchange.asked(), "Ainda aí?");
        // Once more, before the page has heard a word of the answer.
        scene.link.cut();
        exchange.stream(["Sim."], Duration::ZERO).await;
        let answer = scene.page.answer("the answer", |answer| answer.status == "completed").await;
        assert_eq!(answer.text, "Sim.");
        assert_eq!(scene.page.messages().await.len(), 2);
        assert!(scene.upstream.is_idle(), "the provider was asked once");
    });
}
