//! The parser that we ship says of every text what the published one says: the same events, places, definitions and questions.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use riacho_tests::chunked::PARTS;

/// All that a parser has to say.
#[derive(Debug, PartialEq)]
struct Said {
    events: Vec<(String, Range<usize>)>,
    definitions: BTreeMap<String, String>,
    /// The references without a definition, of which some are answered.
    questions: Vec<String>,
}

/// How an event is printed, wherever its texts are kept. Macros, since the two crates' types have only their names in common.
macro_rules! printed {
    ($parser:ident, $event:expr) => {{
        use $parser::{CodeBlockKind, Event, Tag};
        match $event {
            Event::Start(Tag::Heading { level, .. }) => format!("heading {level:?}"),
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => format!("block {:?}", &*info),
            Event::Start(Tag::FootnoteDefinition(label)) => format!("note {:?}", &*label),
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                format!("link {link_type:?} {:?} {:?} {:?}", &*dest_url, &*title, &*id)
            }
            Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
                format!("image {link_type:?} {:?} {:?} {:?}", &*dest_url, &*title, &*id)
            }
            Event::Text(text) => format!("text {:?}", &*text),
            Event::Code(text) => format!("code {:?}", &*text),
            Event::InlineMath(text) => format!("math {:?}", &*text),
            Event::DisplayMath(text) => format!("display {:?}", &*text),
            Event::Html(text) => format!("html {:?}", &*text),
            Event::InlineHtml(text) => format!("inline {:?}", &*text),
            Event::FootnoteReference(label) => format!("reference {:?}", &*label),
            // Nothing else has a text.
            other => format!("{other:?}"),
        }
    }};
}

macro_rules! said {
    ($parser:ident, $text:expr, $options:expr) => {{
        let mut questions = Vec::new();
        let mut answer = |link: $parser::BrokenLink<'_>| {
            questions.push(format!("{:?} {:?} {:?}", link.span, link.link_type, &*link.reference));
            (questions.len() % 3 != 0)
                .then(|| ($parser::CowStr::from("/dest"), $parser::CowStr::from("a title")))
        };
        let parser = $parser::Parser::new_with_broken_link_callback($text, $options, Some(&mut answer));
        let definitions = parser.reference_definitions().iter().map(|(label, definition)| {
            let (dest, title) = (&*definition.dest, definition.title.as_deref());
            (label.to_owned(), format!("{dest:?} {title:?} {:?}", definition.span))
        });
        let definitions = definitions.collect();
        let events = parser.into_offset_iter().map(|(event, at)| (printed!($parser, event), at)).collect();
        Said { events, definitions, questions }
    }};
}

fn check(text: &str) {
    use published_pulldown_cmark as published;
    use published_pulldown_cmark::Options;

    let ours = riacho_wasm::core::engine::grammar::OPTIONS;
    for (ours, theirs) in
        [(ours, Options::from_bits_retain(ours.bits())), (pulldown_cmark::Options::empty(), Options::empty())]
    {
        assert_eq!(said!(pulldown_cmark, text, ours), said!(published, text, theirs), "{text:?}");
    }
}

#[test]
fn corpora_and_their_beginnings() {
    let Some(folder) = std::env::var_os("RIACHO_CORPORA") else {
        eprintln!("skipped: RIACHO_CORPORA is not set");
        return;
    };
    for file in ["conformance.jsonl", "attacks.jsonl"] {
        let cases = std::fs::read_to_string(PathBuf::from(&folder).join(file)).expect("a corpus");
        for case in cases.lines() {
            let case: serde_json::Value = serde_json::from_str(case).expect("a case");
            let text = case["data"].as_str().expect("data");
            check(text);
            text.char_indices().take(300).for_each(|(at, _)| check(&text[..at]));
        }
    }
}

/// What the parts of the engine's tests have not: what other markdown gives a meaning, letters that fold, many of a kind.
const MORE: &[&str] = &[
    "---\n",
    "+++\n",
    "# a {#id .class}\n",
    ": b\n",
    "term\n: definition\n",
    "> [!NOTE]\n",
    "[[wiki|link]]",
    "^sup^",
    "~sub~",
    "\"quoted\"",
    "it's",
    "...",
    "--",
    "[ß]",
    "[SS]: /s\n",
    "[^ẞ]",
    "[^ss]: note\n",
    "[İ]",
    "[i\u{307}]: /i\n",
    "[ΣΑΣ]",
    "[σας]: /o\n",
    "{",
    "}",
    "{{$",
    "$}$",
    "$$",
    "``",
    "```` ",
    "`",
    "<!--",
    "-->",
    "<?",
    "<![CDATA[",
    "<a href='",
    "'>",
    "&frac12;",
    "&NotEqualTilde;",
    "&#x1f600;",
    "&amp",
    "\\|",
    "\\\\|",
    "|",
    "\t",
    "\u{a0}",
    "、",
    "！",
    "“",
    "«",
    "\u{1fbca}",
    "\u{1bca0}",
    "\r",
    "\r\n",
];

#[test]
fn made_up_texts() {
    let mut dice = fastrand::Rng::with_seed(7);
    for _ in 0..if cfg!(debug_assertions) { 20_000 } else { 500_000 } {
        let mut text = String::new();
        for _ in 0..dice.usize(1..40) {
            match dice.u8(0..4) {
                0 => text.push_str(MORE[dice.usize(0..MORE.len())]),
                1 => text.extend((0..dice.usize(0..4)).map(|_| dice.char('\0'..='\u{7f}'))),
                _ => text.push_str(PARTS[dice.usize(0..PARTS.len())]),
            }
        }
        check(&text);
    }
}

/// Emphasis and everything else that asks whether a character is punctuation.
#[test]
fn every_character_beside_a_delimiter() {
    for c in '\0'..=char::MAX {
        let text = format!("a*{c}b*c **a{c}**b");
        let ours = pulldown_cmark::Parser::new(&text).map(|event| printed!(pulldown_cmark, event));
        let theirs = published_pulldown_cmark::Parser::new(&text);
        assert!(ours.eq(theirs.map(|event| printed!(published_pulldown_cmark, event))), "{text:?}");
    }
}

/// Definitions with every character in their labels, each found by what it folds to.
#[test]
fn every_character_in_a_label() {
    let letters = ('\0'..=char::MAX).filter(|c| c.is_alphabetic());
    for letters in letters.collect::<Vec<_>>().chunks(400) {
        let mut text = String::new();
        for c in letters {
            let folded = unicase::UniCase::unicode(c.to_string()).to_folded_case();
            text.push_str(&format!("[{folded}] [^{c}]\n\n[{c}]: /{}\n[^{folded}]: x\n\n", u32::from(*c)));
        }
        check(&text);
    }
}
