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

in_each_browser! {
    with_a_window_it_keeps_what_is_near_and_the_readers_place,
}
