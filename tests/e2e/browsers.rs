//! The core set in the other two browsers: once, switching, drops, reload, stop, over the real relay.

use std::time::Duration;

use riacho_tests::page::Page;
use riacho_tests::scene::{Scene, Setup, play_in};
use riacho_tests::wild::Kind;

use crate::text::{pieces, shown};

fn core_set_in(kind: Kind) {
    play_in(kind, Setup::default().sockets_are_lost(), core_set);
}

async fn core_set(scene: &mut Scene) {
    let first = scene
        .page
        .until("a conversation", async |page| {
            Some(page.conversation().await).filter(|conversation| !conversation.is_empty())
        })
        .await;
    let pieces = pieces("alfa", 200);
    send(&scene.page, "Conta").await;
    let mut exchange = scene.upstream.next().await;
    exchange.begin().await;
    exchange.delta(&pieces[..20].concat()).await;
    text(&scene.page, &shown(&pieces[..20])).await;

    // Away and back: it went on, and nothing of it was seen there.
    scene.page.run::<()>("document.getElementById('new').click();", vec![]).await;
    exchange.delta(&pieces[20..40].concat()).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(scene.page.messages().await.is_empty());
    scene.page.run::<()>("location.hash = arguments[0];", vec![first.clone().into()]).await;
    text(&scene.page, &shown(&pieces[..40])).await;

    // The socket cut, ten times, while text comes.
    for cut in 0..10 {
        scene.link.cut();
        exchange.delta(&pieces[40 + cut]).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    text(&scene.page, &shown(&pieces[..50])).await;

    // Reloads in mid-stream.
    for reload in 0..3 {
        exchange.delta(&pieces[50 + reload]).await;
        scene.page.reload().await;
        text(&scene.page, &shown(&pieces[..51 + reload])).await;
    }
    exchange.finish().await;
    let answer = scene.page.answer("the end", |answer| answer.status == "completed").await;
    assert_eq!(answer.text, shown(&pieces[..53]));
    assert_eq!((scene.page.conversation().await, scene.page.messages().await.len()), (first, 2));

    // Stop.
    send(&scene.page, "Mais").await;
    let mut exchange = scene.upstream.next().await;
    exchange.begin().await;
    exchange.delta("O que já veio").await;
    last(&scene.page, "O que já veio", "streaming").await;
    scene.page.run::<()>("document.getElementById('stop').click();", vec![]).await;
    exchange.dropped().await;
    last(&scene.page, "O que já veio", "interrupted").await;
    assert_eq!(scene.page.messages().await.len(), 4);
    assert!(scene.upstream.is_idle(), "the provider was asked once a message");
}

async fn send(page: &Page, text: &str) {
    let script = "
        const composer = document.getElementById('message');
        composer.value = arguments[0];
        composer.form.requestSubmit();";
    page.run::<()>(script, vec![text.into()]).await;
}

async fn text(page: &Page, text: &str) {
    page.answer("the text so far", |answer| answer.text == text).await;
}

async fn last(page: &Page, text: &str, status: &str) {
    page.until(text, async |page| {
        let answers = page.answers().await;
        answers.last().is_some_and(|a| a.text == text && a.status == status).then_some(())
    })
    .await;
}

#[test]
fn the_core_set_in_firefox() {
    core_set_in(Kind::Firefox);
}

#[test]
fn the_core_set_in_webkit() {
    core_set_in(Kind::WebKit);
}
