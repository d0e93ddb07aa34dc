//! The sanitiser's table of named entities, which is packed for its download, against the one that html5ever publishes.

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
