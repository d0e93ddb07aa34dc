//! The tables of named entities, the sanitiser's and the parser's, which are packed for the download, against the one that
//! html5ever publishes.

use published_web_atoms::NAMED_ENTITIES as PUBLISHED;
use web_atoms::NAMED_ENTITIES as OURS;

#[test]
fn every_entity_and_every_beginning_of_one_is_the_published_one() {
    let whole = PUBLISHED.entries().filter(|(_, characters)| characters.0 != 0).count();
    assert_eq!((OURS.entries().count(), whole), (2231, 2231));
    for (name, characters) in PUBLISHED.entries() {
        assert_eq!(OURS.get(name), Some(characters), "{name}");
    }
}

#[test]
fn what_is_no_beginning_is_none_here_either() {
    for (name, _) in PUBLISHED.entries() {
        for more in ["", "a", "Z", ";", "~", "é", "\0", " "] {
            let longer = format!("{name}{more}");
            assert_eq!(OURS.get(&longer), PUBLISHED.get(&longer), "{longer}");
            let shorter = format!("{more}{name}");
            assert_eq!(OURS.get(&shorter), PUBLISHED.get(&shorter), "{shorter}");
        }
    }
}

/// The text of a paragraph.
fn parsed(paragraph: &str) -> String {
    let texts = pulldown_cmark::Parser::new(paragraph).filter_map(|event| match event {
        pulldown_cmark::Event::Text(text) => Some(text.to_string()),
        _ => None,
    });
    texts.collect()
}

#[test]
fn the_parser_knows_every_published_name_that_ends_in_a_semicolon() {
    let mut known = 0;
    for (name, &(first, second)) in PUBLISHED.entries() {
        if name.ends_with(';') && first != 0 {
            let value: String =
                [first, second].into_iter().filter_map(char::from_u32).filter(|c| *c != '\0').collect();
            assert_eq!(parsed(&format!("(&{name}&{name})")), format!("({value}{value})"), "{name}");
            known += 1;
        }
    }
    assert_eq!(known, 2125);
}

#[test]
fn the_parser_knows_no_other_name() {
    assert_eq!(parsed("&;"), "&;");
    for (name, _) in PUBLISHED.entries() {
        let name = name.trim_end_matches(';');
        for other in [name.to_owned(), format!("{name}a"), format!("{name}0"), format!("a{name}")] {
            if PUBLISHED.get(&format!("{other};")).is_none_or(|&(first, _)| first == 0) {
                let written = format!("(&{other};)");
                assert_eq!(parsed(&written), written);
            }
        }
    }
}
