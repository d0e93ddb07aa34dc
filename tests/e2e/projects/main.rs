//! The tarball in fresh projects: installed by npm, built by each tool as its manual says, and opened in Chromium.

mod guides;
mod hooks;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, Weak};

use riacho_tests::built;
use riacho_tests::node::play_with;
use riacho_tests::pack::{Folder, pack, run};
use riacho_tests::page::{Message, Page};
use riacho_tests::scene::{Setup, play};

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
