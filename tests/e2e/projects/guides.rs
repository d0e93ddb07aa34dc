//! What stands in the guides, pasted into fresh projects: pages work as they stand, and snippets compile.

use std::fs;
use std::path::Path;

use riacho_tests::scene::play;
use serde_json::json;

use crate::{Project, at_the_relay};

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
    let guide = include_str!("../../../docs/PAGE.md");
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
