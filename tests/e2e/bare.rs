//! The package on a page of another's: events from the page's own transport, text without a chat.

use riacho_tests::page::Page;
use riacho_tests::scene::{Setup, play};
use serde_json::{Value, json};

/// Waits for the package, and makes `globalThis.chat` with these options; the conversation `c` is open.
pub async fn make_chat(page: &Page, options: Value) {
    page.until("the package", async |page| {
        page.run::<bool>("return 'riacho' in globalThis;", vec![]).await.then_some(())
    })
    .await;
    let script = "
        globalThis.chat = new riacho.ChatClient({
            root: document.getElementById('root'), storageKey: null, ...arguments[0]
        });
        chat.open('c');";
    page.run::<()>(script, vec![options]).await;
}

pub async fn handle(page: &Page, event: Value) {
    page.run::<()>("chat.handle(arguments[0]);", vec![event]).await;
}

pub fn chunk(message: &str, number: u64, content: &str) -> Value {
    json!({
        "type": "message_chunk", "conversation_id": "c", "message_id": message,
        "chunk_number": number, "content": content,
    })
}

#[test]
fn a_foreign_transports_events_replayed_are_one_container_with_the_right_text() {
    play(Setup::default().page("bare"), async |scene| {
        let page = &scene.page;
        make_chat(page, json!({})).await;
        let started = json!({"type": "message_started", "conversation_id": "c", "message_id": "a"});
        let complete = json!({
            "type": "response_complete", "conversation_id": "c", "message_id": "a", "content": "um dois tres",
        });
        let events = [started, chunk("a", 1, "um "), chunk("a", 2, "dois "), chunk("a", 3, "tres"), complete];
        for event in &events {
            handle(page, event.clone()).await;
        }
        let answer = page.answer("the completion", |answer| answer.status == "completed").await;
        assert_eq!(answer.text, "um dois tres");
        for event in &events {
            handle(page, event.clone()).await;
        }
        // Something new after them, so that they have surely been worked off.
        handle(page, json!({"type": "message_started", "conversation_id": "c", "message_id": "b"})).await;
        handle(page, chunk("b", 1, "fim")).await;
        let answers = page
            .until("the second answer", async |page| {
                let answers = page.answers().await;
                answers.iter().any(|answer| answer.text == "fim").then_some(answers)
            })
            .await;
        assert_eq!(answers.len(), 2);
        assert_eq!(answers[0], answer);
    });
}

/// Nobody brings the rest of it: it does not wait for ever, and what came stays.
#[test]
fn an_answer_that_a_reload_cut_off_says_so_and_can_be_asked_for_again() {
    play(Setup::default().page("bare"), async |scene| {
        let page = &scene.page;
        let load = async || {
            page.until("the package", async |page| {
                page.run::<bool>("return 'riacho' in globalThis;", vec![]).await.then_some(())
            })
            .await;
            let make = "
                const transport = {
                    async *send({ trigger }) {
                        yield `${trigger}: um `;
                        if (trigger === 'send') await new Promise(() => {});
                        yield 'dois';
                    },
                };
                globalThis.chat = new riacho.ChatClient({ root: document.getElementById('root'), storageKey: 'kept', transport });
                chat.open(chat.conversationId ?? 'c');";
            page.run::<()>(make, vec![]).await;
        };
        load().await;
        page.run::<()>("chat.send('Conta');", vec![]).await;
        page.answer("the beginning", |answer| answer.text.contains("send: um")).await;
        page.reload().await;
        load().await;
        let answer = page.answer("the end of it", |answer| answer.status == "error").await;
        assert!(answer.text.contains("send: um"), "{answer:?}");
        assert!(answer.all.contains("broke off"), "{answer:?}");
        page.run::<()>("document.querySelector('.message-retry').click();", vec![]).await;
        let answer = page.answer("all of it", |answer| answer.status == "completed").await;
        assert_eq!(answer.text.trim(), "retry: um dois");
    });
}

/// A provider's first piece often has no text, and `String(undefined)` is a word. An option that can do nothing says so.
#[test]
fn what_can_not_be_meant_is_refused_by_a_code() {
    play(Setup::default().page("bare"), async |scene| {
        let page = &scene.page;
        make_chat(page, json!({})).await;
        let script = "
            const element = document.body.appendChild(document.createElement('div'));
            const stream = new riacho.MarkdownStream(element);
            const calls = [
                () => stream.push(undefined), () => stream.push(null), () => stream.push({}),
                () => chat.send(undefined), () => chat.open(undefined), () => chat.open(7),
            ];
            const codes = calls.map((call) => { try { call(); } catch (error) { return error.code; } });
            const made = [{ highlight: 'shiki' }, { blocks: { chart: 'd3' } }, { blocks: { Chart() {} } }, { images: 'self' }].flatMap((options) =>
                ['MarkdownStream', 'ChatClient'].map((name) => {
                    const first = name === 'ChatClient' ? { root: element, storageKey: null, ...options } : element;
                    try { new riacho[name](first, options); } catch (error) { return error.code; }
                }));
            codes.push(...made);
            stream.push('rio');
            return stream.end().then(() => [...codes, element.textContent.trim(), chat.conversationId, String(chat.messages().length)]);";
        let found: Vec<String> = page.run(script, vec![]).await;
        let [text, id, highlight, blocks, images] =
            ["bad_text", "bad_id", "bad_highlight", "bad_blocks", "bad_images"];
        let calls = [text, text, text, text, id, id];
        let options = [highlight, highlight, blocks, blocks, blocks, blocks, images, images];
        assert_eq!(found[..6], calls);
        assert_eq!(found[6..14], options);
        assert_eq!(found[14..], ["rio", "c", "0"]);
    });
}

#[test]
fn a_surrogate_pair_cut_between_two_pushes_shows_the_character() {
    play(Setup::default().page("bare"), async |scene| {
        let page = &scene.page;
        make_chat(page, json!({})).await;
        let script = "
            const element = document.body.appendChild(document.createElement('div'));
            const stream = new riacho.MarkdownStream(element);
            stream.push('rio \\ud83d');
            stream.flush();
            const half = element.textContent;
            stream.push('\\udc1f e mar');
            stream.flush();
            const whole = element.textContent;
            return stream.end().then(() => [half, whole, element.textContent, stream.text]);";
        let texts: Vec<String> = page.run(script, vec![]).await;
        assert_eq!(texts[0].trim_end(), "rio");
        assert_eq!(texts[1..], ["rio 🐟 e mar", "rio 🐟 e mar", "rio 🐟 e mar"]);
    });
}

#[test]
fn what_streams_in_pieces_ends_as_the_same_dom_as_the_whole() {
    const TEXT: &str = "# Rio\n\n*Um* **dois** `três` [mar](https://example.org \"t\")\n\n- a\n  - b\n\n    c\n- [x] d\n\n\
        | x | y |\n|---|--:|\n| 1 | **2** |\n\n```rust\nfn main() { println!(\"<b>\"); }\n```\n\n> cita\n> mais\n\n\
        1. um\n2. dois\n\n<b onclick=\"x()\">bruto</b> e Vec<String>\n\n[tarde] e[^n]\n\n[tarde]: https://example.org/t\n[^n]: nota 🐟\n";
    play(Setup::default().page("bare"), async |scene| {
        let page = &scene.page;
        make_chat(page, json!({})).await;
        let script = "
            const [text, step] = arguments;
            const render = async (step) => {
                const element = document.body.appendChild(document.createElement('div'));
                const stream = new riacho.MarkdownStream(element, { idPrefix: 'p' });
                for (let at = 0; at < text.length; at += step) {
                    stream.push(text.slice(at, at + step));
                    stream.flush();
                }
                await stream.end();
                const html = element.innerHTML;
                element.remove();
                return html;
            };
            return Promise.all([render(text.length), render(step)]);";
        for step in [1, 2, 7] {
            let [whole, pieces]: [String; 2] = page.run(script, vec![TEXT.into(), step.into()]).await;
            assert_eq!(pieces, whole, "in steps of {step}");
            assert!(
                whole.contains("<table") && whole.contains("<pre") && !whole.contains("onclick"),
                "{whole}"
            );
            assert!(whole.contains("Vec&lt;String&gt;"), "{whole}");
        }
    });
}

#[test]
fn a_long_paragraph_grows_at_its_end_and_nowhere_else() {
    play(Setup::default().page("bare"), async |scene| {
        let page = &scene.page;
        make_chat(page, json!({})).await;
        // It begins long, as a conversation does that is come back to, and goes on in small steps: with the blank before
        // a word, behind it, or a new line instead of it.
        let script = "
            const step = arguments[0];
            const element = document.body.appendChild(document.createElement('div'));
            const stream = new riacho.MarkdownStream(element);
            const words = Array.from({ length: 600 }, (_, i) => step.replace('*', `palavra${i}🐟`));
            let text = words.slice(0, 300).join('');
            stream.push(text);
            stream.flush();
            const end = (text) => text.trimEnd().slice(-60).toWellFormed();
            const wrong = [];
            for (const word of words.slice(300)) {
                stream.push(word);
                stream.flush();
                text += word;
                if (element.textContent.trim() !== text.trim()) {
                    wrong.push(`${end(element.textContent)} instead of ${end(text)}`);
                }
            }
            return wrong;";
        for step in [" *", "* ", "*\n", "\n*"] {
            let wrong: Vec<String> = page.run(script, vec![step.into()]).await;
            assert!(
                wrong.is_empty(),
                "{step:?}: wrong {} times, first with: {:?}",
                wrong.len(),
                wrong.first()
            );
        }
    });
}
