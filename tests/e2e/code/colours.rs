//! Colours of code: those of the finished text while it streams, in slices, of what is seen, and none where they fail.

use std::process::Command;

use riacho_tests::built;
use riacho_tests::stage::{Stage, play};
use riacho_tests::wild::Kind;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fenced;

/// What a line of each means depends on the lines before it.
const CODE: [(&str, &str); 4] = [
    (
        "ts",
        "/** A comment\n * of three lines. */\nexport const text: string = `a ${1 + 2}\n  b ${\"🐟\"} c`; // água\n\n\
         async function* all<T>(list: T[]): AsyncGenerator<T> {\n  for (const one of list) yield await one;\n}\n",
    ),
    (
        "python",
        "def f(x: int) -> str:\n    \"\"\"Text\n    def not_code():\n    \"\"\"\n    return f\"{x!r} rio\"  # fim\n",
    ),
    ("rs", "/* one /* two */\n still a comment */\nfn main() {\n    println!(\"{}\", r#\"a\n\"b\"\"#);\n}\n"),
    ("sh", "cat <<'END' | sort\n$not a variable\nEND\necho \"${x:-1}\" && exit 0"),
];

/// Shiki itself, on the whole text at once: `[start, end, colour]`, and those that touch with one colour as one.
fn shiki(language: &str, code: &str) -> Value {
    const SCRIPT: &str = r#"
        import { createCssVariablesTheme, createHighlighterCore } from "shiki/core";
        import { createJavaScriptRegexEngine } from "shiki/engine/javascript";
        import { bundledLanguages } from "shiki/langs";
        const [language, code] = process.argv.slice(1);
        const theme = createCssVariablesTheme({ name: "v", variablePrefix: "--riacho-code-" });
        const langs = [bundledLanguages[language]];
        const shiki = await createHighlighterCore({ themes: [theme], langs, engine: createJavaScriptRegexEngine() });
        // Without its limit of time, which would colour less on a busy machine.
        const options = { lang: language, theme: "v", tokenizeTimeLimit: 0 };
        const found = [];
        for (const { content, color, offset } of shiki.codeToTokensBase(code, options).flat()) {
            const [end, last] = [offset + content.length, found.at(-1)];
            if (color === "var(--riacho-code-foreground)") continue;
            if (last?.[1] === offset && last[2] === color) last[1] = end;
            else found.push([offset, end, color]);
        }
        console.log(JSON.stringify(found));"#;
    let modules = built::modules();
    let output = Command::new("node")
        .args(["--input-type=module", "-e", SCRIPT, "--", language, code])
        .current_dir(modules.parent().expect("node_modules is in a folder"))
        .output()
        .expect("node runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Lists are long: the first range that differs is enough.
fn same(found: &Value, expected: &Value, what: &str) {
    let (found, expected) = (found.as_array().expect("a list"), expected.as_array().expect("a list"));
    let at = (0..found.len().max(expected.len())).find(|&at| found.get(at) != expected.get(at));
    assert!(
        at.is_none(),
        "{what}: {at:?}: {:?} instead of {:?}",
        at.map(|at| found.get(at)),
        at.map(|at| expected.get(at))
    );
}

#[derive(Debug, Deserialize)]
struct Coloured {
    text: String,
    colours: Value,
    lines: Vec<String>,
    removed: Vec<String>,
    spans: usize,
    events: Vec<Value>,
}

/// Streams code in pieces, and waits for its colours.
async fn coloured(stage: &Stage, language: &str, code: &str, step: usize) -> Coloured {
    let wanted = shiki(language, code).as_array().map_or(0, Vec::len);
    let script = "
        const [text, step, wanted] = args;
        const { highlight, seen } = counted();
        const { root, markdown, events } = stream({ highlight });
        const removed = removals(root);
        await feed(markdown, text, step, 4);
        await markdown.end();
        const code = root.querySelector('pre > code');
        for (let i = 0; i < 600 && colours(code).length < wanted; i += 1) {
            await frame();
        }
        return {
            text: code.textContent, colours: colours(code), lines: seen, removed, events,
            spans: code.querySelectorAll('span').length,
        };";
    stage.run(script, vec![fenced(language, code).into(), step.into(), wanted.into()]).await
}

async fn in_one_go(stage: &Stage, language: &str, code: &str) -> Value {
    let script = "
        const [language, code] = args;
        const session = await shiki({ worker: 'vendor/shiki/worker.js' })(language);
        const lines = code.split('\\n');
        const found = [];
        let at = 0;
        (await session.lines(lines)).forEach((ranges, index) => {
            found.push(...ranges.map(({ start, end, color }) => [at + start, at + end, color]));
            at += lines[index].length + 1;
        });
        return found;";
    stage.run(script, vec![language.into(), code.into()]).await
}

fn colours_while_it_streams(kind: Kind) {
    play(kind, "code", "", async |stage| {
        for (language, code) in CODE {
            let code_text = code.trim_end_matches('\n');
            let expected = match kind {
                // WebKit's regular expressions read some patterns otherwise than those of node: Shiki in the page itself, all
                // lines in one go.
                Kind::WebKit => in_one_go(stage, language, code_text).await,
                Kind::Chromium | Kind::Firefox => shiki(language, code_text),
            };
            assert!(expected.as_array().is_some_and(|ranges| ranges.len() > 5), "{expected}");
            for step in [1, 7, 4000] {
                let found = coloured(stage, language, code, step).await;
                assert_eq!(found.text.trim_end_matches('\n'), code.trim_end_matches('\n'));
                same(&found.colours, &expected, &format!("{kind:?} {language} in steps of {step}"));
                // Once each, and in order.
                let lines: Vec<&str> = code.trim_end_matches('\n').split('\n').collect();
                assert_eq!(found.lines, lines, "{language} in steps of {step}");
                assert!(found.removed.is_empty(), "removed: {:?}", found.removed);
                assert_eq!((found.spans, found.events.len()), (0, 0), "{:?}", found.events);
            }
        }
    });
}

#[test]
fn colours_are_those_of_the_finished_text_in_chromium() {
    colours_while_it_streams(Kind::Chromium);
}

#[test]
fn colours_are_those_of_the_finished_text_in_firefox() {
    colours_while_it_streams(Kind::Firefox);
}

#[test]
fn colours_are_those_of_the_finished_text_in_webkit() {
    colours_while_it_streams(Kind::WebKit);
}

#[test]
fn without_the_highlight_api_there_are_spans_and_the_selection_stays() {
    play(Kind::Chromium, "code", "?spans", async |stage| {
        for (language, code) in CODE {
            let code = code.trim_end_matches('\n');
            let expected = shiki(language, code);
            let found = coloured(stage, language, code, 7).await;
            assert_eq!(found.text.trim_end_matches('\n'), code);
            same(&found.colours, &expected, language);
            assert!(found.spans > 5 && found.removed.iter().all(|node| node == "#text"), "{found:?}");
        }
        // Two thousand characters, so that a range crosses from one text node to the next; and part of it is selected.
        let script = "
            const { highlight } = counted();
            const { root, markdown } = stream({ highlight });
            const comment = `/* ${'água '.repeat(500)}*/`;
            markdown.push('```js\\nlet a = 1;\\n' + comment + '\\n```\\n');
            markdown.flush();
            const code = root.querySelector('code');
            while (root.querySelector('pre button') === null) {
                await frame();
            }
            const first = code.firstChild;
            getSelection().setBaseAndExtent(first, 4, first, 400);
            const before = getSelection().toString();
            await markdown.end();
            while (code.querySelector('span') === null || code.childNodes.length < 6) {
                await frame();
            }
            return [before, getSelection().toString(), code.textContent === `let a = 1;\\n${comment}\\n`];";
        let (before, after, same): (String, String, bool) = stage.run(script, vec![]).await;
        assert!(before.starts_with("a = 1;\n/* água") && same, "{before:?}");
        assert_eq!(before, after);
    });
}

#[test]
fn an_unknown_language_is_plain_and_nobody_complains() {
    play(Kind::Chromium, "code", "", async |stage| {
        let script = "
            const { highlight, seen } = counted();
            const { root, markdown, events } = stream({ highlight });
            markdown.push('```nada\\nx = 1\\n```\\n\\n```\\ny\\n```\\n\\n    z\\n\\n<pre><code class=language-js>let <b>a</b></code></pre>\\n');
            await markdown.end();
            while (root.querySelectorAll('pre button').length < 4) {
                await frame();
            }
            for (let i = 0; i < 20; i += 1) {
                await frame();
            }
            const labels = [...root.querySelectorAll('.riacho-code-language')].map((label) => label.textContent);
            const painted = [...root.querySelectorAll('code')].map((code) => colours(code).length);
            return [labels, painted, seen, events];";
        let (labels, painted, seen, events): (Vec<String>, Vec<usize>, Vec<String>, Vec<Value>) =
            stage.run(script, vec![]).await;
        assert_eq!(labels, ["nada", "", "", "js"]);
        assert_eq!(painted, [0, 0, 0, 0]);
        assert!(seen.is_empty() && events.is_empty(), "{seen:?} {events:?}");
    });
}

#[derive(Debug, Deserialize)]
struct Long {
    lines: usize,
    given: usize,
    most_shown: usize,
    shown_in_the_middle: bool,
    /// Milliseconds of the frame in the middle, with colours and without.
    frame: f64,
    frame_plain: f64,
    /// Tasks of more than 50 ms.
    long: usize,
    long_plain: usize,
}

#[test]
fn five_thousand_lines_stream_with_only_what_is_seen_on_the_page() {
    play(Kind::Chromium, "code", "", async |stage| {
        // With Shiki, and without any highlighter for comparison: in the same run, on the same machine.
        let script = "
            const line = (n) => `export const rio${n}: number[] = [${n}, 'água', ...f(${n} + 1)]; // ${n}`;
            const lines = Array.from({ length: 5000 }, (_, n) => line(n));
            const text = '```ts\\n' + lines.join('\\n') + '\\n```\\n';
            let long = 0;
            new PerformanceObserver((list) => { long += list.getEntries().length; }).observe({ entryTypes: ['longtask'] });
            const shown = () => [...CSS.highlights.values()].reduce((sum, highlight) => sum + highlight.size, 0);
            const run = async (options) => {
                const { root, markdown } = stream(options);
                long = 0;
                let most = 0;
                const frames = [];
                for (let at = 0; at < text.length; at += 2000) {
                    const began = performance.now();
                    markdown.push(text.slice(at, at + 2000));
                    await frame();
                    scrollTo(0, root.scrollHeight);
                    frames.push(performance.now() - began);
                    most = Math.max(most, shown());
                }
                await markdown.end();
                frames.sort((a, b) => a - b);
                return { root, most, frame: frames[frames.length >> 1], long };
            };
            await run({});
            const plain = await run({});
            const { highlight, seen } = counted();
            const { root, most, frame: middle, long: tasks } = await run({ highlight });
            while (seen.length < lines.length) {
                await frame();
            }
            // Wherever the reader goes, the colours are there.
            scrollTo(0, root.scrollHeight / 2);
            await frame();
            await frame();
            const code = root.querySelector('code');
            const text_there = document.caretRangeFromPoint(100, innerHeight / 2).startContainer;
            const inMiddle = [...CSS.highlights.values()].some((highlight) =>
                [...highlight].some((range) => range.startContainer === text_there));
            return {
                lines: lines.length, given: seen.length, most_shown: Math.max(most, shown()), shown_in_the_middle: inMiddle,
                frame: middle, frame_plain: plain.frame, long: tasks, long_plain: plain.long,
            };";
        let found: Long = stage.run(script, vec![]).await;
        println!(
            "the frame in the middle {} ms, {} without colours; {} tasks of more than 50 ms, {} without; {} ranges at most",
            found.frame, found.frame_plain, found.long, found.long_plain, found.most_shown,
        );
        assert_eq!(found.given, found.lines);
        assert!(found.shown_in_the_middle, "{found:?}");
        // Of some 45,000 ranges only those around the window are on the page.
        assert!(found.most_shown < 5000, "{found:?}");
        // A machine that is busy elsewhere makes any task long: held against the same text without colours.
        assert!(found.frame < 5.0 * found.frame_plain.max(10.0), "{found:?}");
    });
}

#[test]
fn a_highlighter_on_the_page_itself_works_in_slices() {
    play(Kind::Chromium, "code", "", async |stage| {
        let script = "
            let turn = 0;
            const channel = new MessageChannel();
            channel.port1.onmessage = () => { turn += 1; channel.port2.postMessage(0); };
            channel.port2.postMessage(0);
            const turns = new Map();
            const seen = [];
            const highlight = () => ({
                lines(lines) {
                    seen.push(...lines);
                    turns.set(turn, (turns.get(turn) ?? 0) + 1);
                    for (const until = performance.now() + 2; performance.now() < until;);
                    return lines.map((line) => [{ start: 0, end: line.length, color: 'rgb(1, 2, 3)' }]);
                },
            });
            const { root, markdown, events } = stream({ highlight });
            const lines = Array.from({ length: 300 }, (_, n) => `line ${n}`);
            markdown.push('```any\\n' + lines.join('\\n') + '\\n```\\n');
            await markdown.end();
            while (seen.length < lines.length) {
                await frame();
            }
            channel.port1.close();
            return [seen.join() === lines.join(), Math.max(...turns.values()), events.length];";
        let (in_order, most, events): (bool, usize, usize) = stage.run(script, vec![]).await;
        // Eight milliseconds are four lines of two; the fifth may begin just before the end.
        assert!(in_order && events == 0 && most <= 5, "{most} lines in one piece");
    });
}

#[test]
fn what_the_engine_takes_back_is_coloured_anew() {
    play(Kind::Chromium, "code", "", async |stage| {
        // As the renderer does it: first the watch is told how much stays, then the text changes. Within the line that is not
        // whole nothing is given twice; whole lines that change begin again at the top.
        let script = "
            const { Team } = await import('/riacho/code/team.js');
            const code = document.createElement('code');
            code.className = 'language-any';
            document.getElementById('root').append(code);
            const text = code.appendChild(document.createTextNode(''));
            const seen = [];
            const highlight = () => ({ lines: (lines) => lines.map((line) => {
                seen.push(line);
                return [{ start: 0, end: 1, color: line.startsWith('a') ? 'red' : 'blue' }];
            }) });
            const emit = (event) => complaints.push(event.message);
            const block = new Team({ header: false, highlight, emit }).take(code);
            const splice = (keep, more) => {
                block.cut(text, keep);
                text.deleteData(keep, text.length - keep);
                text.appendData(more);
                block.update(false);
            };
            const settled = async (count) => {
                while (seen.length < count) await frame();
                for (let i = 0; i < 3; i += 1) await frame();
                return [[...seen], colours(code)];
            };
            splice(0, 'a1\\na2\\nb``');
            const first = await settled(2);
            splice(7, '3\\na4');
            const second = await settled(3);
            splice(1, 'x\\nb\\n');
            const third = await settled(5);
            block.update(true);
            return [first, second, third, code.textContent];";
        let found: Value = stage.run(script, vec![]).await;
        assert_eq!(
            found,
            json!([
                [["a1", "a2"], [[0, 1, "red"], [3, 4, "red"]]],
                [["a1", "a2", "b3"], [[0, 1, "red"], [3, 4, "red"], [6, 7, "blue"]]],
                [["a1", "a2", "b3", "ax", "b"], [[0, 1, "red"], [3, 4, "blue"]]],
                "ax\nb\n",
            ])
        );
    });
}

#[test]
fn a_highlighter_that_fails_or_talks_nonsense_leaves_the_text_alone() {
    play(Kind::Chromium, "code", "", async |stage| {
        let script = "
            const { root, markdown, events } = stream({
                highlight: (language) => language === 'throws'
                    ? { lines: () => { throw new Error('broken'); } }
                    : { lines: (lines) => lines.map(() => [
                          { start: -5, end: 2, color: 'red' }, { start: 1, end: 99, color: 'blue' },
                          { start: 3, end: 99, color: 'red} body { display: none' }, { start: NaN, end: 4, color: 'red' },
                      ]) },
            });
            markdown.push('```throws\\na\\nb\\n```\\n\\n```throws\\nc\\n```\\n\\n```odd\\nabcdef\\nx\\n```\\n');
            await markdown.end();
            const code = root.querySelectorAll('code')[2];
            for (let i = 0; i < 600 && colours(code).length < 2; i += 1) {
                await frame();
            }
            return [events.map(({ type, language }) => [type, language]), colours(code), code.textContent];";
        let found: Value = stage.run(script, vec![]).await;
        assert_eq!(
            found,
            json!([
                [["highlight_failed", "throws"], ["highlight_failed", "throws"]],
                [[0, 2, "red"], [7, 8, "red"]],
                "abcdef\nx\n"
            ])
        );
    });
}
