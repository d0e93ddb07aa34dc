//! No wasm, or no more of it: the text is shown all the same, as text and nothing else, and an event says why.

use riacho_tests::page::Page;
use riacho_tests::scene::{Scene, Setup, play};
use serde_json::{Value, json};

use crate::text::{pieces, shown};

const RAW: &str = "**negrito** <b onclick=x>e</b>\n\n- [x](javascript:1)\n";

/// Starts the package from here; how it runs, and why not otherwise.
async fn load(page: &Page, source: Value, options: Value) -> (String, Option<String>) {
    page.until("the page's script", async |page| {
        page.run::<bool>("return 'load' in globalThis;", vec![]).await.then_some(())
    })
    .await;
    page.run("return load(arguments[0] ?? undefined, arguments[1]);", vec![source, options]).await
}

async fn send(page: &Page, text: &str) -> String {
    page.run("return chat.send(arguments[0]).replyId;", vec![text.into()]).await
}

async fn codes(page: &Page, kind: &str) -> Vec<String> {
    let script = "return events.filter((event) => event.type === arguments[0]).map((event) => event.code);";
    page.run(script, vec![kind.into()]).await
}

/// Elements inside of the texts on the page: there must be none.
async fn elements_in_text(page: &Page) -> Vec<String> {
    let script = "
        const all = document.querySelectorAll('.message-content *, .riacho-plain *');
        return [...all].map((element) => element.outerHTML);";
    page.run(script, vec![]).await
}

/// A conversation and a stream, from the first word to the last, without wasm.
async fn all_is_shown_plain(scene: &mut Scene, code: &str) {
    let page = &scene.page;
    let reply = send(page, "Conta *tudo*").await;
    let mut exchange = scene.upstream.next().await;
    assert_eq!(exchange.asked(), "Conta *tudo*");
    exchange.begin().await;
    exchange.delta("**neg").await;
    page.answer("the first text", |answer| answer.status == "streaming" && answer.text == "**neg").await;
    exchange.delta(RAW.strip_prefix("**neg").unwrap()).await;
    exchange.finish().await;
    let answer = page.answer("the end", |answer| answer.status == "completed").await;
    assert_eq!((answer.id, answer.text.as_str()), (reply, RAW));
    assert_eq!(page.messages().await[0].text, "Conta *tudo*");

    let script = "
        stream.push(arguments[0].slice(0, 9));
        stream.push(arguments[0].slice(9));
        await stream.end();
        return [document.getElementById('answer').textContent, stream.text];";
    let script =
        format!("return (async () => {{ {script} }})();").replace("arguments[0]", &json!(RAW).to_string());
    let stream: (String, String) = page.run(&script, vec![]).await;
    assert_eq!(stream, (RAW.to_owned(), RAW.to_owned()));
    assert_eq!(elements_in_text(page).await, Vec::<String>::new());
    assert_eq!(codes(page, "degraded").await, [code]);
    assert_eq!(codes(page, "stream degraded").await, [code]);

    // Stop, and the socket lost: they work without wasm too.
    let reply = send(page, "E mais").await;
    let mut exchange = scene.upstream.next().await;
    exchange.begin().await;
    exchange.delta("um pouco").await;
    until_text(page, &reply, "um pouco").await;
    scene.link.cut();
    exchange.delta(" mais").await;
    until_text(page, &reply, "um pouco mais").await;
    page.run::<()>("chat.stop(arguments[0]);", vec![reply.clone().into()]).await;
    exchange.dropped().await;
    page.until("the stop", async |page| {
        page.answers().await.iter().any(|a| a.id == reply && a.status == "interrupted").then_some(())
    })
    .await;
    assert_eq!(page.messages().await.len(), 4);
}

async fn until_text(page: &Page, reply: &str, text: &str) {
    page.until("text", async |page| {
        page.answers().await.iter().any(|answer| answer.id == reply && answer.text == text).then_some(())
    })
    .await;
}

#[test]
fn a_policy_that_forbids_wasm_leaves_plain_text() {
    let setup = Setup::default().page("nowasm").sockets_are_lost().console_says("WebAssembly");
    play(setup, async |scene| {
        let started = load(&scene.page, Value::Null, json!({"url": "/ws"})).await;
        assert_eq!(started, ("plain".to_owned(), Some("wasm_blocked".to_owned())));
        all_is_shown_plain(scene, "wasm_blocked").await;
    });
}

#[test]
fn a_wasm_that_can_not_be_fetched_leaves_plain_text() {
    let setup = Setup::default().page("plain").sockets_are_lost().console_says("404");
    play(setup, async |scene| {
        let started = load(&scene.page, json!("/missing.wasm"), json!({"url": "/ws"})).await;
        assert_eq!(started, ("plain".to_owned(), Some("wasm_unavailable".to_owned())));
        all_is_shown_plain(scene, "wasm_unavailable").await;
    });
}

#[test]
fn a_client_that_can_not_be_fetched_leaves_plain_text() {
    let setup = Setup::default().page("plain").sockets_are_lost().console_says("404");
    play(setup, async |scene| {
        let started = load(&scene.page, json!({"client": "/missing.wasm"}), json!({"url": "/ws"})).await;
        assert_eq!(started, ("plain".to_owned(), Some("wasm_unavailable".to_owned())));
        all_is_shown_plain(scene, "wasm_unavailable").await;
    });
}

#[test]
fn what_is_no_wasm_leaves_plain_text_or_an_error_where_the_page_wants_one() {
    play(Setup::default().page("plain").console_says("404"), async |scene| {
        let page = &scene.page;
        let script = "return load({ core: new Uint8Array([1, 2, 3]), fallback: 'none' }).then(() => '', (e) => e.code);";
        page.until("the page's script", async |page| {
            page.run::<bool>("return 'load' in globalThis;", vec![]).await.then_some(())
        })
        .await;
        assert_eq!(page.run::<String>(script, vec![]).await, "wasm_unavailable");
        // It can be tried again.
        assert_eq!(load(page, Value::Null, json!({})).await, ("wasm".to_owned(), None));
    });
}

#[test]
fn plain_text_does_not_lie_either() {
    play(Setup::default().page("plain").console_says("404"), async |scene| {
        let (mode, _) = load(&scene.page, json!("/nowhere.wasm"), json!({})).await;
        assert_eq!(mode, "plain");
        let script = "
            for (const character of arguments[0]) {
                stream.push(character);
            }
            // A tag in two halves: what is left of it is no character.
            stream.push('\\udb40');
            stream.push('\\udc41');
            return document.getElementById('answer').textContent.toWellFormed();";
        let text = "a\u{202e}b\u{2066}c\u{1b}[0m\td\r\ne\u{e0041}f\u{200f}שלום 葛\u{e0100} 🐟";
        let shown: String = scene.page.run(script, vec![json!(text)]).await;
        assert_eq!(
            shown,
            "a\u{fffd}b\u{fffd}c\u{fffd}[0m\td\r\ne\u{fffd}f\u{200f}שלום 葛\u{e0100} 🐟\u{fffd}\u{fffd}"
        );
    });
}

/// Options are options, and an address an address, whoever's prototypes they have: none, or those of another frame.
#[test]
fn what_init_is_given_counts_also_without_a_prototype_and_from_another_frame() {
    play(Setup::default().page("plain"), async |scene| {
        let page = &scene.page;
        page.until("the page's script", async |page| {
            page.run::<bool>("return 'load' in globalThis;", vec![]).await.then_some(())
        })
        .await;
        let script = "
            const { contentWindow: other } = document.body.appendChild(document.createElement('iframe'));
            const wrong = { core: new Uint8Array([1, 2, 3]), fallback: 'none' };
            const all = [wrong, Object.assign(Object.create(null), wrong), Object.assign(new other.Object(), wrong)];
            return (async () => {
                const codes = [];
                for (const options of all) {
                    codes.push(await load(options).then(() => 'started', (error) => error.code));
                }
                const address = (name) => new other.URL(`riacho/dist/${name}_bg.wasm`, location.href);
                const started = await load({
                    core: other.fetch(address('riacho')),
                    client: await WebAssembly.compile(await (await fetch(address('riacho_client').href)).arrayBuffer()),
                    sanitizer: address('riacho_sanitizer'),
                });
                stream.push('<b>x</b>');
                await stream.end();
                return [...codes, ...started, String(document.querySelector('#answer b') !== null)];
            })();";
        let found: Vec<Option<String>> = page.run(script, vec![]).await;
        let found: Vec<&str> = found.iter().map(|word| word.as_deref().unwrap_or("no error")).collect();
        let wrong = "wasm_unavailable";
        assert_eq!(found, [wrong, wrong, wrong, "wasm", "no error", "true"]);
    });
}

/// An exception of the DOM in the middle of a change: it goes through the wasm, whose state is torn from then on. What is
/// torn panics, or is noticed in the next task.
const BREAK: &str = "
    const appendData = Text.prototype.appendData;
    const create = Document.prototype.createTextNode;
    Text.prototype.appendData = Document.prototype.createTextNode = () => {
        Text.prototype.appendData = appendData;
        Document.prototype.createTextNode = create;
        throw new Error('on purpose');
    };";

/// The core's memory is lost: whatever is called there next traps. The client's is its own.
const BREAK_CORE: &str = "new Uint8Array(coreMemory.buffer).fill(0xff);";

/// An exception of the DOM in the middle of what the client does there itself.
const BREAK_CLIENT: &str = "
    const { get, set } = Object.getOwnPropertyDescriptor(Element.prototype, 'className');
    Object.defineProperty(Element.prototype, 'className', {
        configurable: true,
        get,
        set() {
            Object.defineProperty(Element.prototype, 'className', { configurable: true, get, set });
            throw new Error('on purpose');
        },
    });";

#[test]
fn an_exception_in_mid_stream_leaves_all_text_plain_and_the_chat_goes_on() {
    all_goes_on_after(BREAK);
}

#[test]
fn a_core_that_dies_under_the_client_leaves_all_text_plain_and_the_chat_goes_on() {
    all_goes_on_after(BREAK_CORE);
}

fn all_goes_on_after(breaks: &'static str) {
    let setup = Setup::default()
        .page("plain")
        .sockets_are_lost()
        .console_says("on purpose")
        .console_says("gave up")
        .console_says("unreachable");
    play(setup, async |scene| {
        assert_eq!(load(&scene.page, Value::Null, json!({"url": "/ws"})).await, ("wasm".to_owned(), None));
        let page = &scene.page;
        page.run::<()>("stream.push('**um** '); stream.flush();", vec![]).await;
        let reply = send(page, "Conta").await;
        let mut exchange = scene.upstream.next().await;
        exchange.begin().await;
        let pieces = pieces("alfa", 60);
        exchange.delta(&pieces[..10].concat()).await;
        page.answer("the first text", |answer| answer.text.contains("alfa9")).await;
        page.run::<()>(breaks, vec![]).await;
        let mut sent = 10;
        while codes(page, "degraded").await.is_empty() && sent < 50 {
            exchange.delta(&pieces[sent]).await;
            sent += 1;
        }
        page.run::<()>("stream.push('dois');", vec![]).await;
        exchange.delta(&pieces[sent..].concat()).await;
        exchange.finish().await;
        let answer = page.answer("the end", |answer| answer.status == "completed").await;
        assert_eq!((answer.id, answer.text.trim_end()), (reply, shown(&pieces).as_str()));
        assert_eq!(codes(page, "degraded").await, ["wasm_panicked"]);
        assert_eq!(codes(page, "stream degraded").await, ["wasm_panicked"]);
        assert_eq!(elements_in_text(page).await, Vec::<String>::new());
        let text: String = page.run("return document.getElementById('answer').textContent;", vec![]).await;
        assert_eq!(text, "**um** dois");
        // The conversation goes on.
        let reply = send(page, "E depois?").await;
        let mut exchange = scene.upstream.next().await;
        exchange.stream(["Fim."], std::time::Duration::ZERO).await;
        until_text(page, &reply, "Fim.").await;
        assert_eq!(page.messages().await.len(), 4);
        assert!(scene.upstream.is_idle(), "the provider was asked once a message");
        assert_eq!(scene.link.opened(), 2, "one socket before, and one after");
        // What is dead says nothing more, not even that its socket is closed.
        assert!(!codes_of_connections(page).await.contains(&"closed".to_owned()));
    });
}

async fn codes_of_connections(page: &Page) -> Vec<String> {
    let script = "return events.filter((event) => event.type === 'connection').map((event) => event.state);";
    page.run(script, vec![]).await
}

#[test]
fn a_client_that_dies_of_a_call_takes_nothing_with_it() {
    let setup =
        Setup::default().page("plain").sockets_are_lost().console_says("on purpose").console_says("gave up");
    play(setup, async |scene| {
        load(&scene.page, Value::Null, json!({"url": "/ws"})).await;
        let page = &scene.page;
        page.run::<()>("stream.push('**um** '); stream.flush();", vec![]).await;
        page.run::<()>(BREAK_CLIENT, vec![]).await;
        let reply = send(page, "Conta").await;
        let mut exchange = scene.upstream.next().await;
        assert_eq!(exchange.asked(), "Conta");
        exchange.stream(["**um** dois"], std::time::Duration::ZERO).await;
        until_text(page, &reply, "**um** dois").await;
        assert_eq!(codes(page, "degraded").await, ["wasm_panicked"]);
        assert_eq!(codes(page, "stream degraded").await, ["wasm_panicked"]);
        page.run::<()>("stream.push('dois');", vec![]).await;
        let text: String = page.run("return document.getElementById('answer').textContent;", vec![]).await;
        assert_eq!(text, "**um** dois");
        assert_eq!(page.messages().await.len(), 2);
        assert!(scene.upstream.is_idle(), "the provider was asked once");
    });
}

#[test]
fn a_panic_on_the_pages_own_transport_loses_no_text_either() {
    let setup = Setup::default()
        .page("plain")
        .console_says("on purpose")
        .console_says("gave up")
        .console_says("unreachable");
    play(setup, async |scene| {
        let page = &scene.page;
        load(page, Value::Null, json!({})).await;
        let say = "
            const about = { message_id: 'a', conversation_id: 'c' };
            const chunk = (chunk_number, content) => {
                try { chat.handle({ type: 'message_chunk', ...about, chunk_number, content }); } catch (e) { console.warn(e); }
            };";
        page.run::<()>(
            "chat.open('c'); chat.handle({ type: 'response_complete', message_id: 'b', content: 'antes' });",
            vec![],
        )
        .await;
        page.run::<()>(&format!("{say} for (let i = 0; i < 5; i++) chunk(i, `*${{i}}* `);"), vec![]).await;
        page.until("text", async |page| {
            page.answers().await.iter().any(|answer| answer.text.contains('4')).then_some(())
        })
        .await;
        page.run::<()>(BREAK, vec![]).await;
        for number in 5..20 {
            page.run::<()>(&format!("{say} chunk({number}, '*{number}* ');"), vec![]).await;
        }
        page.run::<()>(&format!("{say} for (let i = 3; i < 50; i++) chunk(i, `*${{i}}* `);"), vec![]).await;
        page.run::<()>("chat.handle({ type: 'response_complete', message_id: 'a' });", vec![]).await;
        let answers = page
            .until("the end", async |page| {
                let answers = page.answers().await;
                answers.iter().any(|a| a.id == "a" && a.status == "completed").then_some(answers)
            })
            .await;
        let all: String = (0..50).map(|i| format!("*{i}* ")).collect();
        assert_eq!(answers.len(), 2, "{answers:#?}");
        assert_eq!((answers[0].text.as_str(), answers[1].text.as_str()), ("antes", all.as_str()));
    });
}

#[test]
fn where_no_socket_can_be_had_answers_come_whole_by_http() {
    play(Setup::default().page("plain").sockets_are_lost(), async |scene| {
        scene.link.refuse(true);
        load(&scene.page, Value::Null, json!({"url": "/ws"})).await;
        let reply = send(&scene.page, "Conta").await;
        let mut exchange = scene.upstream.next().await;
        assert_eq!(exchange.asked(), "Conta");
        exchange.stream(["**um** ", "dois"], std::time::Duration::ZERO).await;
        until_text(&scene.page, &reply, "um dois").await;
        assert_eq!(codes(&scene.page, "degraded").await, ["streaming_unavailable"]);

        // The socket comes back: the same two messages, and nobody is asked again.
        scene.link.refuse(false);
        scene
            .page
            .until("the socket", async |_| {
                scene.link.seen().iter().any(|seen| seen.is("conversation_joined")).then_some(())
            })
            .await;
        let reply = send(&scene.page, "E mais").await;
        let mut exchange = scene.upstream.next().await;
        assert_eq!(exchange.asked(), "E mais");
        exchange.stream(["Fim."], std::time::Duration::ZERO).await;
        until_text(&scene.page, &reply, "Fim.").await;
        let messages = scene.page.messages().await;
        let all: Vec<_> =
            messages.iter().map(|message| (message.text.as_str(), message.status.as_str())).collect();
        let expected = ["Conta", "um dois", "E mais", "Fim."].map(|text| (text, "completed"));
        assert_eq!(all, expected);
    });
}

/// A proxy that brings the socket to the relay, and `/api` to somebody else.
#[test]
fn a_door_that_is_not_the_relays_fails_no_answer() {
    play(Setup::default().page("plain").sockets_are_lost(), async |scene| {
        scene.link.refuse(true);
        let page = &scene.page;
        load(page, Value::Null, json!({"url": "/ws"})).await;
        page.run::<()>(
            "const { fetch } = globalThis;
             globalThis.asked = 0;
             globalThis.fetch = async (url, ...rest) => {
                 if (!String(url).includes('/api/chat/send')) return fetch(url, ...rest);
                 asked += 1;
                 return new Response(asked % 2 ? '{\"error\": \"not here\"}' : '<!doctype html>', { status: asked % 2 ? 404 : 200 });
             };",
            vec![],
        )
        .await;
        let reply = send(page, "Conta").await;
        page.until("two doors", async |page| {
            page.run::<bool>("return asked >= 2;", vec![]).await.then_some(())
        })
        .await;
        scene.link.refuse(false);
        let mut exchange = scene.upstream.next().await;
        exchange.stream(["um ", "dois"], std::time::Duration::ZERO).await;
        until_text(page, &reply, "um dois").await;
        let failed =
            "return events.filter(({ type, status }) => type === 'status' && status === 'error').length;";
        assert_eq!(page.run::<u32>(failed, vec![]).await, 0);
    });
}

#[test]
fn a_chat_of_one_tag_says_that_it_is_plain_and_goes_on_saying_so() {
    let setup = Setup::default().page("nowasm").sockets_are_lost().console_says("WebAssembly");
    play(setup, async |scene| {
        let page = &scene.page;
        let make = "return import('./riacho/element/index.js').then(() => {
                window.made = document.createElement('riacho-chat');
                made.setAttribute('src', '/ws');
                made.options = { storageKey: null };
                document.body.append(made);
                return made.ready;
            }).then(() => {});";
        page.run::<()>(make, vec![]).await;
        let notice = async |wanted: &str| {
            page.until(wanted, async |page| {
                let said = "const notice = made.shadowRoot.querySelector('[part=notice]');
                    return notice.hidden ? '' : notice.textContent;";
                (page.run::<String>(said, vec![]).await == wanted).then_some(())
            })
            .await;
        };
        scene
            .page
            .until("the socket", async |_| {
                scene.link.seen().iter().any(|seen| seen.is("conversation_joined")).then_some(())
            })
            .await;
        notice("Text is shown without formatting.").await;
        scene.link.refuse(true);
        scene.link.cut();
        notice("Connection lost; trying again.").await;
        scene.link.refuse(false);
        notice("Text is shown without formatting.").await;
    });
}
