//! Preferences: each is in force at once, and kept over a reload; counted where the reader allows it. In three browsers.

use riacho_tests::page::Page;
use riacho_tests::scene::{Scene, Setup, play_in};
use riacho_tests::wild::Kind;

use crate::kinds::in_each_browser;

pub(crate) async fn choose(page: &Page, name: &str, value: &str) {
    let script = "document.getElementById('open-preferences').click();
        const select = document.querySelector(`[name=${arguments[0]}]`);
        select.value = arguments[1];
        select.dispatchEvent(new Event('change'));
        document.getElementById('preferences').close();";
    page.run::<()>(script, vec![name.into(), value.into()]).await;
}

pub(crate) async fn reload(scene: &Scene) {
    scene.page.reload().await;
    scene
        .page
        .until("a conversation", async |page| (!page.conversation().await.is_empty()).then_some(()))
        .await;
}

fn a_theme_is_in_force_at_once_and_kept(kind: Kind) {
    play_in(kind, Setup::default(), async |scene| {
        let scheme = "return getComputedStyle(document.documentElement).colorScheme;";
        // The system's wish first.
        assert_eq!(scene.page.run::<String>(scheme, vec![]).await, "light dark");
        let mut papers = Vec::new();
        for theme in ["dark", "light"] {
            choose(&scene.page, "theme", theme).await;
            for when in ["at once", "after a reload"] {
                assert_eq!(scene.page.run::<String>(scheme, vec![]).await, theme, "{when}");
                reload(scene).await;
            }
            let paper = "return getComputedStyle(document.documentElement).backgroundColor;";
            papers.push(scene.page.run::<String>(paper, vec![]).await);
        }
        assert_ne!(papers[0], papers[1]);
    });
}

fn a_language_is_in_force_at_once_and_kept(kind: Kind) {
    play_in(kind, Setup::default(), async |scene| {
        choose(&scene.page, "language", "pt-BR").await;
        let said = "return [document.documentElement.lang, document.getElementById('send').textContent,
            document.getElementById('message').placeholder, document.querySelector('nav').getAttribute('aria-label')];";
        for when in ["at once", "after a reload"] {
            let found: Vec<String> = scene.page.run(said, vec![]).await;
            assert_eq!(found, ["pt-BR", "Enviar", "Pergunte algo", "Conversas"], "{when}");
            reload(scene).await;
        }
    });
}

fn whole_answers_are_kept_and_show_when_they_are_whole(kind: Kind) {
    play_in(kind, Setup::default(), async |scene| {
        choose(&scene.page, "delivery", "whole").await;
        reload(scene).await;
        scene.page.send("Conta").await;
        let mut exchange = scene.upstream.next().await;
        exchange.begin().await;
        exchange.delta("O rio").await;
        scene.page.answer("the text", |answer| answer.text == "O rio").await;
        let visible = "return document.querySelector('.assistant .message-content p').checkVisibility();";
        assert!(!scene.page.run::<bool>(visible, vec![]).await);
        exchange.finish().await;
        scene.page.answer("the end", |answer| answer.status == "completed").await;
        assert!(scene.page.run::<bool>(visible, vec![]).await);
    });
}

fn a_pace_is_kept_and_slows_only_what_is_shown(kind: Kind) {
    play_in(kind, Setup::default(), async |scene| {
        choose(&scene.page, "pace", "slow").await;
        reload(scene).await;
        let text = "Água mole em pedra dura, tanto bate até que fura. ".repeat(6);
        scene.page.send("Conta").await;
        let mut exchange = scene.upstream.next().await;
        exchange.begin().await;
        exchange.delta(&text).await;
        exchange.finish().await;
        let whole = "return chat.messages().at(-1).status === 'completed';";
        scene.page.until("all of it", async |page| page.run::<bool>(whole, vec![]).await.then_some(())).await;
        // Twelve seconds of reading have come at once.
        let answer = scene.page.answer("a beginning", |answer| !answer.text.is_empty()).await;
        assert_eq!(answer.status, "streaming", "an element ends with its text");
        assert!(answer.text.len() < text.len() / 2, "{}", answer.text);
        let later = scene.page.answer("more", |later| later.text.len() > answer.text.len() + 10).await;
        assert!(text.starts_with(&later.text));
        choose(&scene.page, "pace", "free").await;
        let answer = scene.page.answer("the end", |answer| answer.status == "completed").await;
        assert_eq!(answer.text, text.trim_end());
    });
}

fn preferences_are_counted_once_and_only_where_the_reader_allows_it(kind: Kind) {
    play_in(kind, Setup::default(), async |scene| {
        // Behind the welcome all of a hello is counted.
        let counted = async || {
            let open = "return document.getElementById('connection').dataset.state === 'open';";
            scene
                .page
                .until("the line", async |page| page.run::<bool>(open, vec![]).await.then_some(()))
                .await;
            let script = "return fetch('/metrics').then((answer) => answer.text()).then((text) =>
                text.split('\\n').filter((line) => line.startsWith('riacho_preferences_total{')).sort());";
            scene.page.run::<Vec<String>>(script, vec![]).await
        };
        choose(&scene.page, "theme", "dark").await;
        choose(&scene.page, "motion", "less").await;
        choose(&scene.page, "language", "pt-BR").await;
        reload(scene).await;
        assert_eq!(counted().await, [""; 0], "nobody has allowed it");
        choose(&scene.page, "count", "yes").await;
        reload(scene).await;
        let one = |preference: &str, value: &str| {
            format!("riacho_preferences_total{{preference=\"{preference}\",value=\"{value}\"}} 1")
        };
        let all = [
            one("answers", "streamed"),
            one("language", "pt"),
            one("motion", "reduced"),
            one("pace", "free"),
            one("theme", "dark"),
        ];
        assert_eq!(counted().await, all);
        choose(&scene.page, "count", "no").await;
        reload(scene).await;
        assert_eq!(counted().await, all);
    });
}

fn what_went_wrong_is_said_in_the_readers_language(kind: Kind) {
    play_in(kind, Setup::default(), async |scene| {
        scene.page.send("Conta").await;
        scene.upstream.next().await.refuse(500, &[], "").await;
        scene.page.answer("the failure", |answer| answer.all.contains("Retry")).await;
        choose(&scene.page, "language", "pt-BR").await;
        let answer = scene.page.answer("in Portuguese", |answer| answer.all.contains("Tentar de novo")).await;
        assert!(answer.all.contains("O provedor falhou."), "{}", answer.all);
        // An image that waits says it too, and says it anew in another language.
        scene.page.click(".message-retry").await;
        let mut exchange = scene.upstream.next().await;
        exchange.begin().await;
        exchange.delta("![rio](https://img.example.org/rio.png)").await;
        scene
            .page
            .answer("a button", |answer| answer.all.contains("Carregar a imagem de img.example.org"))
            .await;
        choose(&scene.page, "language", "en").await;
        scene
            .page
            .answer("in English", |answer| answer.all.contains("Load image from img.example.org"))
            .await;
        exchange.finish().await;
        // What is refused before it is sent.
        choose(&scene.page, "language", "pt-BR").await;
        let refused = "const box = document.getElementById('message');
            box.value = ' '; box.form.noValidate = true; box.form.requestSubmit();
            return document.getElementById('notice').textContent;";
        assert_eq!(scene.page.run::<String>(refused, vec![]).await, "Não há texto para enviar.");
    });
}

fn why_nothing_comes_is_said_in_the_readers_language(kind: Kind) {
    // The first failure is tried again: a relay with patience says so meanwhile.
    let patient = Setup::default().relay_env("RIACHO_RETRIES", "1");
    play_in(kind, patient, async |scene| {
        choose(&scene.page, "language", "pt-BR").await;
        scene.page.send_as("Mensagem", "Enviar", "Conta").await;
        scene.upstream.next().await.refuse(429, &[("retry-after", "2")], "").await;
        let waits =
            scene.page.answer("the wait", |answer| answer.all.contains("nova tentativa em 3 s.")).await;
        assert!(waits.all.contains("openai não respondeu"), "{waits:?}");
        choose(&scene.page, "language", "en").await;
        scene.page.answer("in English", |answer| answer.all.contains("asking again in 3 s.")).await;
        let mut exchange = scene.upstream.next().await;
        exchange.begin().await;
        exchange.delta("O rio").await;
        let answer = scene.page.answer("the text", |answer| answer.text == "O rio").await;
        assert!(!answer.all.contains("asking again"), "{answer:?}");
        exchange.finish().await;
    });
}

fn every_language_says_everything(kind: Kind) {
    play_in(kind, Setup::default(), async |scene| {
        let keys: Vec<Vec<String>> = scene
            .page
            .run(
                "return import('/strings.js').then(({ STRINGS }) =>
                    Object.values(STRINGS).map((table) => Object.keys(table).sort()));",
                vec![],
            )
            .await;
        assert!(keys.len() > 1);
        assert!(keys.iter().all(|other| *other == keys[0]), "{keys:#?}");
    });
}

in_each_browser! {
    a_theme_is_in_force_at_once_and_kept,
    a_language_is_in_force_at_once_and_kept,
    whole_answers_are_kept_and_show_when_they_are_whole,
    a_pace_is_kept_and_slows_only_what_is_shown,
    preferences_are_counted_once_and_only_where_the_reader_allows_it,
    what_went_wrong_is_said_in_the_readers_language,
    why_nothing_comes_is_said_in_the_readers_language,
    every_language_says_everything,
}
