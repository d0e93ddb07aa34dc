//! `<riacho-chat>`: a whole chat from one tag, by keyboard, styled from outside, and gone without a trace.

use std::time::Duration;

use riacho_tests::scene::{Setup, play, play_in};
use riacho_tests::wild::Kind;
use thirtyfour::Key;

use crate::kinds::in_each_browser;
use crate::text::{pieces, shown};

const ELEMENT: &str = "document.querySelector('riacho-chat')";

#[test]
fn one_tag_is_a_chat_that_works_by_keyboard() {
    play(Setup::default().page("element"), async |scene| {
        let page = &scene.page;
        page.until("the client", async |page| {
            page.run::<bool>(&format!("return {ELEMENT}.chat !== undefined;"), vec![]).await.then_some(())
        })
        .await;
        // Tab reaches the messages, then the composer; Shift and Enter is a new line, Enter sends.
        let actions = scene.browser.driver.action_chain();
        let typed = actions.send_keys(Key::Tab).send_keys(Key::Tab).send_keys("Conta");
        typed.perform().await.unwrap();
        let focused: Vec<String> = page
            .run(
                &format!(
                    "const input = {ELEMENT}.shadowRoot.activeElement;
                     return [input?.part.value, input?.getAttribute('aria-label'), input?.value];"
                ),
                vec![],
            )
            .await;
        assert_eq!(focused, ["input", "Message", "Conta"]);
        let chain = scene.browser.driver.action_chain();
        let chain = chain.key_down(Key::Shift).send_keys(Key::Enter).key_up(Key::Shift);
        chain.send_keys("tudo").send_keys(Key::Enter).perform().await.unwrap();
        let mut exchange = scene.upstream.next().await;
        assert_eq!(exchange.asked(), "Conta\ntudo");
        let pieces = pieces("alfa", 20);
        exchange.stream(pieces.iter().map(String::as_str), Duration::from_millis(5)).await;
        let answer = page.answer("the answer", |answer| answer.status == "completed").await;
        assert_eq!(answer.text, shown(&pieces));
        let said: Vec<String> = page
            .run(
                &format!(
                    "const part = (name) => {ELEMENT}.shadowRoot.querySelector(`[part~=${{name}}]`);
                     return [
                         part('log').getAttribute('role'), part('log').getAttribute('aria-live'), part('status').textContent,
                         part('input').value, String(part('stop').hidden), getComputedStyle(part('send')).textTransform,
                         getComputedStyle(part('log')).paddingTop, getComputedStyle({ELEMENT}).display,
                     ];"
                ),
                vec![],
            )
            .await;
        assert_eq!(said, ["log", "off", "Answer complete.", "", "true", "uppercase", "7px", "grid"]);
    });
}

#[test]
fn its_stop_button_stops_and_taking_it_away_closes_its_socket() {
    play(Setup::default().page("element"), async |scene| {
        let page = &scene.page;
        page.run::<()>(&format!("return {ELEMENT}.ready.then((chat) => void chat.send('Conta'));"), vec![])
            .await;
        let mut exchange = scene.upstream.next().await;
        exchange.begin().await;
        exchange.delta("um pouco").await;
        page.answer("the text", |answer| answer.text == "um pouco").await;
        // Moved within the page it goes on.
        page.run::<()>(
            &format!("document.body.append(document.createElement('main')); document.querySelector('main').append({ELEMENT});"),
            vec![],
        )
        .await;
        exchange.delta(" mais").await;
        page.answer("the text", |answer| answer.text == "um pouco mais").await;
        assert_eq!(scene.link.opened(), 1);
        page.run::<()>(&format!("{ELEMENT}.shadowRoot.querySelector('[part~=stop]').click();"), vec![]).await;
        exchange.dropped().await;
        page.answer("the stop", |answer| answer.status == "interrupted").await;

        // Taken away it lets go; put back it is a chat again, and shows what was there.
        page.run::<()>(&format!("globalThis.taken = {ELEMENT}; taken.remove();"), vec![]).await;
        page.until("the socket's end", async |page| {
            page.run::<bool>("return taken.chat === undefined;", vec![]).await.then_some(())
        })
        .await;
        page.run::<()>("document.body.append(taken);", vec![]).await;
        let answer = page.answer("the answer again", |answer| answer.status == "interrupted").await;
        assert_eq!(answer.text, "um pouco mais");
        assert_eq!(page.messages().await.len(), 2);
        assert_eq!(scene.link.opened(), 2);
    });
}

/// Its messages are not in its scroller's tree: what follows and what keeps the window have to know both.
fn with_a_window_it_keeps_what_is_near_and_the_readers_place(kind: Kind) {
    play_in(kind, Setup::default().page("element"), async |scene| {
        let page = &scene.page;
        let make = "return customElements.whenDefined('riacho-chat').then(() => {
                window.made = document.createElement('riacho-chat');
                made.options = { window: 40, storageKey: null, pace: 1e6, words: { stopped: 'Parado.' } };
                made.style.blockSize = '500px';
                document.body.replaceChildren(made);
                return made.ready;
            }).then((chat) => {
                window.chat = chat;
                window.log = made.shadowRoot.querySelector('[part=log]');
                window.say = (n, content) => {
                    const message_id = `message-${n}`;
                    chat.handle({ type: 'message_started', message_id, role: n % 2 ? 'assistant' : 'user' });
                    chat.handle({ type: 'message_chunk', message_id, content });
                };
                for (let n = 0; n < 300; n += 1) {
                    say(n, `Message ${n}.\n\nIt goes on.`);
                    chat.handle({ type: 'response_complete', message_id: `message-${n}` });
                }
            });";
        page.run::<()>(make, vec![]).await;
        let shows = async |n: usize| {
            let id = format!("message-{n}");
            page.until(&id, async |page| {
                let messages = page.messages().await;
                assert!(messages.len() < 160, "{} elements", messages.len());
                let seen = "const box = document.querySelector(`[data-message-id='${arguments[0]}']`)?.getBoundingClientRect();
                    const view = log.getBoundingClientRect();
                    return box !== undefined && box.bottom > view.top && box.top < view.bottom;";
                page.run::<bool>(seen, vec![id.clone().into()]).await.then_some(())
            })
            .await;
        };
        shows(299).await;
        page.run::<()>("log.scrollTop = 0;", vec![]).await;
        shows(0).await;
        // Who has gone up is left there while an answer comes, and finds it on coming back.
        page.run::<()>("say(301, 'Um rio corre.');", vec![]).await;
        shows(0).await;
        page.run::<()>("log.scrollTop = log.scrollHeight;", vec![]).await;
        shows(301).await;
        page.run::<()>("chat.stop('message-301');", vec![]).await;
        page.until("its words", async |page| {
            page.messages().await.pop()?.all.contains("Parado.").then_some(())
        })
        .await;
        // Taken away, it leaves nothing that still listens.
        page.run::<()>("document.querySelector('riacho-chat').remove();", vec![]).await;
    });
}

/// A tag of the page's HTML is there before its module is, and a script may speak to it before and after.
fn what_a_page_says_before_and_after_the_module_is_there_holds(kind: Kind) {
    play_in(kind, Setup::default().page("element"), async |scene| {
        let page = &scene.page;
        // Of a document without a window it is not yet what it will be.
        let make = "return customElements.whenDefined('riacho-chat').then(() => {
                const early = document.implementation.createHTMLDocument('').createElement('riacho-chat');
                early.labels = { send: 'Enviar', message: 'Mensagem', assistant: 'Resposta' };
                early.options = { storageKey: null, words: { stopped: 'Parado.' } };
                window.isPlain = early.shadowRoot === null && early.ready === undefined;
                document.body.replaceChildren(early);
                // Behind the script that brings it: the client is not there yet.
                window.late = document.createElement('riacho-chat');
                document.body.append(late);
                late.options = { storageKey: null, window: 7 };
                late.labels = { send: 'Senden' };
                return Promise.all([early.ready, late.ready]);
            }).then(([early]) => {
                early.handle({ type: 'message_started', message_id: 'a', role: 'assistant' });
                for (let n = 0; n < 20; n += 1) {
                    late.chat.handle({ type: 'message_started', message_id: `late-${n}`, role: 'user' });
                    late.chat.handle({ type: 'response_complete', message_id: `late-${n}`, content: 'x' });
                }
                early.stop('a');
                return isPlain;
            });";
        assert!(page.run::<bool>(make, vec![]).await);
        let names = "return [...document.querySelectorAll('riacho-chat')].map(({ shadowRoot }) => {
                const part = (name) => shadowRoot.querySelector(`[part~=${name}]`);
                return [part('send').textContent, part('stop').textContent, part('input').getAttribute('aria-label'), part('input').placeholder];
            });";
        let said: Vec<[String; 4]> = page.run(names, vec![]).await;
        assert_eq!(said[0], ["Enviar", "Stop", "Mensagem", "Ask something"]);
        assert_eq!(said[1], ["Senden", "Stop", "Message", "Ask something"]);
        page.until("its words", async |page| {
            page.messages().await.iter().any(|message| message.all.contains("Parado.")).then_some(())
        })
        .await;
        let speaker = "return document.querySelector('[data-message-id=a]').getAttribute('aria-label');";
        assert_eq!(page.run::<String>(speaker, vec![]).await, "Resposta");
        let window = "const { start, end, count } = late.chat.window; return [end - start < count, count];";
        page.until("its window", async |page| {
            (page.run::<(bool, u64)>(window, vec![]).await == (true, 20)).then_some(())
        })
        .await;

        // The reader takes another language.
        page.run::<()>(
            "const [early] = document.querySelectorAll('riacho-chat');
             early.labels = { stop: 'Anhalten', placeholder: 'Frag etwas' };
             early.options = { words: { stopped: 'Angehalten.' } };",
            vec![],
        )
        .await;
        let said: Vec<[String; 4]> = page.run(names, vec![]).await;
        assert_eq!(said[0], ["Send", "Anhalten", "Message", "Frag etwas"]);
        page.until("its other words", async |page| {
            page.messages().await.iter().any(|message| message.all.contains("Angehalten.")).then_some(())
        })
        .await;

        // Asked for before it is anywhere, it starts all the same.
        let later = "const alone = document.createElement('riacho-chat');
            alone.options = { storageKey: null };
            return alone.ready.then((none) => {
                document.body.append(alone);
                return alone.ready.then((chat) => [none === undefined, chat === alone.chat && chat !== undefined]);
            });";
        assert_eq!(page.run::<[bool; 2]>(later, vec![]).await, [true; 2]);
        page.run::<()>("document.body.replaceChildren();", vec![]).await;
    });
}

/// As wide as a small telephone, and used by keyboard.
fn on_a_narrow_screen_nothing_sticks_out_and_the_focus_is_never_lost(kind: Kind) {
    play_in(kind, Setup::default().page("element"), async |scene| {
        let page = &scene.page;
        let make = "return customElements.whenDefined('riacho-chat').then(() => {
                window.made = document.createElement('riacho-chat');
                made.options = { storageKey: null };
                made.style.cssText = 'inline-size: 320px; block-size: 400px';
                document.body.replaceChildren(made);
                return made.ready;
            }).then((chat) => {
                window.part = (name) => made.shadowRoot.querySelector(`[part~=${name}]`);
                window.inside = () => made.shadowRoot.activeElement?.part[0] ?? null;
                const say = (message_id, role, content) => {
                    chat.handle({ type: 'message_started', message_id, role });
                    chat.handle({ type: 'message_chunk', message_id, content });
                };
                say('question', 'user', 'What is it?');
                chat.handle({ type: 'response_complete', message_id: 'question' });
                const wide = 'wide '.repeat(40);
                say('answer', 'assistant', `~~~\n${wide}\n~~~\n\n| ${wide} | b |\n|---|---|\n| ${'x'.repeat(200)} | y |\n\nend\n`);
            });";
        page.run::<()>(make, vec![]).await;
        page.until("the answer", async |page| {
            page.run::<bool>(
                "return document.querySelector('table td') !== null && !part('stop').hidden;",
                vec![],
            )
            .await
            .then_some(())
        })
        .await;
        let measure = "const { left, right } = made.getBoundingClientRect();
            const log = part('log');
            const out = ['log', 'composer', 'input', 'stop', 'send'].filter((name) => {
                const box = part(name).getBoundingClientRect();
                return box.left < left || box.right > right;
            });
            return [log.scrollWidth > log.clientWidth ? 'the messages' : '', ...out].join(' ');";
        assert_eq!(page.run::<String>(measure, vec![]).await, "");
        // Who speaks is seen: a question is no wider than it is, and stands at the end of the line.
        let sides = "const [mine, its] = [...document.querySelectorAll('.message')].map((message) => message.getBoundingClientRect());
            return [mine.left > its.left + 100, Math.abs(mine.right - its.right) < 1];";
        assert_eq!(page.run::<[bool; 2]>(sides, vec![]).await, [true; 2]);

        // Stop goes as it is pressed, and so does Retry.
        page.run::<()>("part('stop').focus(); part('stop').click();", vec![]).await;
        let focus = async |wanted: &str| {
            page.until(wanted, async |page| {
                let (inside, stops) = page
                    .run::<(Option<String>, bool)>("return [inside(), part('stop').hidden];", vec![])
                    .await;
                (inside.as_deref() == Some(wanted) && stops == (wanted == "input")).then_some(())
            })
            .await;
        };
        focus("input").await;
        page.run::<()>(
            "const retry = document.querySelector('.message-retry'); retry.focus(); retry.click();",
            vec![],
        )
        .await;
        focus("log").await;
        page.run::<()>("document.body.replaceChildren();", vec![]).await;
    });
}

in_each_browser! {
    on_a_narrow_screen_nothing_sticks_out_and_the_focus_is_never_lost,
    what_a_page_says_before_and_after_the_module_is_there_holds,
    with_a_window_it_keeps_what_is_near_and_the_readers_place,
}
