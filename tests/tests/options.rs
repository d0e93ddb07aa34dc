//! What a page passes in, and what the package's JavaScript says, against the types: read from the sources, both ways.

use std::collections::BTreeSet;
use std::path::Path;

fn source(path: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn set<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

/// The names in a list of strings that begins behind `start`.
fn strings(text: &str, start: &str) -> BTreeSet<String> {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("no {start:?}"));
    let list = rest.split_once(']').unwrap().0;
    set(list.split('"').skip(1).step_by(2))
}

/// The fields of an interface: lines that begin a member, two spaces in.
fn fields(types: &str, interface: &str) -> BTreeSet<String> {
    let (_, rest) = types.split_once(interface).unwrap_or_else(|| panic!("no {interface:?}"));
    let body = rest.split_once("\n}").unwrap().0;
    let names = body.lines().filter_map(|line| line.strip_prefix("  ")?.split_once(':'));
    let names = names.map(|(name, _)| name.trim_end_matches('?'));
    set(names.filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')))
}

/// The getters of a type that the wasm reads.
fn getters(exports: &str, type_name: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (before, _) in exports.match_indices(&format!("(this: &{type_name})")) {
        let before = &exports[..before];
        let name = before.rsplit_once("fn ").unwrap().1;
        let attribute = before.rsplit_once("#[wasm_bindgen").unwrap().1;
        let renamed = attribute.split_once("js_name = ").map(|(_, name)| name.split_once(')').unwrap().0);
        names.insert(renamed.unwrap_or(name).to_owned());
    }
    assert!(!names.is_empty(), "no getters of {type_name}");
    names
}

/// `NAME` of each `options.NAME` in a script.
fn options_read(script: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, word) in script.match_indices("options.").chain(script.match_indices("options?.")) {
        let is_local = !script[..at].ends_with(['#', '.']) && !script[..at].ends_with(char::is_alphanumeric);
        let rest = &script[at + word.len()..];
        let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        if is_local {
            names.insert(rest[..end].to_owned());
        }
    }
    names
}

#[test]
fn the_options_of_a_chat_are_those_that_are_read() {
    let types = source("pkg/index.d.ts");
    let chat = source("pkg/src/chat.js");
    let constructor = chat.split_once("constructor(options)").unwrap().1.split_once("\n  }\n").unwrap().0;
    let mut read = options_read(constructor);
    let watch = source("pkg/src/watch.js");
    let (of_code, _) = watch.split_once("} = options;").unwrap();
    let of_code = of_code.rsplit_once("const {").unwrap().1.split(',');
    read.extend(set(of_code.map(|name| name.trim().split(' ').next().unwrap())));
    let mut typed = fields(&types, "export interface ChatOptions");
    typed.extend(fields(&types, "export interface CodeOptions"));
    assert_eq!(typed, read, "on the left what is typed, on the right what the wrapper reads");
    // The wasm gets those of them that it knows, and what the wrapper makes.
    let getters = getters(&source("wasm/client/src/edge/exports.rs"), "ChatOptions");
    let made = set(["emit", "drawings", "tape"]);
    let passed_on: BTreeSet<_> = getters.difference(&made).cloned().collect();
    assert!(passed_on.is_subset(&typed), "{passed_on:?}");
}

#[test]
fn the_options_of_a_message_are_those_that_the_wasm_reads() {
    let read = getters(&source("wasm/client/src/edge/exports.rs"), "SendOptions");
    assert_eq!(fields(&source("pkg/index.d.ts"), "export interface SendOptions"), read);
    assert_eq!(strings(&source("pkg/debug/recorder.js"), "const SEND = ["), read);
}

#[test]
fn every_field_of_a_foreign_event_is_read_and_recorded() {
    let foreign = source("wasm/client/src/core/foreign.rs");
    let foreign = foreign.split_once("#[cfg(test)]").unwrap().0;
    // What is asked of the members of the object, in all its spellings.
    let mut read = BTreeSet::new();
    for (at, call) in foreign.match_indices("either(members, &[").chain(foreign.match_indices("(members, &["))
    {
        read.extend(set(foreign[at + call.len()..].split_once(']').unwrap().0.split('"').skip(1).step_by(2)));
    }
    for (at, call) in foreign.match_indices("(\"") {
        if foreign[..at].ends_with("field") || foreign[..at].ends_with('>') {
            read.insert(foreign[at + call.len()..].split_once('"').unwrap().0.to_owned());
        }
    }
    assert_eq!(strings(&source("pkg/debug/recorder.js"), "const EVENT = ["), read, "recorded, and read");
    let typed = fields(&source("pkg/index.d.ts"), "export interface ForeignEvent");
    assert!(typed.len() > 10 && typed.is_subset(&read), "{typed:?}");
}

#[test]
fn every_call_that_changes_something_is_recorded() {
    let exports = source("wasm/src/edge/exports.rs") + &source("wasm/client/src/edge/exports.rs");
    let recorder = source("pkg/debug/recorder.js");
    for (class, key, reads) in [
        (
            "Chat",
            "chat: [",
            set(["conversationId", "window", "parts", "text", "messages", "debug", "containers", "play"]),
        ),
        // `pushShort` is for the wasm's own object; what is recorded gets text.
        ("Markdown", "markdown: [", set(["text", "play", "pushShort"])),
    ] {
        let (_, body) = exports.split_once(&format!("#[wasm_bindgen]\nimpl {class} {{")).unwrap();
        let body = body.split_once("\n}\n").unwrap().0;
        let mut calls = BTreeSet::new();
        for (at, start) in body.match_indices("    pub fn ") {
            let name = body[at + start.len()..].split_once('(').unwrap().0;
            let above = body[..at].rsplit_once("\n\n").map_or(&body[..at], |(_, above)| above);
            let renamed = above.split_once("js_name = ").map(|(_, name)| name.split_once(')').unwrap().0);
            calls.insert(renamed.unwrap_or(name).to_owned());
        }
        calls.remove("new");
        let calls: BTreeSet<_> = calls.difference(&reads).cloned().collect();
        assert_eq!(strings(&recorder, key), calls, "{class}: recorded, and exported");
    }
}

/// The members of the type `CodeEvent`, and every `emit({ type: "…", … })` of the scripts.
#[test]
fn events_of_code_have_the_fields_of_their_types() {
    let types = source("pkg/index.d.ts");
    let union = types.split_once("export type CodeEvent =").unwrap().1.split_once("};\n").unwrap().0;
    let mut typed = BTreeSet::new();
    for member in union.split("| {").skip(1) {
        let mut names = BTreeSet::new();
        for field in member.trim().trim_end_matches('}').split(';').filter(|field| field.contains(':')) {
            let (name, kind) = field.split_once(':').unwrap();
            let is_type = name.trim() == "type";
            names.insert(if is_type {
                kind.trim().to_owned()
            } else {
                name.trim().trim_end_matches('?').to_owned()
            });
        }
        typed.insert(names);
    }
    let mut said = BTreeSet::new();
    for file in ["code/custom.js", "code/header.js", "code/lines.js", "src/watch.js"] {
        let script = source(&format!("pkg/{file}"));
        for (at, start) in script.match_indices("{ type: \"") {
            // What is emitted, or kept for that.
            let start = &start[..1];
            let mut depth = 0;
            let rest = &script[at + start.len()..];
            let end = rest.find(|c: char| {
                depth += match c {
                    '{' | '(' => 1,
                    '}' | ')' => -1,
                    _ => 0,
                };
                depth < 0
            });
            let names = rest[..end.unwrap()].split(", ").map(|field| {
                let (name, value) = field.trim().split_once(':').unwrap_or((field.trim(), ""));
                if name == "type" { value.trim().to_owned() } else { name.trim().to_owned() }
            });
            said.insert(names.filter(|name| !name.is_empty()).collect::<BTreeSet<_>>());
        }
    }
    assert_eq!(typed, said);
}
