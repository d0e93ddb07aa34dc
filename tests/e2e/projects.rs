//! The tarball in fresh projects: installed by npm, built by each tool as its manual says, and opened in Chromium.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, Weak};

use riacho_tests::built;
use riacho_tests::node::play_with;
use riacho_tests::pack::{Folder, pack, run};
use riacho_tests::page::{Message, Page};
use riacho_tests::scene::{Setup, play};
use serde_json::{Value, json};
use thirtyfour::cdp::Cdp;

/// A folder with every consumer and one `node_modules`: the tools, and the package as npm installed it.
struct Project(Folder);

impl Project {
    /// The tests share one; the last to end takes it away.
    fn get() -> Arc<Project> {
        static SHARED: Mutex<Weak<Project>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap();
        if let Some(project) = shared.upgrade() {
            return project;
        }
        let project = Arc::new(Project::make());
        *shared = Arc::downgrade(&project);
        project
    }

    fn make() -> Project {
        let folder = Folder::make("projects");
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("consumers");
        let copy = "cp -r package.json package-lock.json */ \"$0\"; cp -al \"$1\" \"$0/node_modules\" || cp -a \"$1\" \"$0/node_modules\"";
        let mut sh = Command::new("sh");
        sh.args(["-c", &format!("rm -f node_modules; {copy}")]).arg(&folder.0).arg(built::consumers());
        run(&mut sh, &sources);
        let tarball = pack(&folder.0);
        let mut npm = Command::new(built::npm());
        npm.args([
            "install",
            "--offline",
            "--no-save",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--silent",
        ])
        .arg(tarball);
        run(&mut npm, &folder.0);
        Project(folder)
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.0.join(path)
    }

    /// Runs a tool of node_modules in one of the consumers.
    fn tool(&self, consumer: &str, name: &str, args: &[&str]) -> String {
        run(Command::new(self.at("node_modules/.bin").join(name)).args(args), &self.at(consumer))
    }

    /// A folder with these files, and the package where npm puts it.
    fn site(&self, name: &str, files: &[(&str, &str)]) -> Folder {
        let site = Folder::make(name);
        for (file, text) in files {
            fs::write(site.0.join(file), text).unwrap();
        }
        fs::create_dir_all(site.0.join("node_modules")).unwrap();
        run(Command::new("cp").arg("-r").arg(self.at("node_modules/riacho")).arg("node_modules"), &site.0);
        site
    }

    fn page_into(&self, consumer: &str, dist: &str) -> PathBuf {
        fs::copy(self.at(consumer).join("index.html"), self.at(consumer).join(dist).join("index.html"))
            .unwrap();
        self.at(consumer).join(dist)
    }
}

/// At the relay, with the provider that is embedded in it; slow enough to be seen streaming.
fn at_the_relay(site: PathBuf) -> Setup {
    Setup::default()
        .site(site)
        .no_provider()
        .relay_args(&["--demo-pace", "10", "--demo-chunk", "24"])
        // None of these pages has an icon, and the browser says so.
        .console_says("favicon.ico")
}

/// Asks, and sees the answer stream and end, with what the second wasm module makes of raw HTML.
async fn shows_a_streamed_answer(page: &Page, chat: &str) {
    page.until("the client", async |page| {
        page.run::<bool>(&format!("return Boolean({chat});"), vec![]).await.then_some(())
    })
    .await;
    page.run::<()>(&format!("({chat}).send('Olá');"), vec![]).await;
    let streaming = page.answer("the first text", |answer| !answer.text.is_empty()).await;
    let answer = page.answer("the end", |answer| answer.status == "completed").await;
    assert_eq!((streaming.id.as_str(), streaming.status.as_str()), (answer.id.as_str(), "streaming"));
    assert!(answer.text.len() > 500 && answer.text.len() > streaming.text.len(), "{answer:?}");
    let found: Vec<bool> = page
        .run(
            "const content = document.querySelector('[data-role=assistant] .message-content');
             return ['h2', 'pre code', 'table td', 'details summary, kbd, sub, mark'].map((css) => content.querySelector(css) !== null);",
            vec![],
        )
        .await;
    assert_eq!(found, [true; 4], "headings, code, a table, raw HTML");
}

#[test]
fn a_plain_page_needs_no_bundler() {
    let project = Project::get();
    let site = Folder::make("plain-site");
    let mut sh = Command::new("sh");
    sh.args([
        "-c",
        "mkdir \"$0/node_modules\"; cp plain/* \"$0\"; cp -r node_modules/riacho \"$0/node_modules\"",
    ])
    .arg(&site.0);
    run(&mut sh, &project.at(""));
    play(at_the_relay(site.0.clone()), async |scene| {
        shows_a_streamed_answer(&scene.page, "globalThis.chat").await;
    });
}

/// The first page of HTML and the first script of a guide.
fn pasted(guide: &str) -> (String, String) {
    let fence = |kind: &str| {
        let (_, rest) = guide.split_once(&format!("\n```{kind}\n")).unwrap();
        rest.split_once("\n```").unwrap().0.to_owned()
    };
    (fence("html"), fence("js"))
}

/// What stands in README is what a newcomer pastes, in either language.
#[test]
fn the_first_page_of_readme_works_as_it_stands() {
    let project = Project::get();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let first = |readme: &str| pasted(&fs::read_to_string(root.join(readme)).unwrap());
    let (html, script) = first("README.md");
    assert_eq!(first("README.pt-BR.md"), (html.clone(), script.clone()));
    let site = project.site("readme-site", &[("index.html", &html), ("chat.js", &script)]);
    play(at_the_relay(site.0.clone()), async |scene| {
        let answer = scene.page.answer("the end", |answer| answer.status == "completed").await;
        assert!(answer.text.len() > 500, "{answer:?}");
    });
}

#[test]
fn the_renderer_alone_works_as_the_guide_has_it() {
    let project = Project::get();
    let guide = include_str!("../../docs/PAGE.md");
    let (html, script) = pasted(guide.split_once("## Only the renderer").unwrap().1);
    let files = [
        ("index.html", html.as_str()),
        ("answer.js", script.as_str()),
        ("answer", "# Rio\n\n| a |\n|---|\n| b |\n"),
    ];
    let site = project.site("renderer-site", &files);
    play(at_the_relay(site.0.clone()), async |scene| {
        // What the style sheet makes of it, too: a table has lines.
        let line = "const cell = document.querySelector('#answer h1 ~ table td');
            return cell === null ? '' : getComputedStyle(cell).borderTopStyle;";
        let page = &scene.page;
        page.until("the table", async |page| {
            (page.run::<String>(line, vec![]).await == "solid").then_some(())
        })
        .await;
    });
}

#[test]
fn esbuild_is_told_where_the_wasm_is() {
    let project = Project::get();
    let args = [
        "main.js",
        "--bundle",
        "--format=esm",
        "--splitting",
        "--minify",
        "--outdir=dist",
        "--loader:.wasm=file",
    ];
    project.tool("esbuild", "esbuild", &args);
    play(at_the_relay(project.page_into("esbuild", "dist")), async |scene| {
        shows_a_streamed_answer(&scene.page, "globalThis.chat").await;
    });
}

#[test]
fn webpack_finds_the_wasm_and_keeps_the_element() {
    let project = Project::get();
    project.tool("webpack", "webpack", &[]);
    play(at_the_relay(project.page_into("webpack", "dist")), async |scene| {
        shows_a_streamed_answer(&scene.page, "document.querySelector('riacho-chat').chat").await;
    });
}

/// What a tool wrote: the names of all files, and the text of the scripts.
fn written(folder: &Path) -> (Vec<String>, String) {
    let (mut names, mut scripts) = (Vec::new(), String::new());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let (inner, text) = written(&path);
            names.extend(inner);
            scripts.push_str(&text);
        } else {
            names.push(path.file_name().unwrap().to_string_lossy().into_owned());
            if path.extension().is_some_and(|extension| extension == "js") {
                scripts.push_str(&fs::read_to_string(&path).unwrap());
            }
        }
    }
    (names, scripts)
}

/// Whether a script of those that were written has the chat: the words of its class, or the name of its wasm.
fn has_a_chat(folder: &Path) -> bool {
    let (names, scripts) = written(folder);
    assert!(names.iter().any(|name| name.ends_with(".js")), "{names:?}");
    scripts.contains("ChatClient") || scripts.contains("riacho_client")
}

#[test]
fn a_project_that_only_renders_has_no_chat_in_it() {
    let project = Project::get();
    let at = |folder: &str| project.at("markdown").join(folder);
    let esbuild = |consumer: &str, script: &str, out: &str| {
        let out = format!("--outdir={}", at(out).display());
        let more = ["--bundle", "--format=esm", "--splitting", "--minify", "--loader:.wasm=file"];
        project.tool(consumer, "esbuild", &[&[script, &out], &more[..]].concat());
    };
    esbuild("esbuild", "main.js", "control");
    assert!(has_a_chat(&at("control")));

    let page = fs::read_to_string(at("index.html")).unwrap();
    // By the entry, and by leaving out what is not imported.
    for name in ["main", "shaken"] {
        esbuild("markdown", &format!("{name}.js"), &format!("esbuild-{name}"));
        assert!(!has_a_chat(&at(&format!("esbuild-{name}"))), "esbuild, {name}");

        let (env, out) = (format!("name={name}"), format!("webpack-{name}"));
        project.tool("markdown", "webpack", &["--env", &env, "-o", &out]);
        assert!(!has_a_chat(&at(&out)), "webpack, {name}");

        let out = format!("vite-{name}");
        fs::write(at("index.html"), page.replace("main.js", &format!("{name}.js"))).unwrap();
        project.tool("markdown", "vite", &["build", "--logLevel", "warn", "--outDir", &out]);
        assert!(!has_a_chat(&at(&out)), "vite, {name}");
    }

    // Vite writes a file for each address that it reads, even of what it leaves out then.
    for folder in ["esbuild-main", "webpack-main", "vite-main"] {
        let (names, _) = written(&at(folder));
        assert!(!names.iter().any(|name| name.contains("client")), "{folder}: {names:?}");
    }

    for site in ["webpack-main", "vite-main"] {
        if !at(site).join("index.html").is_file() {
            fs::write(at(site).join("index.html"), &page).unwrap();
        }
        play(at_the_relay(at(site)), async |scene| {
            let page = &scene.page;
            page.until("the package", async |page| {
                page.run::<bool>("return 'write' in globalThis;", vec![]).await.then_some(())
            })
            .await;
            let script = "return write('# Rio\\n\\n**a** <kbd>b</kbd>\\n').then(() =>
                ['h1', 'p strong', 'p kbd'].map((css) => document.querySelector(`#answer ${css}`) !== null));";
            assert_eq!(page.run::<Vec<bool>>(script, vec![]).await, [true; 3], "{site}");
        });
    }
}

/// Objects of this prototype that are alive after a collection.
async fn alive(page: &Cdp, prototype: &str) -> u64 {
    page.send_raw("HeapProfiler.enable", json!({})).await.unwrap();
    page.send_raw("HeapProfiler.collectGarbage", json!({})).await.unwrap();
    let call = |name: &'static str, args: Value| page.send_raw(name, args);
    let prototype = call("Runtime.evaluate", json!({"expression": prototype})).await.unwrap();
    let id = &prototype["result"]["objectId"];
    let found = call("Runtime.queryObjects", json!({"prototypeObjectId": id})).await.unwrap();
    let count = json!({
        "objectId": found["objects"]["objectId"], "functionDeclaration": "function () { return this.length; }",
        "returnByValue": true,
    });
    call("Runtime.callFunctionOn", count).await.unwrap()["result"]["value"].as_u64().unwrap()
}

#[test]
fn vite_finds_the_wasm_and_react_mounts_twice_without_a_trace() {
    let project = Project::get();
    project.tool("vite", "vite", &["build", "--logLevel", "warn"]);
    play(at_the_relay(project.at("vite/dist")), async |scene| {
        let page = &scene.page;
        // It was mounted, taken away and mounted in strict mode: one socket is open, one client alive.
        shows_a_streamed_answer(page, "globalThis.hook?.client() && hook").await;
        let state: Vec<String> = page
            .run("return ['state', 'count'].map((id) => document.getElementById(id).textContent);", vec![])
            .await;
        assert_eq!(state, ["ready", "2"]);
        assert_eq!(scene.link.opened(), 1);

        page.run::<()>("globalThis.prototype = hook.client().constructor.prototype;", vec![]).await;
        for times in 0..20 {
            page.run::<()>(
                &format!("write({{ text: 'a **b** {times}', done: true }}); show(false);"),
                vec![],
            )
            .await;
            page.until("nothing", async |page| page.messages().await.is_empty().then_some(())).await;
            page.run::<()>("show(true);", vec![]).await;
            page.until("the conversation again", async |page| {
                (page.answers().await.first()?.status == "completed").then_some(())
            })
            .await;
            assert_eq!(page.messages().await.len(), 2);
        }
        let tools = scene.browser.driver.cdp();
        let clients = alive(&tools, "prototype").await;
        assert!(clients <= 2, "{clients} clients are alive after 21 mounts, one of them on screen");

        // Text that goes on is appended, text that is another starts over, and the end is final.
        let shown = "return document.getElementById('text').textContent;";
        for (text, done, expected) in [
            ("um **do", false, "um do"),
            ("um **dois**", false, "um dois"),
            ("três", true, "três"),
            ("quatro", true, "quatro"),
        ] {
            page.run::<()>("write(arguments[0]);", vec![json!({"text": text, "done": done})]).await;
            page.until(expected, async |page| {
                (page.run::<String>(shown, vec![]).await.trim() == expected).then_some(())
            })
            .await;
        }
    });
}

#[test]
fn a_hook_says_that_an_answer_failed_until_the_reader_goes_on() {
    let project = Project::get();
    project.tool("vite", "vite", &["build", "--logLevel", "warn", "--outDir", "dist-failed"]);
    play(at_the_relay(project.at("vite/dist-failed")), async |scene| {
        let page = &scene.page;
        let until = async |state: &str, code: Option<&str>| {
            page.until(state, async |page| {
                let found: (Option<String>, Option<String>) =
                    page.run("return [globalThis.hook?.status, globalThis.hook?.error?.code];", vec![]).await;
                (found.0.as_deref() == Some(state) && found.1.as_deref() == code).then_some(())
            })
            .await;
        };
        until("ready", None).await;
        page.run::<()>("hook.send('error');", vec![]).await;
        until("error", Some("provider_failed")).await;
        page.run::<()>("hook.send('Olá');", vec![]).await;
        until("streaming", None).await;
        until("ready", None).await;

        // Another conversation is another story, and so is none: that is a new one.
        page.run::<()>("hook.send('error');", vec![]).await;
        until("error", Some("provider_failed")).await;
        let first: String = page.run("return hook.conversationId;", vec![]).await;
        page.run::<()>("open(undefined);", vec![]).await;
        until("ready", None).await;
        let second: String = page.run("return hook.conversationId;", vec![]).await;
        assert_ne!(first, second);
        assert!(page.messages().await.is_empty());
        page.run::<()>("open(arguments[0]);", vec![first.into()]).await;
        page.until("the failed answer", async |page| (page.messages().await.len() == 6).then_some(())).await;
        until("error", Some("provider_failed")).await;
        // Also to a client that did not see it fail.
        page.run::<()>("show(false); globalThis.hook = undefined;", vec![]).await;
        page.until("nothing", async |page| page.messages().await.is_empty().then_some(())).await;
        page.run::<()>("show(true);", vec![]).await;
        until("error", Some("provider_failed")).await;
    });
}

#[test]
fn a_hook_with_a_window_keeps_what_is_near_and_takes_pace_and_words_as_they_change() {
    let project = Project::get();
    project.tool("vite", "vite", &["build", "--logLevel", "warn", "--outDir", "dist-long"]);
    play(at_the_relay(project.at("vite/dist-long")), async |scene| {
        let page = &scene.page;
        page.until("the page", async |page| {
            page.run::<bool>("return globalThis.lengthen !== undefined;", vec![]).await.then_some(())
        })
        .await;
        page.run::<()>("show(false); lengthen({ stopped: 'Parado.' });", vec![]).await;
        page.until("the client", async |page| {
            page.run::<bool>("return Boolean(globalThis.long?.client());", vec![]).await.then_some(())
        })
        .await;
        let fill = "for (let n = 0; n < 300; n += 1) {
                const message_id = `message-${n}`;
                long.client().handle({ type: 'message_started', message_id, role: n % 2 ? 'assistant' : 'user' });
                long.client().handle({ type: 'message_chunk', message_id, content: `Message ${n}.\n\nIt goes on.` });
                long.client().handle({ type: 'response_complete', message_id });
            }";
        page.run::<()>(fill, vec![]).await;
        let shows = async |top: f64, n: usize| {
            let id = format!("message-{n}");
            page.until(&id, async |page| {
                page.run::<()>(
                    "document.getElementById('scroller').scrollTop = arguments[0];",
                    vec![top.into()],
                )
                .await;
                let messages = page.messages().await;
                assert!(messages.len() < 160, "{} elements", messages.len());
                messages.iter().any(|message| message.id == id).then_some(())
            })
            .await;
        };
        shows(1e9, 299).await;
        shows(0.0, 0).await;
        shows(1e9, 299).await;

        // Other words and another pace hold from then on, for the same client.
        page.run::<()>(
            "window.client = long.client();
             client.handle({ type: 'message_started', message_id: 'message-300', role: 'assistant' });
             client.handle({ type: 'message_chunk', message_id: 'message-300', content: 'a' });
             client.stop('message-300');",
            vec![],
        )
        .await;
        let says = async |words: &str| {
            page.until(words, async |page| {
                let last = page.messages().await.pop()?;
                (last.id == "message-300" && last.all.contains(words)).then_some(())
            })
            .await;
        };
        says("Parado.").await;
        page.run::<()>("lengthen({ stopped: 'Stopped, as you wished.', pace: 5 });", vec![]).await;
        says("Stopped, as you wished.").await;
        page.run::<()>(
            "client.handle({ type: 'message_started', message_id: 'message-301', role: 'assistant' });
             client.handle({ type: 'message_chunk', message_id: 'message-301', content: 'slowly '.repeat(200) });
             client.handle({ type: 'response_complete', message_id: 'message-301' });",
            vec![],
        )
        .await;
        let last = async || page.messages().await.pop().unwrap();
        page.until("a beginning", async |_| last().await.text.starts_with("slo").then_some(())).await;
        assert_eq!(last().await.status, "streaming", "it is shown at the pace that was asked for");
        page.run::<()>("lengthen({ stopped: '' });", vec![]).await;
        page.until("the end", async |_| (last().await.status == "completed").then_some(())).await;
        assert!(page.run::<bool>("return long.client() === client;", vec![]).await);
    });
}

#[test]
fn next_renders_on_the_server_and_streams_from_a_route_of_its_own() {
    let project = Project::get();
    project.tool("next", "next", &["build"]);
    let mut command = Command::new(project.at("node_modules/.bin/next"));
    command.args(["start", "--hostname", "127.0.0.1", "--port", "0"]).current_dir(project.at("next"));
    command.env("NEXT_TELEMETRY_DISABLED", "1");
    // It has no icon, and says so.
    play_with(&mut command, "Local:", &["favicon.ico"], async |stage| {
        let page = &stage.page;
        let server: String = page.run("return document.getElementById('server').textContent;", vec![]).await;
        assert_eq!(server, "function");
        page.until("the client", async |page| {
            page.run::<bool>("return Boolean(globalThis.hook?.client());", vec![]).await.then_some(())
        })
        .await;
        page.press("Send").await;
        let streaming = page.answer("the first text", |answer| !answer.text.is_empty()).await;
        // The second wasm module comes when it is wanted: until then a tag is text.
        let is_whole = |answer: &Message| answer.status == "completed" && !answer.text.contains('<');
        let answer = page.answer("the end", is_whole).await;
        assert_eq!((streaming.id.as_str(), streaming.status.as_str()), (answer.id.as_str(), "streaming"));
        let words: String = answer.text.split_whitespace().collect();
        assert_eq!(words, "Vocêdisse:Contaumdoisfim");
        let text: String =
            page.run("return document.getElementById('text').textContent.trim();", vec![]).await;
        assert_eq!(text, "um");
    });
}

#[test]
fn a_strict_typescript_project_compiles() {
    let project = Project::get();
    project.tool("types", "tsc", &["-p", "."]);
}

/// What holds snippets that a page's author copies.
const GUIDES: [&str; 9] = [
    "docs/PAGE.md",
    "docs/CODE.md",
    "docs/READING.md",
    "docs/SECURITY.md",
    "docs/ACCESSIBILITY.md",
    "docs/MEASURE.md",
    "README.md",
    "README.pt-BR.md",
    "pkg/README.md",
];

/// The TypeScript of a guide, snippet by snippet: each stands by itself, as somebody would paste it.
fn snippets(guide: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = guide;
    while let Some((_, after)) = rest.split_once("\n```") {
        let (kind, body) = after.split_once('\n').unwrap();
        let (code, next) = body.split_once("\n```").unwrap();
        if let "ts" | "tsx" | "js" = kind.trim() {
            found.push((kind.trim(), code));
        }
        rest = next;
    }
    found
}

#[test]
fn every_snippet_of_the_guides_compiles_under_strict() {
    let project = Project::get();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    // What a page has of its own, and what bundlers make of a file.
    let surroundings = "declare const answer: AsyncIterable<string>;\n\
        declare const root: HTMLElement, element: HTMLElement, scroller: HTMLElement, hiddenElement: HTMLElement;\n\
        declare const backButton: HTMLButtonElement, messageId: string;\n\
        declare const chat: import(\"riacho\").ChatClient;\n\
        declare function draw(element: HTMLElement, source: string): { destroy(): void };\n\
        declare module \"katex\";\n\
        declare module \"*.wasm\" { const url: string; export default url; }\n";
    // JavaScript is checked too, but takes what may be null for granted.
    let lenient = json!({
        "allowJs": true, "checkJs": true, "strict": false, "exactOptionalPropertyTypes": false,
        // As a server gives it out.
        "paths": {"/node_modules/riacho/*": ["../node_modules/riacho/*"]},
    });
    for (folder, kinds, options) in [("typed", ["ts", "tsx"], json!({})), ("untyped", ["js", "mjs"], lenient)]
    {
        let at = project.at(folder);
        fs::create_dir_all(&at).unwrap();
        fs::write(at.join("surroundings.d.ts"), surroundings).unwrap();
        let mut files = vec!["surroundings.d.ts".to_owned()];
        for guide in GUIDES {
            let text = fs::read_to_string(root.join(guide)).unwrap();
            for (n, (kind, code)) in snippets(&text).into_iter().enumerate() {
                if kinds.contains(&kind) {
                    let file = format!("{}-{n}.{kind}", guide.replace(['/', '.'], "-"));
                    fs::write(at.join(&file), format!("{code}\nexport {{}};\n")).unwrap();
                    files.push(file);
                }
            }
        }
        assert!(files.len() > 2, "{files:?}");
        let config = json!({"extends": "../types/tsconfig.json", "compilerOptions": options, "files": files});
        fs::write(at.join("tsconfig.json"), config.to_string()).unwrap();
        project.tool(folder, "tsc", &["-p", "."]);
    }
}
