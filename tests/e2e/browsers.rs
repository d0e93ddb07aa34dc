//! The core set in the other two browsers: once, switching, drops, reload, stop, over the real relay.

use std::time::Duration;

use riacho_tests::built;
use riacho_tests::link::Link;
use riacho_tests::page::Page;
use riacho_tests::relay::Relay;
use riacho_tests::upstream::Upstream;
use riacho_tests::wild::Kind;
use riacho_tests::witness::{Files, Witness};

use crate::text::{pieces, shown};

struct World {
    page: Page,
    link: Link,
    upstream: Upstream,
}

fn play_in(kind: Kind) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let upstream = Upstream::start().await;
        let relay = Relay::start(&built::site(), Some(&upstream.base_url()), &[], &[]);
        let link = Link::start(relay.address()).await;
        let outside = Witness::start(Files::default()).await;
        let browser = kind.start(outside.address()).await;
        let page = Page::new(browser.driver.clone());
        page.goto(&link.url()).await;
        let mut world = World { page, link, upstream };
        world.core_set().await;
        browser.quit().await;
        assert!(!relay.said().contains("panicked at"), "{}", relay.said());
    });
}

impl World {
    async fn core_set(&mut self) {
        let first = self
            .page
            .until("a conversation", async |page| {
                Some(page.conversation().await).filter(|conversation| !conversation.is_empty())
            })
            .await;
        let pieces = pieces("alfa", 200);
        self.send("Conta").await;
        let mut exchange = self.upstream.next().await;
        exchange.begin().await;
        exchange.delta(&pieces[..20].concat()).await;
        self.text(&shown(&pieces[..20])).await;

        // Away and back: it went on, and nothing of it was seen there.
        self.page.run::<()>("document.getElementById('new').click();", vec![]).await;
        exchange.delta(&pieces[20..40].concat()).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(self.page.messages().await.is_empty());
        self.page.run::<()>("location.hash = arguments[0];", vec![first.clone().into()]).await;
        self.text(&shown(&pieces[..40])).await;

        // The socket cut, ten times, while text comes.
        for cut in 0..10 {
            self.link.cut();
            exchange.delta(&pieces[40 + cut]).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.text(&shown(&pieces[..50])).await;

        // Reloads in mid-stream.
        for reload in 0..3 {
            exchange.delta(&pieces[50 + reload]).await;
            self.page.reload().await;
            self.text(&shown(&pieces[..51 + reload])).await;
        }
        exchange.finish().await;
        let answer = self.page.answer("the end", |answer| answer.status == "completed").await;
        assert_eq!(answer.text, shown(&pieces[..53]));
        assert_eq!((self.page.conversation().await, self.page.messages().await.len()), (first, 2));

        // Stop.
        self.send("Mais").await;
        let mut exchange = self.upstream.next().await;
        exchange.begin().await;
        exchange.delta("O que já veio").await;
        self.last("O que já veio", "streaming").await;
        self.page.run::<()>("document.getElementById('stop').click();", vec![]).await;
        exchange.dropped().await;
        self.last("O que já veio", "interrupted").await;
        assert_eq!(self.page.messages().await.len(), 4);
        assert!(self.upstream.is_idle(), "the provider was asked once a message");
    }

    async fn send(&self, text: &str) {
        let script = "
            const composer = document.getElementById('message');
            composer.value = arguments[0];
            composer.form.requestSubmit();";
        self.page.run::<()>(script, vec![text.into()]).await;
    }

    async fn text(&self, text: &str) {
        self.page.answer("the text so far", |answer| answer.text == text).await;
    }

    async fn last(&self, text: &str, status: &str) {
        self.page
            .until(text, async |page| {
                let answers = page.answers().await;
                answers.last().is_some_and(|a| a.text == text && a.status == status).then_some(())
            })
            .await;
    }
}

#[test]
fn the_core_set_in_firefox() {
    play_in(Kind::Firefox);
}

#[test]
fn the_core_set_in_webkit() {
    play_in(Kind::WebKit);
}
