//! The place of a reader: what comes in above, at whatever moment, does not move what is being read.

use riacho_tests::scene::{Setup, play_in};
use riacho_tests::wild::Kind;

use crate::kinds::in_each_browser;

fn older_messages_come_as_one_scrolls_up_and_nothing_jumps(kind: Kind) {
    play_in(
        kind,
        Setup::default().no_provider().relay_args(&["--demo-pace", "0", "--demo-chunk", "4000"]),
        async |scene| {
            // More turns than a join describes.
            const TURNS: usize = 80;
            for n in 0..TURNS {
                scene.page.run::<()>("chat.send(arguments[0]);", vec![format!("rtl {n}").into()]).await;
                scene
                    .page
                    .until("the answer", async |page| {
                        let done =
                            "return chat.messages().filter(({ status }) => status === 'completed').length;";
                        (page.run::<usize>(done, vec![]).await == 2 * (n + 1)).then_some(())
                    })
                    .await;
            }
            // A page that knows nothing of them.
            scene
                .page
                .run::<()>(
                    "chat.close(); sessionStorage.clear(); history.scrollRestoration = 'manual';",
                    vec![],
                )
                .await;
            scene.page.reload().await;
            let count = "return globalThis.chat?.window?.count ?? 0;";
            let described: usize = scene
                .page
                .until("the newest", async |page| {
                    let count: usize = page.run(count, vec![]).await;
                    (count > 1).then_some(count)
                })
                .await;
            assert!(described < 2 * TURNS, "a join describes {described}");

            // Watches the first message in view, once its text is there.
            let watch = "const chat = document.getElementById('chat');
                const { top, bottom } = chat.getBoundingClientRect();
                const element = [...chat.querySelectorAll('[data-message-id]')].find((e) => e.getBoundingClientRect().bottom > top);
                const begins = element?.getBoundingClientRect().top;
                if (!(begins < bottom) || element.textContent.trim() === '') return false;
                const watched = { id: element.dataset.messageId, drift: 0, frames: 0 };
                window.watched = watched;
                const frame = () => {
                    if (window.watched === watched) {
                        const moved = element.getBoundingClientRect().top - begins;
                        watched.drift = Math.max(watched.drift, Math.abs(moved));
                        watched.frames += 1;
                        requestAnimationFrame(frame);
                    }
                };
                frame();
                return true;";
            let is_whole = "return [...document.querySelectorAll('[data-message-id]')].every((e) => e.textContent.trim() !== '');";
            let frames = "return window.watched.frames;";
            while scene.page.run::<usize>(count, vec![]).await < 2 * TURNS {
                let have: usize = scene.page.run(count, vec![]).await;
                scene.page.run::<()>("document.getElementById('chat').scrollTop = 40;", vec![]).await;
                scene
                    .page
                    .until("a message in view", async |page| {
                        page.run::<bool>(watch, vec![]).await.then_some(())
                    })
                    .await;
                scene
                    .page
                    .until("older ones and their text", async |page| {
                        let is_more = page.run::<usize>(count, vec![]).await > have;
                        (is_more && page.run(is_whole, vec![]).await).then_some(())
                    })
                    .await;
                let until_now: usize = scene.page.run(frames, vec![]).await;
                scene
                    .page
                    .until("some frames more", async |page| {
                        (page.run::<usize>(frames, vec![]).await > until_now + 5).then_some(())
                    })
                    .await;
                let (id, drift): (String, f64) =
                    scene.page.run("const { id, drift } = window.watched; window.watched = undefined; return [id, drift];", vec![]).await;
                assert!(drift < 2.0, "{id} moved by {drift}");
            }
            let questions =
                "return chat.messages().filter(({ role }) => role === 'user').map(({ content }) => content);";
            let expected: Vec<String> = (0..TURNS).map(|n| format!("rtl {n}")).collect();
            scene
                .page
                .until("every question", async |page| {
                    (page.run::<Vec<String>>(questions, vec![]).await == expected).then_some(())
                })
                .await;
        },
    );
}

/// In the same task, so that the page is told of both at once.
fn who_scrolls_while_text_comes_in_above_sees_only_the_own_scrolling(kind: Kind) {
    play_in(kind, Setup::default(), async |scene| {
        let play = "const [anchoring] = arguments;
            window.found = undefined;
            const next = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
            const block = (tall) => { const div = document.createElement('div'); div.style.height = `${tall}px`; return div; };
            import('./riacho/reading/index.js').then(async ({ followEnd }) => {
                const scroller = block(300);
                Object.assign(scroller.style, { overflow: 'auto', overflowAnchor: anchoring, position: 'fixed', inset: '0 0 auto 0' });
                const view = document.createElement('div');
                for (let n = 0; n < 40; n += 1) {
                    const message = block(100);
                    message.dataset.messageId = n;
                    message.style.height = 'auto';
                    message.append(block(100));
                    view.append(message);
                }
                scroller.append(view);
                document.body.append(scroller);
                const end = followEnd(scroller);
                await next();
                scroller.scrollTop = 2000;
                await next();
                const moves = [];
                const anchor = view.children[21];
                const grow = [
                    () => view.children[3].append(block(120)),
                    () => (view.children[4].firstChild.style.height = '250px'),
                    () => view.children[5].append('a line of text'),
                    () => view.prepend(block(77)),
                ];
                for (const more of grow) {
                    for (const by of [0, -30, 20]) {
                        const before = anchor.getBoundingClientRect().top;
                        scroller.scrollTop += by;
                        more();
                        await next();
                        moves.push(anchor.getBoundingClientRect().top - before + by);
                    }
                }
                const following = end.following;
                end.stop();
                scroller.remove();
                window.found = [following, moves];
            });";
        for anchoring in ["auto", "none"] {
            scene.page.run::<()>(play, vec![anchoring.into()]).await;
            let (following, moves) = scene
                .page
                .until("the end of it", async |page| {
                    page.run::<Option<(bool, Vec<f64>)>>("return window.found ?? null;", vec![]).await
                })
                .await;
            assert!(!following && moves.len() == 12, "{moves:?}");
            assert!(moves.iter().all(|moved| moved.abs() < 2.0), "overflow-anchor: {anchoring}: {moves:?}");
        }
    });
}

in_each_browser! {
    older_messages_come_as_one_scrolls_up_and_nothing_jumps,
    who_scrolls_while_text_comes_in_above_sees_only_the_own_scrolling,
}
