//! Conversations side by side: each text in its own, whoever is on screen.

use std::collections::BTreeMap;
use std::time::Duration;

use riacho_tests::link::From;
use riacho_tests::page::Page;
use riacho_tests::scene::{Scene, Setup, play};
use riacho_tests::upstream::Exchange;

use crate::text::{pieces, shown};

/// Notes, at every change of the page, whose words stand in which conversation's view.
const WATCH: &str = "
    globalThis.sightings = new Set();
    new MutationObserver(() => {
        for (const text of document.querySelectorAll('[data-conversation-view] .message-content')) {
            const view = text.closest('[data-conversation-view]').dataset.conversationView;
            for (const [, whose] of text.textContent.matchAll(/([a-z]+)\\d+·água/g)) {
                sightings.add(`${view} ${whose}`);
            }
        }
    }).observe(document.body, { subtree: true, childList: true, characterData: true });";

async fn sightings(page: &Page) -> Vec<String> {
    page.run("return [...sightings].sort();", vec![]).await
}

/// Opens a new conversation; gives back its id.
async fn open_new(page: &Page) -> String {
    let before = page.conversation().await;
    page.press("New conversation").await;
    page.until("a new conversation", async |page| {
        let now = page.conversation().await;
        (!now.is_empty() && now != before).then_some(now)
    })
    .await
}

/// Goes to a conversation by its line in the list.
async fn go_to(page: &Page, conversation: &str) {
    page.until("its line in the list", async |page| {
        let script = "const line = document.querySelector(`[data-conversation='${arguments[0]}']`);
                      line?.click();
                      return line !== null;";
        page.run::<bool>(script, vec![conversation.into()]).await.then_some(())
    })
    .await;
    page.until("the conversation", async |page| (page.conversation().await == conversation).then_some(()))
        .await;
}

/// Waits until this much of a conversation's answer has reached the page, whether it shows or not.
async fn arrived(scene: &Scene, conversation: &str, word: &str) {
    scene
        .page
        .until(&format!("{word} over the link"), async |_| {
            let seen = scene.link.seen();
            seen.iter()
                .filter(|seen| seen.is("message_chunk") && seen.frame["conversation_id"] == conversation)
                .any(|seen| seen.frame["content"].as_str().is_some_and(|content| content.contains(word)))
                .then_some(())
        })
        .await;
}

fn place(scene: &Scene, from: From, kind: &str, id: (&str, &str)) -> Option<usize> {
    scene.link.seen().iter().position(|seen| seen.from == from && seen.is(kind) && seen.frame[id.0] == id.1)
}

async fn say(exchange: &mut Exchange, pieces: &[String]) {
    for piece in pieces {
        exchange.delta(piece).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn a_conversation_left_in_mid_stream_goes_on_and_touches_no_other() {
    play(Setup::default(), async |scene| {
        scene.page.run::<()>(WATCH, vec![]).await;
        let first = scene.page.conversation().await;
        let (alfa, beta) = (pieces("alfa", 40), pieces("beta", 20));

        scene.page.send("primeira").await;
        let mut alfa_run = scene.upstream.next().await;
        alfa_run.begin().await;
        say(&mut alfa_run, &alfa[..10]).await;
        let on_screen = scene.page.answer("the first words", |answer| answer.text.contains("alfa9")).await;

        // Away: the first goes on, and nothing of it shows here.
        let second = open_new(&scene.page).await;
        scene.page.send("segunda").await;
        let mut beta_run = scene.upstream.next().await;
        beta_run.begin().await;
        say(&mut beta_run, &beta[..10]).await;
        say(&mut alfa_run, &alfa[10..20]).await;
        arrived(scene, &first, "alfa19").await;
        scene.page.answer("the second's words", |answer| answer.text == shown(&beta[..10])).await;

        // Back in mid-stream: what came meanwhile is there, in the same message, and it goes on.
        go_to(&scene.page, &first).await;
        let back = scene.page.answer("what came meanwhile", |answer| answer.text == shown(&alfa[..20])).await;
        assert_eq!((back.id.as_str(), back.status.as_str()), (on_screen.id.as_str(), "streaming"));
        say(&mut alfa_run, &alfa[20..30]).await;
        scene.page.answer("more of the first", |answer| answer.text == shown(&alfa[..30])).await;

        // Away again; it ends unseen, and only then the relay lets the room go.
        go_to(&scene.page, &second).await;
        let left =
            |scene: &Scene| place(scene, From::Relay, "leave_conversation", ("conversation_id", &first));
        say(&mut alfa_run, &alfa[30..]).await;
        arrived(scene, &first, "alfa39").await;
        assert_eq!(left(scene), None, "the first is still streaming");
        alfa_run.finish().await;
        let left = scene.page.until("leave_conversation", async |_| left(scene)).await;
        let completed = place(scene, From::Relay, "response_complete", ("message_id", &on_screen.id));
        assert!(completed.is_some_and(|completed| completed < left), "{completed:?} < {left}");
        scene
            .page
            .until("the page leaves", async |_| {
                place(scene, From::Page, "leave_conversation", ("conversation_id", &first))
                    .filter(|at| *at > left)
            })
            .await;

        say(&mut beta_run, &beta[10..]).await;
        beta_run.finish().await;
        let answer = scene.page.answer("the second, whole", |answer| answer.status == "completed").await;
        assert_eq!(answer.text, shown(&beta));
        go_to(&scene.page, &first).await;
        let answer = scene.page.answer("the first, whole", |answer| answer.status == "completed").await;
        assert_eq!((answer.id, answer.text), (on_screen.id, shown(&alfa)));

        let mut expected = vec![format!("{first} alfa"), format!("{second} beta")];
        expected.sort();
        assert_eq!(sightings(&scene.page).await, expected);
    });
}

#[test]
fn eight_conversations_stream_at_once_under_shuffled_switching() {
    const CONVERSATIONS: usize = 8;
    const PIECES: usize = 120;
    play(Setup::default(), async |scene| {
        scene.page.run::<()>(WATCH, vec![]).await;
        let whose = |k: usize| ["um", "dois", "tres", "quatro", "cinco", "seis", "sete", "oito"][k];
        let mut ids = vec![scene.page.conversation().await];
        let mut runs = Vec::new();
        for k in 0..CONVERSATIONS {
            if k > 0 {
                ids.push(open_new(&scene.page).await);
            }
            scene.page.send(whose(k)).await;
            let mut exchange = scene.upstream.next().await;
            assert_eq!(exchange.asked(), whose(k));
            runs.push(tokio::spawn(async move {
                let mut random = fastrand::Rng::with_seed(k as u64);
                exchange.begin().await;
                for piece in pieces(whose(k), PIECES) {
                    exchange.delta(&piece).await;
                    tokio::time::sleep(Duration::from_millis(random.u64(10..80))).await;
                }
                exchange.finish().await;
            }));
        }
        let mut random = fastrand::Rng::with_seed(20_261_121);
        let mut switches = 0;
        while !runs.iter().all(tokio::task::JoinHandle::is_finished) {
            let mut order: Vec<&String> = ids.iter().collect();
            random.shuffle(&mut order);
            for id in order {
                go_to(&scene.page, id).await;
                switches += 1;
                tokio::time::sleep(Duration::from_millis(random.u64(0..60))).await;
            }
        }
        assert!(switches >= 2 * CONVERSATIONS, "only {switches} switches while it streamed");
        for (k, id) in ids.iter().enumerate() {
            go_to(&scene.page, id).await;
            let answer = scene.page.answer("a whole answer", |answer| answer.status == "completed").await;
            assert_eq!(answer.text, shown(&pieces(whose(k), PIECES)), "conversation {k}");
            assert_eq!(&answer.conversation, id);
            assert_eq!(scene.page.messages().await.len(), 2);
        }
        let expected: BTreeMap<&String, &str> =
            ids.iter().enumerate().map(|(k, id)| (id, whose(k))).collect();
        let expected: Vec<String> = expected.into_iter().map(|(id, whose)| format!("{id} {whose}")).collect();
        assert_eq!(sightings(&scene.page).await, expected);
        assert_eq!(scene.link.opened(), 1, "one socket a page");
    });
}
