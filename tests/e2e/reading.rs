//! Reading: the view follows without fighting, what is said aloud can be listened to, the keyboard does what it should.

use std::time::Duration;

use riacho_tests::page::Page;
use riacho_tests::scene::{Scene, Setup, play_in};
use riacho_tests::wild::Kind;
use serde::Deserialize;

use crate::kinds::in_each_browser;

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
struct Place {
    /// Distance of the view's end from what can be seen.
    below: f64,
    /// Where the first message stands.
    first: f64,
}

async fn place(page: &Page) -> Place {
    page.run(
        "const chat = document.getElementById('chat');
         return {
             below: chat.scrollHeight - chat.clientHeight - chat.scrollTop,
             first: chat.querySelector('[data-message-id]').getBoundingClientRect().top,
         };",
        vec![],
    )
    .await
}

fn paragraphs(from: usize, count: usize) -> Vec<String> {
    (from..from + count).map(|n| format!("Paragraph {n} of the brook, which goes on and on.\n\n")).collect()
}

async fn is_shown(page: &Page, id: &str) -> bool {
    page.run("return document.getElementById(arguments[0]).checkVisibility();", vec![id.into()]).await
}

/// Sends a question, and streams this many paragraphs.
async fn begin(scene: &mut Scene, count: usize) -> riacho_tests::upstream::Exchange {
    scene.page.send("Conta").await;
    let mut exchange = scene.upstream.next().await;
    exchange.begin().await;
    for piece in paragraphs(0, count) {
        exchange.delta(&piece).await;
    }
    let last = format!("Paragraph {} ", count - 1);
    scene.page.answer("the paragraphs", |answer| answer.text.contains(&last)).await;
    exchange
}

fn the_view_follows_the_end_and_leaves_a_reader_who_scrolled_up_alone(kind: Kind) {
    play_in(kind, Setup::default(), async |scene| {
        let mut exchange = begin(scene, 60).await;
        scene
            .page
            .until("the end is followed", async |page| (place(page).await.below < 2.0).then_some(()))
            .await;
        assert!(!is_shown(&scene.page, "down").await);

        scene.page.run::<()>("document.getElementById('chat').scrollTop -= 600;", vec![]).await;
        scene.page.until("a way back", async |page| is_shown(page, "down").await.then_some(())).await;
        let before = place(&scene.page).await;
        for piece in paragraphs(60, 40) {
            exchange.delta(&piece).await;
        }
        scene.page.answer("more text", |answer| answer.text.contains("Paragraph 99 ")).await;
        let after = place(&scene.page).await;
        assert!(
            (after.first - before.first).abs() < 1.0,
            "the text moved under the reader: {before:?} {after:?}"
        );
        assert!(after.below > before.below);

        scene.page.click("#down").await;
        assert!(place(&scene.page).await.below < 2.0);
        for piece in paragraphs(100, 20) {
            exchange.delta(&piece).await;
        }
        exchange.finish().await;
        scene.page.answer("the end", |answer| answer.status == "completed").await;
        scene.page.until("followed again", async |page| (place(page).await.below < 2.0).then_some(())).await;
        assert!(!is_shown(&scene.page, "down").await);
    });
}

#[derive(Debug, Deserialize)]
struct Said {
    at: f64,
    words: String,
}

fn what_is_said_aloud_is_whole_sentences_at_a_bearable_pace_and_all_of_the_text(kind: Kind) {
    play_in(kind, Setup::default(), async |scene| {
        let listen = "window.said = [];
            new MutationObserver((changes) => changes.forEach(({ addedNodes }) => addedNodes.forEach((node) =>
                window.said.push({ at: performance.now(), words: node.textContent }))))
                .observe(document.querySelector('[aria-live=polite]'), { childList: true });";
        scene.page.run::<()>(listen, vec![]).await;
        scene.page.send("Conta").await;
        let mut exchange = scene.upstream.next().await;
        exchange.begin().await;
        let text = "The brook **is small**. It is steady, too! Where does it go? To the river.\n\n\
                    - first a spring\n- then a [late] link\n\nAnd that was all of it.\n\n[late]: https://example.com/\n\nOne more.";
        for piece in text.as_bytes().chunks(3) {
            exchange.delta(std::str::from_utf8(piece).unwrap()).await;
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
        exchange.finish().await;
        let answer = scene.page.answer("the end", |answer| answer.status == "completed").await;
        let squeeze = |text: &str| text.split_whitespace().collect::<String>();
        let said = scene
            .page
            .until("the last sentence", async |page| {
                let said: Vec<Said> = page.run("return window.said;", vec![]).await;
                said.last().is_some_and(|last| last.words.ends_with("One more.")).then_some(said)
            })
            .await;
        assert!(said.len() > 1, "{said:#?}");
        for pair in said.windows(2) {
            assert!(pair[1].at - pair[0].at > 1900.0, "two within two seconds: {pair:#?}");
        }
        for Said { words, .. } in &said {
            let end = words.trim_end();
            assert!(
                end.ends_with(['.', '!', '?']) || end.ends_with("spring") || end.ends_with("link"),
                "{words:?} is no sentence"
            );
        }
        let all: String = said.iter().map(|said| squeeze(&said.words)).collect();
        // The brackets were there when it was said.
        assert_eq!(all.replace("[late]", "late"), squeeze(&answer.text));
    });
}

fn three_dots_until_the_first_token_and_then_a_caret(kind: Kind) {
    play_in(kind, Setup::default(), async |scene| {
        scene.page.send("Conta").await;
        let mut exchange = scene.upstream.next().await;
        let drawn = "const content = document.querySelector('.assistant .message-content');
            const last = content.lastElementChild;
            const mark = (element) => element !== null && getComputedStyle(element, '::after').animationName;
            return [mark(content), mark(last)];";
        let marks: (String, serde_json::Value) = scene.page.run(drawn, vec![]).await;
        assert_eq!(marks, ("riacho-dots".to_owned(), false.into()));
        exchange.begin().await;
        exchange.delta("O rio").await;
        scene.page.answer("the first text", |answer| answer.text == "O rio").await;
        let marks: (String, String) = scene.page.run(drawn, vec![]).await;
        assert_eq!(marks, ("none".to_owned(), "riacho-caret".to_owned()));
        exchange.finish().await;
        scene.page.answer("the end", |answer| answer.status == "completed").await;
        let marks: (String, String) = scene.page.run(drawn, vec![]).await;
        assert_eq!(marks, ("none".to_owned(), "none".to_owned()));
    });
}

fn what_failed_says_what_to_do_and_is_tried_again(kind: Kind) {
    play_in(kind, Setup::default(), async |scene| {
        scene.page.send("Conta").await;
        scene.upstream.next().await.refuse(429, &[("retry-after", "3")], "").await;
        let answer = scene.page.answer("the failure", |answer| answer.status == "error").await;
        assert!(answer.all.contains("takes no more requests for now"), "{}", answer.all);
        assert!(answer.all.contains("Try again in 3 s."), "{}", answer.all);
        scene.page.click(".message-retry").await;
        scene.upstream.next().await.stream(["O rio."], Duration::ZERO).await;
        let answer = scene.page.answer("the second try", |answer| answer.status == "completed").await;
        assert_eq!(answer.text, "O rio.");
        assert!(!answer.all.contains("requests"), "{}", answer.all);
    });
}

fn stop_keeps_what_came_and_says_so(kind: Kind) {
    play_in(kind, Setup::default(), async |scene| {
        let mut exchange = begin(scene, 3).await;
        scene.page.click("#stop").await;
        exchange.dropped().await;
        let answer = scene.page.answer("it stopped", |answer| answer.status == "interrupted").await;
        assert!(answer.text.contains("Paragraph 2 ") && answer.all.contains("Stopped."), "{}", answer.all);
        let (focused, idle): (String, bool) = scene
            .page
            .run("return [document.activeElement.id, document.getElementById('stop').disabled];", vec![])
            .await;
        assert!(focused == "message" && idle, "{focused}");
    });
}

fn a_text_from_right_to_left_has_its_markers_and_borders_on_the_right(kind: Kind) {
    play_in(kind, Setup::default(), async |scene| {
        scene.page.send("Conta").await;
        let text = "- منبع\n  - مجرى\n\n> الماء\n\n1. one\n\nفي النص\n";
        scene.upstream.next().await.stream([text], Duration::ZERO).await;
        scene.page.answer("the end", |answer| answer.status == "completed").await;
        let directions = "return ['ul', 'ul ul', 'blockquote', 'ol'].map((block) =>
            getComputedStyle(document.querySelector(`.assistant ${block}`)).direction);";
        let found: Vec<String> = scene.page.run(directions, vec![]).await;
        assert_eq!(found, ["rtl", "rtl", "rtl", "ltr"]);
    });
}

fn the_focus_comes_back_to_the_composer(kind: Kind) {
    play_in(kind, Setup::default(), async |scene| {
        let focused = "return document.activeElement.id;";
        assert_eq!(scene.page.run::<String>(focused, vec![]).await, "message");
        // WebKit's driver takes this button for hidden.
        scene.page.run::<()>("document.getElementById('new').click();", vec![]).await;
        assert_eq!(scene.page.run::<String>(focused, vec![]).await, "message");
        scene.page.send("Conta").await;
        assert_eq!(scene.page.run::<String>(focused, vec![]).await, "message");
        let mut exchange = scene.upstream.next().await;
        exchange.begin().await;
        for piece in paragraphs(0, 60) {
            exchange.delta(&piece).await;
        }
        scene.page.answer("the paragraphs", |answer| answer.text.contains("Paragraph 59 ")).await;
        scene.page.run::<()>("document.getElementById('chat').scrollTop -= 600;", vec![]).await;
        scene.page.until("a way back", async |page| is_shown(page, "down").await.then_some(())).await;
        scene.page.click("#down").await;
        assert_eq!(scene.page.run::<String>(focused, vec![]).await, "message");
    });
}

fn escape_stops_and_the_focus_is_in_the_composer(kind: Kind) {
    play_in(kind, Setup::default(), async |scene| {
        let mut exchange = begin(scene, 3).await;
        scene.page.run::<()>("document.getElementById('chat').focus();", vec![]).await;
        scene.page.keys("\u{e00c}").await;
        exchange.dropped().await;
        scene.page.answer("it stopped", |answer| answer.status == "interrupted").await;
        let focused: String = scene.page.run("return document.activeElement.id;", vec![]).await;
        assert_eq!(focused, "message");
    });
}

fn pause_stands_still_and_resume_catches_up(kind: Kind) {
    play_in(kind, Setup::default(), async |scene| {
        let mut exchange = begin(scene, 3).await;
        scene.page.click(".assistant .message-bar button").await;
        let before =
            scene.page.answer("a paused answer", |answer| answer.text.contains("Paragraph 2 ")).await;
        for piece in paragraphs(3, 20) {
            exchange.delta(&piece).await;
        }
        exchange.finish().await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let paused = scene.page.answers().await.remove(0);
        assert_eq!(paused.text, before.text);
        scene.page.click(".assistant .message-bar button").await;
        let answer = scene.page.answer("the rest", |answer| answer.status == "completed").await;
        assert!(answer.text.contains("Paragraph 22 "));
    });
}

fn copy_gives_the_source_of_the_answer(kind: Kind) {
    play_in(kind, Setup::default(), async |scene| {
        scene.page.send("Conta").await;
        scene.upstream.next().await.stream(["**O** rio."], Duration::ZERO).await;
        scene.page.answer("the end", |answer| answer.status == "completed").await;
        // By a real click: browsers ask for one.
        scene.page.click(".assistant .message-bar button").await;
        scene.page.until("a word that it was copied", async |page| {
            page.run::<bool>("return document.querySelector('.assistant .message-bar').textContent.includes('Copied');", vec![]).await.then_some(())
        }).await;
        scene.page.run::<()>("document.getElementById('message').focus();", vec![]).await;
        scene.page.keys("\u{e009}v\u{e000}").await;
        let pasted: String = scene.page.run("return document.getElementById('message').value;", vec![]).await;
        assert_eq!(pasted, "**O** rio.");
    });
}

fn a_conversation_is_renamed_and_archived(kind: Kind) {
    play_in(kind, Setup::default(), async |scene| {
        scene.page.send("Conta").await;
        scene.upstream.next().await.stream(["O rio."], Duration::ZERO).await;
        scene.page.answer("the end", |answer| answer.status == "completed").await;
        scene.page.click("#conversations .small").await;
        scene.page.keys("Rios\u{e007}").await;
        let titles =
            "return [...document.querySelectorAll('#conversations .open')].map((b) => b.textContent);";
        scene
            .page
            .until("the new title", async |page| {
                (page.run::<Vec<String>>(titles, vec![]).await == ["Rios"]).then_some(())
            })
            .await;
        let before = scene.page.conversation().await;
        scene.page.click("#conversations .small:last-child").await;
        scene
            .page
            .until("a new conversation", async |page| {
                let titles: Vec<String> = page.run(titles, vec![]).await;
                (page.conversation().await != before && !titles.iter().any(|title| title == "Rios"))
                    .then_some(())
            })
            .await;
    });
}

fn on_a_bad_network_the_text_stays_whole(kind: Kind) {
    play_in(
        kind,
        Setup::default().no_provider().sockets_are_lost().relay_args(&["--demo-pace", "15"]),
        async |scene| {
            scene.page.click("#open-panel").await;
            scene.page.run::<()>("document.querySelector('#panel input').click();", vec![]).await;
            // On a small screen the panel is in front of the composer.
            scene.page.click("#open-panel").await;
            scene.page.send("Olá").await;
            let answer = scene.page.answer("the demo's answer", |answer| answer.status == "completed").await;
            scene.page.click("#open-panel").await;
            let cuts = "return Number([...document.querySelectorAll('#panel dt')].find((dt) => dt.textContent === 'connections lost').nextSibling.textContent);";
            scene
                .page
                .until("a cut", async |page| (page.run::<f64>(cuts, vec![]).await > 0.0).then_some(()))
                .await;
            assert_eq!(answer.text.matches("Um riacho pequeno").count(), 1);
            assert!(answer.text.contains("Até logo!"));
        },
    );
}

fn reasoning_is_folded_away_and_a_tool_is_a_line(kind: Kind) {
    play_in(kind, Setup::default().no_provider().relay_args(&["--demo-pace", "1"]), async |scene| {
        scene.page.send("think").await;
        for when in ["as it came", "after a reload"] {
            let answer = scene.page.answer("the answer", |answer| answer.status == "completed").await;
            assert!(answer.text.ends_with("The Amazon is about 6 400 km long."), "{when}: {}", answer.text);
            assert!(!answer.text.contains("First I think"), "{when}");
            let found: (bool, String, String) = scene
                .page
                .run(
                    "const details = document.querySelector('.assistant details');
                     return [details.open, details.lastChild.textContent, document.querySelector('.message-thinking > p').textContent];",
                    vec![],
                )
                .await;
            assert!(!found.0 && found.1.contains("First I think"), "{when}: {found:?}");
            assert_eq!(found.2, "Tool: look_up{\"river\": \"Amazonas\"}", "{when}");
            scene.page.reload().await;
        }
    });
}

in_each_browser! {
    the_view_follows_the_end_and_leaves_a_reader_who_scrolled_up_alone,
    what_is_said_aloud_is_whole_sentences_at_a_bearable_pace_and_all_of_the_text,
    three_dots_until_the_first_token_and_then_a_caret,
    what_failed_says_what_to_do_and_is_tried_again,
    stop_keeps_what_came_and_says_so,
    the_focus_comes_back_to_the_composer,
    a_text_from_right_to_left_has_its_markers_and_borders_on_the_right,
    escape_stops_and_the_focus_is_in_the_composer,
    pause_stands_still_and_resume_catches_up,
    copy_gives_the_source_of_the_answer,
    a_conversation_is_renamed_and_archived,
    on_a_bad_network_the_text_stays_whole,
    reasoning_is_folded_away_and_a_tool_is_a_line,
}
