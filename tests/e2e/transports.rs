//! Transports that are not ours, each against the real server of its kind, under the demo's content policy.

use riacho_tests::node::{Stage, play_at};
use riacho_tests::page::Message;

use crate::text::{pieces, shown};

/// What Chromium logs of a request that the test has the server refuse or cut off.
const REFUSED: &[&str] = &["Failed to load resource", "net::ERR_"];

/// Makes `globalThis.chat` with this transport, an expression over `module` (the adapter's) and `io`.
async fn chat(stage: &Stage, adapter: &str, transport: &str) {
    stage
        .page
        .until("the package", async |page| {
            page.run::<bool>("return 'riacho' in globalThis;", vec![]).await.then_some(())
        })
        .await;
    let script = format!(
        "return (async () => {{
            const module = await import('./riacho/adapters/{adapter}.js');
            if ('{adapter}' === 'socket-io') {{
                globalThis.socket = (await import('/socket.io/socket.io.esm.min.js')).io();
            }}
            globalThis.events = [];
            globalThis.chat = new riacho.ChatClient({{
                root: document.getElementById('root'), storageKey: null, measure: true, transport: {transport},
            }});
            chat.on('*', (event) => events.push(event));
            chat.open('c');
        }})();"
    );
    stage.page.run::<()>(&script, vec![]).await;
}

/// Sends it, and gives the ids of the answer to come.
async fn send(stage: &Stage, text: &str) -> String {
    stage.page.run("return chat.send(arguments[0]).replyId;", vec![text.into()]).await
}

async fn ended(stage: &Stage, reply: &str) -> Message {
    stage
        .page
        .until("the end of the answer", async |page| {
            let answers = page.answers().await;
            let mut of_reply = answers.into_iter().filter(|answer| answer.id == reply);
            let answer = of_reply.next()?;
            assert!(of_reply.next().is_none(), "one answer is one container");
            ["completed", "interrupted", "error"].contains(&answer.status.as_str()).then_some(answer)
        })
        .await
}

async fn asked_and_answered(stage: &Stage, text: &str) -> Message {
    let reply = send(stage, text).await;
    ended(stage, &reply).await
}

/// The code of the error that an answer ended with.
async fn code(stage: &Stage, reply: &str) -> String {
    let script = "return events.findLast((e) => e.type === 'status' && e.messageId === arguments[0])?.error?.code ?? '';";
    stage.page.run(script, vec![reply.into()]).await
}

async fn streaming(stage: &Stage, reply: &str, part: &str) {
    stage
        .page
        .until("text", async |page| {
            page.answers().await.iter().any(|a| a.id == reply && a.text.contains(part)).then_some(())
        })
        .await;
}

#[test]
fn socket_io_says_the_whole_text_again_and_it_is_one_container() {
    play_at("socket-io.mjs", "bare", &[], async |stage| {
        chat(stage, "socket-io", "module.socketIO(socket)").await;
        for question in ["conta", "conta with own ids", "conta twice", "conta twice with own ids"] {
            let answer = asked_and_answered(stage, question).await;
            assert_eq!(
                (answer.status.as_str(), answer.text),
                ("completed", shown(&pieces("alfa", 30))),
                "{question}"
            );
        }
        let answers = stage.page.answers().await;
        assert_eq!(answers.len(), 4, "{answers:#?}");
        assert_eq!(stage.page.messages().await.len(), 8);
    });
}

#[test]
fn socket_io_failures_are_said_and_a_stop_reaches_the_server() {
    play_at("socket-io.mjs", "bare", &[], async |stage| {
        chat(stage, "socket-io", "module.socketIO(socket)").await;
        let failed = asked_and_answered(stage, "fail").await;
        assert_eq!((failed.status.as_str(), failed.text), ("error", shown(&pieces("alfa", 5))));
        assert!(failed.all.contains("o modelo caiu"), "{}", failed.all);

        let reply = send(stage, "long").await;
        streaming(stage, &reply, "alfa20").await;
        stage.page.run::<()>("chat.stop(arguments[0]);", vec![reply.clone().into()]).await;
        let stopped = ended(stage, &reply).await;
        assert_eq!(stopped.status, "interrupted");
        let seen: Vec<String> = stage.page.run("return socket.emitWithAck('seen');", vec![]).await;
        assert_eq!(seen, std::slice::from_ref(&reply));
        // Nothing of what was on its way is added.
        assert_eq!(ended(stage, &reply).await.text, stopped.text);
    });
}

#[test]
fn an_openai_compatible_stream_is_read_whole_however_it_is_cut() {
    play_at("openai.mjs", "bare", &[], async |stage| {
        chat(stage, "openai", "module.openAI({ url: '/v1/chat/completions', model: 'gpt-test' })").await;
        for question in ["conta", "crlf", "think"] {
            let answer = asked_and_answered(stage, question).await;
            assert_eq!(
                (answer.status.as_str(), answer.text),
                ("completed", shown(&pieces("alfa", 20))),
                "{question}"
            );
        }
        let answer = asked_and_answered(stage, "whole").await;
        assert_eq!((answer.status.as_str(), answer.text.as_str()), ("completed", "inteiro"));
        // The turns before it go with a request.
        let answer = asked_and_answered(stage, "turns").await;
        assert!(answer.text.starts_with("user=conta|assistant=alfa0·água alfa1·água"), "{}", answer.text);
        assert!(answer.text.contains("|user=whole|assistant=inteiro|user=turns"), "{}", answer.text);
        assert_eq!(stage.page.messages().await.len(), 10);
        // Five answers, each measured to its first text and to its end.
        let script = "
            return ['riacho first text', 'riacho answer'].map((name) =>
                performance.getEntriesByName(name, 'measure').filter((entry) => entry.detail.messageId).length);";
        assert_eq!(stage.page.run::<[usize; 2]>(script, vec![]).await, [5, 5]);
    });
}

#[test]
fn an_openai_compatible_servers_failures_each_have_their_code() {
    play_at("openai.mjs", "bare", REFUSED, async |stage| {
        chat(stage, "openai", "module.openAI({ url: '/v1/chat/completions', model: 'gpt-test' })").await;
        for (question, expected, text, words) in [
            ("fail", "provider_failed", shown(&pieces("alfa", 5)), "the model is overloaded"),
            ("early", "provider_truncated", shown(&pieces("alfa", 5)), "in the middle of the answer"),
            ("cut", "provider_truncated", shown(&pieces("alfa", 5)), "the connection broke"),
            ("limit", "provider_rate_limited", String::new(), "Try again in 7 s."),
        ] {
            let answer = asked_and_answered(stage, question).await;
            assert_eq!(
                (answer.status.as_str(), answer.text.as_str()),
                ("error", text.as_str()),
                "{question}"
            );
            assert!(answer.all.contains(words), "{question}: {}", answer.all);
            assert_eq!(code(stage, &answer.id).await, expected);
        }
    });
}

#[test]
fn a_stop_gives_the_request_up_and_a_retry_asks_again_in_the_same_container() {
    play_at("openai.mjs", "bare", &[], async |stage| {
        chat(stage, "openai", "module.openAI({ url: '/v1/chat/completions', model: 'gpt-test' })").await;
        let reply = send(stage, "long").await;
        streaming(stage, &reply, "alfa20").await;
        stage.page.run::<()>("chat.stop(arguments[0]);", vec![reply.clone().into()]).await;
        assert_eq!(ended(stage, &reply).await.status, "interrupted");
        stage
            .page
            .until("the server's end of it", async |page| {
                let gone: Vec<String> =
                    page.run("return fetch('/gone').then((r) => r.json());", vec![]).await;
                (gone == ["long"]).then_some(())
            })
            .await;

        stage.page.press("Retry").await;
        stage
            .page
            .until("the second text", async |page| {
                let answers = page.answers().await;
                assert_eq!(answers.len(), 1);
                (answers[0].status == "streaming" && answers[0].text.starts_with("alfa0")).then_some(())
            })
            .await;
        stage.page.run::<()>("chat.stop(arguments[0]);", vec![reply.into()]).await;
    });
}

#[test]
fn a_route_of_the_ai_sdk_streams_into_the_page() {
    play_at("ai-sdk.mjs", "bare", &[], async |stage| {
        chat(stage, "ai-sdk", "module.aiSDK()").await;
        for question in ["conta", "think"] {
            let answer = asked_and_answered(stage, question).await;
            assert_eq!(
                (answer.status.as_str(), answer.text),
                ("completed", shown(&pieces("alfa", 20))),
                "{question}"
            );
        }
        let answer = asked_and_answered(stage, "turns").await;
        let turns = "submit-message: user=conta|assistant=alfa0·água";
        assert!(answer.text.starts_with(turns), "{}", answer.text);
        let failed = asked_and_answered(stage, "fail").await;
        assert_eq!((failed.status.as_str(), failed.text), ("error", shown(&pieces("alfa", 5))));
        assert!(failed.all.contains("the model is overloaded"), "{}", failed.all);
        // A step that the SDK takes back is taken back, and the ones before it stay.
        let reset = asked_and_answered(stage, "reset").await;
        assert_eq!((reset.status.as_str(), reset.text.as_str()), ("completed", "ficavem"));
        assert_eq!(stage.page.answers().await.len(), 5);

        let reply = send(stage, "long").await;
        streaming(stage, &reply, "alfa20").await;
        stage.page.run::<()>("chat.stop(arguments[0]);", vec![reply.clone().into()]).await;
        assert_eq!(ended(stage, &reply).await.status, "interrupted");
        stage
            .page
            .until("the server's end of it", async |page| {
                let gone: Vec<String> =
                    page.run("return fetch('/gone').then((r) => r.json());", vec![]).await;
                (gone == ["long"]).then_some(())
            })
            .await;
    });
}
