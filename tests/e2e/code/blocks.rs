//! Blocks that a page takes over, formulas, and what an event says of code.

use riacho_tests::stage::play;
use riacho_tests::wild::Kind;
use serde_json::{Value, json};

#[test]
fn formulas_are_katex_where_the_page_says_so_and_the_source_where_it_fails() {
    play(Kind::Chromium, "code", "", async |stage| {
        let script = "
            const { default: katex } = await import('/vendor/katex/katex.js');
            const calls = [];
            const math = ({ text, finished, language, display, element }) => {
                calls.push([text.trim(), finished, language, display, element.isConnected]);
                if (finished) {
                    katex.render(text, element, { displayMode: display, output: 'mathml', throwOnError: true });
                }
            };
            const { root, markdown, events } = stream({ blocks: { math } });
            await feed(markdown, 'Um $x^2$ e $$\\\\frac{1}{2}$$ custam $5, ou $6.\\n\\n```math\\na_1 + b\\n```\\n\\nE $\\\\nada$ não.\\n', 3, 1);
            await markdown.end();
            while (root.querySelectorAll('math').length < 3 || events.length < 1) {
                await frame();
            }
            const seen = [...root.querySelectorAll('.math, pre')].map((source) => {
                const element = source.querySelector('.riacho-block');
                const cover = source.localName === 'pre' ? source.querySelector('code') : element.previousSibling;
                return [cover.textContent.trim(), cover.checkVisibility(), element.checkVisibility()];
            });
            const last = new Map(calls.map((call) => [call[0], call.slice(1)]));
            return [seen, events.map(({ type, message }) => [type, message.slice(0, 40)]), [...last], root.querySelector('[style]') === null];";
        let found: Value = stage.run(script, vec![]).await;
        assert_eq!(
            found[0],
            json!([
                ["x^2", false, true],
                ["\\frac{1}{2}", false, true],
                ["a_1 + b", false, true],
                ["\\nada", true, false],
            ])
        );
        assert_eq!(
            found[1],
            json!([["block_failed", "KaTeX parse error: Undefined control sequence: \\nada"[..40]]])
        );
        let last = found[2].as_array().expect("a list");
        assert!(last.contains(&json!(["x^2", [true, "math", false, true]])), "{last:?}");
        assert!(last.contains(&json!(["a_1 + b", [true, "math", true, true]])), "{last:?}");
        assert_eq!(found[3], true);
    });
}

#[test]
fn a_block_of_the_pages_is_called_once_a_frame_and_cleaned_up() {
    play(Kind::Chromium, "code", "", async |stage| {
        let script = "
            const log = [];
            const perFrame = new Map();
            let frames = 0;
            const count = () => { frames += 1; requestAnimationFrame(count); };
            requestAnimationFrame(count);
            const chart = ({ text, finished, element, messageId }) => {
                perFrame.set(frames, (perFrame.get(frames) ?? 0) + 1);
                if (!finished && text.includes('throw')) {
                    throw new Error('half a chart');
                }
                element.textContent = `${text.length} ${finished} ${messageId}`;
                log.push('drawn');
                return () => log.push('cleaned');
            };
            const chat = new ChatClient({ root: document.getElementById('root'), storageKey: null, blocks: { chart } });
            const events = [];
            chat.on('*', (event) => events.push(event.type));
            chat.open('c');
            const say = (content) => chat.handle({ type: 'message_chunk', conversation_id: 'c', message_id: 'a', content });
            say('```chart\\n');
            for (const piece of ['um\\n', 'dois\\n', 'throw\\n', 'quatro\\n']) {
                for (const one of piece) {
                    say(one);
                }
                await frame();
            }
            say('```\\n');
            chat.handle({ type: 'response_complete', message_id: 'a' });
            const shown = () => document.querySelector('.riacho-block')?.textContent;
            while (shown() !== '21 true a') {
                await frame();
            }
            await frame();
            const code = document.querySelector('pre > code');
            const state = [code.checkVisibility(), code.textContent];
            const before = log.filter((word) => word === 'cleaned').length;
            const drawn = log.filter((word) => word === 'drawn').length;
            chat.open('d');
            await frame();
            const after = log.filter((word) => word === 'cleaned').length;
            chat.close();
            return [state, Math.max(...perFrame.values()), before - drawn, after - drawn, events.includes('block_failed')];";
        let found: Value = stage.run(script, vec![]).await;
        assert_eq!(found, json!([[false, "um\ndois\nthrow\nquatro\n"], 1, -1, 0, false]));
    });
}

#[test]
fn a_chunk_says_where_it_is_and_whether_that_is_in_code() {
    play(Kind::Chromium, "code", "", async |stage| {
        let script = "
            const chat = new ChatClient({ root: document.getElementById('root'), storageKey: null });
            const chunks = [];
            chat.on('chunk', ({ epoch, kind, offset, length, text, inCode, language }) =>
                chunks.push([epoch, kind, offset, length, text, inCode, language ?? null]));
            chat.open('c');
            for (const content of args[0]) {
                chat.handle({ type: 'message_chunk', conversation_id: 'c', message_id: 'a', content });
            }
            // The screen does not matter: what is elsewhere is told the same.
            chat.open('d');
            chat.handle({ type: 'message_chunk', conversation_id: 'c', message_id: 'a', content: '```py\\n' });
            await frame();
            chat.close();
            return chunks;";
        let pieces = json!(["Olá\n\n", "```ru", "st\nfn", " main", "\n``", "`\nfim\n"]);
        let found: Value = stage.run(script, vec![pieces]).await;
        assert_eq!(
            found,
            json!([
                [0, "text", 0, 6, "Olá\n\n", false, null],
                [0, "text", 6, 11, "```ru", true, null],
                [0, "text", 11, 16, "st\nfn", true, "rust"],
                [0, "text", 16, 21, " main", true, "rust"],
                [0, "text", 21, 24, "\n``", true, "rust"],
                [0, "text", 24, 30, "`\nfim\n", false, null],
                [0, "text", 30, 36, "```py\n", true, "py"],
            ])
        );
    });
}
