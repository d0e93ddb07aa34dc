//! `<riacho-chat>`: a whole chat from one tag, by keyboard, styled from outside, and gone without a trace.

use std::time::Duration;

use riacho_tests::scene::{Setup, play};
use thirtyfour::Key;

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
