//! The header of a block: its language, and a button that copies.

use riacho_tests::stage::{Stage, play};
use riacho_tests::wild::Kind;
use serde_json::{Value, json};
use thirtyfour::{By, Key};

/// Empties the textarea and pastes.
async fn pasted(stage: &Stage) -> String {
    let area = stage.browser.driver.find(By::Id("paste")).await.expect("it is there");
    area.clear().await.expect("it takes text");
    area.send_keys(Key::Control + "v".to_owned()).await.expect("it takes keys");
    stage.run("return document.getElementById('paste').value;", vec![]).await
}

#[test]
fn the_button_copies_the_source_while_it_streams_and_by_keyboard() {
    const SOURCE: &str = "fn main() {\n\n\tprintln!(\"<b>água</b> 🐟\");  \n}";
    play(Kind::Chromium, "code", "", async |stage| {
        let begin = "
            const { root, markdown, events } = stream({ highlight: counted().highlight, codeHeader: { copied: 'Copiado' } });
            Object.assign(globalThis, { markdown, events, root });
            markdown.push('```rust\\n' + args[0].slice(0, 20));
            markdown.flush();
            while (root.querySelector('pre button') === null) {
                await frame();
            }
            const button = root.querySelector('pre button');
            globalThis.button = button;
            return [button.textContent, button.closest('[data-riacho-ui]') !== null];";
        let begun: Value = stage.run(begin, vec![SOURCE.into()]).await;
        assert_eq!(begun, json!(["Copy", true]));
        let driver = &stage.browser.driver;
        let button = driver.find(By::Css("pre button")).await.expect("a button");
        button.click().await.expect("it can be pressed");
        stage.until("return button.textContent === 'Copiado';").await;
        assert_eq!(pasted(stage).await, SOURCE.chars().take(20).collect::<String>());

        // The rest, and the button by keyboard alone: it comes after the textarea.
        let rest = "markdown.push(args[0].slice(20) + '\\n```\\n'); await markdown.end(); document.getElementById('paste').focus();";
        stage.run::<Value>(rest, vec![SOURCE.into()]).await;
        driver.active_element().await.expect("one").send_keys(Key::Tab + "").await.expect("it takes keys");
        driver.active_element().await.expect("one").send_keys(Key::Enter + "").await.expect("it takes keys");
        stage.until("return root.querySelector('[role=status]').textContent === 'Copiado';").await;
        assert_eq!(pasted(stage).await, SOURCE);
        let name: Value = stage
            .run("return [document.querySelector('pre button').ariaLabel, events.length];", vec![])
            .await;
        assert_eq!(name, json!(["Copy rust code", 0]));

        // Who selects all of the block by hand gets the code without the header.
        stage.run::<Value>("getSelection().selectAllChildren(root.querySelector('pre'));", vec![]).await;
        let body = driver.find(By::Css("body")).await.expect("a body");
        body.send_keys(Key::Control + "c".to_owned()).await.expect("it takes keys");
        assert_eq!(pasted(stage).await.trim_end(), SOURCE);
    });
}

#[test]
fn where_the_clipboard_is_not_to_be_had_there_is_another_way_and_then_a_word() {
    play(Kind::Chromium, "code", "", async |stage| {
        let begin = "
            const { root, markdown, events } = stream({});
            Object.assign(globalThis, { markdown, events, root });
            markdown.push('```\\num\\n\\ndois\\n```\\n');
            await markdown.end();
            while (root.querySelector('pre button') === null) {
                await frame();
            }
            Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true });";
        stage.run::<Value>(begin, vec![]).await;
        let button = stage.browser.driver.find(By::Css("pre button")).await.expect("a button");
        button.click().await.expect("it can be pressed");
        stage.until("return root.querySelector('pre button').textContent === 'Copied';").await;
        assert_eq!(pasted(stage).await, "um\n\ndois");

        stage.run::<Value>("document.execCommand = () => false;", vec![]).await;
        button.click().await.expect("it can be pressed");
        stage.until("return events.length > 0;").await;
        let said: Value = stage
            .run(
                "return [events.map(({ type }) => type), root.querySelector('[role=status]').textContent, getSelection().toString().trim()];",
                vec![],
            )
            .await;
        assert_eq!(said, json!([["copy_failed"], "Press Ctrl+C to copy", "um\n\ndois"]));
    });
}

#[test]
fn without_the_header_nothing_is_added() {
    play(Kind::Chromium, "code", "", async |stage| {
        let _ = stage.asked();
        let script = "
            const { root, markdown } = stream({ codeHeader: false });
            markdown.push('```js\\nx\\n```\\n');
            await markdown.end();
            for (let i = 0; i < 20; i += 1) {
                await frame();
            }
            return root.innerHTML;";
        let html: String = stage.run(script, vec![]).await;
        assert_eq!(html, "<pre><code class=\"language-js\">x\n</code></pre>");
        assert!(!stage.asked().iter().any(|request| request.contains("/code/")));
    });
}

#[test]
fn a_word_of_the_pages_that_throws_or_calls_back_leaves_the_text_alone() {
    play(Kind::Chromium, "code", "", async |stage| {
        let script = "
            const said = [];
            const describe = (language) => {
                // In the midst of a batch this would put the next one into half of it.
                markdown.push('*x*\\n\\n');
                markdown.flush();
                throw new Error(`no word for ${language}`);
            };
            const { root, markdown } = stream({ codeHeader: { describe }, onDegraded: ({ code }) => said.push(code) });
            // The first block fetches what goes around code; those that follow are whole in one batch.
            markdown.push('```um\\na\\n```\\n\\n');
            markdown.flush();
            for (let i = 0; i < 600 && root.querySelector('button[aria-label]') === null && said.length === 0; i += 1) {
                await frame();
            }
            for (const language of ['dois', 'três']) {
                markdown.push('```' + language + '\\nb\\n```\\n\\nc\\n\\n');
                markdown.flush();
                await frame();
            }
            await markdown.end();
            for (let i = 0; i < 600 && root.querySelectorAll('button[aria-label]').length < 3 && said.length === 0; i += 1) {
                await frame();
            }
            const names = [...root.querySelectorAll('pre button')].map((button) => button.ariaLabel);
            root.querySelectorAll('[data-riacho-ui]').forEach((element) => element.remove());
            return [said, names, root.innerHTML, complaints.splice(0).length];";
        let found: Value = stage.run(script, vec![]).await;
        assert_eq!(found[0], json!([]), "the text went on without the wasm");
        assert_eq!(found[1], json!(["Copy um code", "Copy dois code", "Copy três code"]));
        let html = found[2].as_str().expect("HTML");
        for language in ["um", "dois", "três"] {
            assert!(html.contains(&format!("<pre><code class=\"language-{language}\">")), "{html}");
        }
        assert_eq!(html.matches("<em>x</em>").count(), 3, "{html}");
        // The page hears of it as of any uncaught error.
        assert_eq!(found[3], 3);
    });
}
