//! The page as a newcomer meets it: no key, no network, the embedded provider.

use riacho_tests::scene::{Setup, play};

#[test]
fn the_demo_provider_answers_without_a_key() {
    play(
        Setup::default().no_provider().relay_args(&["--demo-pace", "1", "--demo-chunk", "40"]),
        async |scene| {
            scene.page.send("Olá").await;
            let answer = scene.page.answer("the demo's answer", |answer| answer.status == "completed").await;
            assert!(answer.text.len() > 500, "{answer:?}");
            // Headings, code, a table, a list and a link: it shows what the engine can do.
            for selector in ["h2", "pre code", "table td", "ul ul, ol ul, ul ol", "a[href]"] {
                let found: bool = scene
                .page
                .run(
                    "return document.querySelector('[data-role=assistant] .message-content').querySelector(arguments[0]) !== null",
                    vec![selector.into()],
                )
                .await;
                assert!(found, "no {selector} in the demo's answer");
            }
            // Code in colours with a button, formulas drawn: nothing of it from a network. And the page is one window high.
            scene
                .page
                .until("colours, buttons and formulas", async |page| {
                    let script = "
                        const answer = document.querySelector('[data-role=assistant]');
                        answer.querySelector('pre').scrollIntoView();
                        return [...CSS.highlights.values()].reduce((sum, highlight) => sum + highlight.size, 0) > 20
                            && answer.querySelectorAll('pre button').length === answer.querySelectorAll('pre').length
                            && answer.querySelectorAll('.math math').length === answer.querySelectorAll('.math').length
                            && document.documentElement.scrollHeight <= innerHeight;";
                    page.run::<bool>(script, vec![]).await.then_some(())
                })
                .await;
            let messages = scene.page.messages().await;
            assert_eq!(messages.len(), 2);
            assert_eq!((messages[0].role.as_str(), messages[0].text.as_str()), ("user", "Olá"));
            assert!(scene.upstream.is_idle());
        },
    );
}

#[test]
fn with_a_provider_in_the_environment_the_same_page_talks_to_it() {
    play(Setup::default(), async |scene| {
        scene.page.send("Quem fala?").await;
        let mut exchange = scene.upstream.next().await;
        assert_eq!(exchange.path, "/v1/chat/completions");
        assert_eq!(exchange.header("authorization"), Some("Bearer key-of-the-tests"));
        assert_eq!(exchange.body["stream"], true);
        assert_eq!(exchange.asked(), "Quem fala?");
        exchange.stream(["O ", "rio."], std::time::Duration::ZERO).await;
        let answer = scene.page.answer("the provider's answer", |answer| answer.status == "completed").await;
        assert_eq!(answer.text, "O rio.");

        // The next request holds the turns before it.
        scene.page.send("E depois?").await;
        let mut exchange = scene.upstream.next().await;
        let turns: Vec<(&str, &str)> = exchange.body["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|turn| (turn["role"].as_str().unwrap(), turn["content"].as_str().unwrap()))
            .collect();
        assert_eq!(turns, [("user", "Quem fala?"), ("assistant", "O rio."), ("user", "E depois?")]);
        exchange.stream(["O mar."], std::time::Duration::ZERO).await;
        let texts = scene
            .page
            .until("two answers", async |page| {
                let answers = page.answers().await;
                answers.iter().all(|answer| answer.status == "completed").then_some(answers)
            })
            .await;
        let texts: Vec<&str> = texts.iter().map(|answer| answer.text.as_str()).collect();
        assert_eq!(texts, ["O rio.", "O mar."]);
    });
}
