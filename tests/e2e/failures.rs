//! The provider fails: the page says what went wrong, and what had come stays.

use std::time::Duration;

use riacho_tests::page::Message;
use riacho_tests::scene::{Scene, Setup, play};
use riacho_tests::upstream::Exchange;
use serde_json::{Value, json};

/// Asks, lets the provider fail in this way, and gives back the failed answer and its `stream_error`.
async fn fail(scene: &mut Scene, how: impl AsyncFnOnce(Exchange)) -> (Message, Value) {
    let before = scene.page.answers().await.len();
    scene.page.send("Conta").await;
    let exchange = scene.upstream.next().await;
    how(exchange).await;
    let answer = scene
        .page
        .until("the failure", async |page| {
            page.answers().await.into_iter().nth(before).filter(|answer| answer.status == "error")
        })
        .await;
    let seen = scene.link.seen();
    let ends: Vec<_> = seen
        .iter()
        .filter(|seen| seen.is("stream_error") && seen.frame["message_id"] == answer.id.as_str())
        .collect();
    assert_eq!(ends.len(), 1, "one terminal frame");
    assert!(
        !seen
            .iter()
            .any(|seen| seen.is("response_complete") && seen.frame["message_id"] == answer.id.as_str())
    );
    (answer, ends[0].frame.clone())
}

/// The words that are not of the answer: what the page says went wrong.
fn notice(answer: &Message) -> &str {
    let notice = answer.all.strip_prefix(&answer.text).unwrap_or(&answer.all).trim();
    assert!(notice.len() > 10, "the page says nothing: {answer:?}");
    notice
}

const REFUSALS: [(u16, &str); 3] =
    [(401, "provider_auth"), (429, "provider_rate_limited"), (500, "provider_failed")];

#[test]
fn before_the_first_token_a_401_a_429_and_a_500_are_said() {
    play(Setup::default(), async |scene| {
        let mut notices = Vec::new();
        for (status, code) in REFUSALS {
            let (answer, end) = fail(scene, async |mut exchange| {
                let headers: &[(&str, &str)] = if status == 429 { &[("retry-after", "3")] } else { &[] };
                exchange.refuse(status, headers, "palavras do provedor").await;
            })
            .await;
            assert_eq!(end["code"], code, "{status}");
            assert_eq!(end["length"], 0);
            assert_eq!(end["retry_after"], if status == 429 { json!(3) } else { Value::Null });
            assert_eq!(answer.text, "");
            notices.push(notice(&answer).to_owned());
        }
        notices.dedup();
        assert_eq!(notices.len(), REFUSALS.len(), "each failure has its own words: {notices:?}");
    });
}

#[test]
fn in_mid_stream_a_401_a_429_and_a_500_are_said_and_the_text_is_kept() {
    play(Setup::default(), async |scene| {
        for (status, code) in REFUSALS {
            let (answer, end) = fail(scene, async |mut exchange| {
                exchange.begin().await;
                exchange.delta("O que já ").await;
                exchange.delta("veio").await;
                tokio::time::sleep(Duration::from_millis(30)).await;
                exchange.event(&json!({"error": {"message": "palavras do provedor", "code": status}})).await;
                exchange.end().await;
            })
            .await;
            assert_eq!(end["code"], code, "{status}");
            assert_eq!(end["length"], "O que já veio".len());
            assert_eq!(answer.text, "O que já veio");
            notice(&answer);
        }
    });
}

#[test]
fn a_connection_that_just_ends_is_said_and_the_text_is_kept() {
    play(Setup::default(), async |scene| {
        let (answer, end) = fail(scene, async |mut exchange| {
            exchange.begin().await;
            exchange.delta("Meia fra").await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            exchange.cut();
        })
        .await;
        assert_eq!(end["code"], "provider_truncated");
        assert_eq!(answer.text, "Meia fra");
        notice(&answer);
    });
}

#[test]
fn after_a_failure_the_next_answer_and_another_socket_are_not_disturbed() {
    play(Setup::default(), async |scene| {
        fail(scene, async |mut exchange| exchange.refuse(500, &[], "ai").await).await;
        scene.page.send("De novo").await;
        scene.upstream.next().await.stream(["Agora ", "sim."], Duration::ZERO).await;
        let answer = scene
            .page
            .until("the next answer", async |page| {
                page.answers().await.into_iter().rfind(|answer| answer.status == "completed")
            })
            .await;
        assert_eq!(answer.text, "Agora sim.");
    });
}
