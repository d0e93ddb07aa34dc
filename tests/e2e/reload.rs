//! A reload in mid-stream: the same conversation, the same message, from where it was.

use std::time::Duration;

use riacho_tests::link::From;
use riacho_tests::scene::{Scene, Setup, play};

use crate::text::{pieces, shown};

/// What the page said it has of this message when it joined on its newest socket, and where that socket's first chunk began.
fn resumed(scene: &Scene, message: &str) -> Option<(u64, u64)> {
    let seen = scene.link.seen();
    let socket = seen.iter().map(|seen| seen.socket).max()?;
    let mut here = seen.iter().filter(|seen| seen.socket == socket);
    let join = here.find(|seen| seen.from == From::Page && seen.frame["have"][message].is_object())?;
    let chunk = here.find(|seen| seen.is("message_chunk") && seen.frame["message_id"] == message)?;
    Some((join.frame["have"][message]["offset"].as_u64()?, chunk.frame["offset"].as_u64()?))
}

#[test]
fn five_reloads_in_one_answer_go_on_from_where_it_was() {
    const RELOADS: usize = 5;
    play(Setup::default(), async |scene| {
        let conversation = scene.page.conversation().await;
        scene.page.send("Conta").await;
        let mut exchange = scene.upstream.next().await;
        exchange.begin().await;
        let pieces = pieces("alfa", 20 * (RELOADS + 1));
        let mut message = None;
        for reload in 0..=RELOADS {
            let until_now = 20 * (reload + 1);
            for piece in &pieces[20 * reload..until_now] {
                exchange.delta(piece).await;
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
            let answer = scene
                .page
                .answer("the text so far", |answer| answer.text == shown(&pieces[..until_now]))
                .await;
            assert_eq!(answer.status, "streaming");
            assert_eq!(scene.page.conversation().await, conversation);
            assert_eq!(
                *message.get_or_insert(answer.id.clone()),
                answer.id,
                "the same message after reload {reload}"
            );
            if reload > 0 {
                let (had, began) = resumed(scene, &answer.id).expect("the page joined with what it had");
                let before = pieces[..20 * reload].concat().len() as u64;
                assert_eq!((had, began), (before, before), "nothing was sent twice after reload {reload}");
            }
            if reload < RELOADS {
                scene.page.reload().await;
            }
        }
        exchange.finish().await;
        let answer = scene.page.answer("the completion", |answer| answer.status == "completed").await;
        assert_eq!(answer.text, shown(&pieces));
        assert_eq!(scene.page.messages().await.len(), 2);
        assert!(scene.upstream.is_idle(), "the provider was asked once");
    });
}
