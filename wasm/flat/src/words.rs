//! The words that the sanitiser may let through and that a policy may allow. What is not here does not exist.
//!
//! A list is one text, its words parted by one space: a pointer and a length for each would be as much again to download.

/// What the id of a footnote begins with, before its label: a heading of the same name has an id, too. As GitHub has it.
pub const NOTE_ID: &str = "fn-";

/// Elements, sorted. `img` and `input` are judged further by the policy.
pub const ELEMENTS: &str = "\
    a abbr address article aside b bdi bdo blockquote br caption center cite code col colgroup data dd del \
    details dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hgroup hr i img input ins kbd li \
    main mark nav ol p pre q rp rt ruby s samp section small span strong sub summary sup table tbody td tfoot th \
    thead time tr tt u ul var wbr";

/// Elements whose content goes with them.
pub const DROPPED_WITH_CONTENT: &str = "script style title template noembed noframes iframe";

/// Attributes that any element may have.
pub const ATTRIBUTES: &str = "class dir id lang title";

/// Attributes of one element.
pub const ELEMENT_ATTRIBUTES: &[(&str, &str)] = &[
    ("a", "href"),
    ("col", "span"),
    ("colgroup", "span"),
    ("details", "open"),
    ("img", "alt height src width"),
    ("input", "checked disabled type"),
    ("li", "value"),
    ("ol", "reversed start type"),
    ("td", "align colspan rowspan style"),
    ("th", "align colspan rowspan scope style"),
    ("time", "datetime"),
];

/// The attribute that marks the open elements in which a fragment stands, written before it. It lets nobody in: it is no
/// attribute that leaves the sanitiser.
pub const CONTEXT: &str = "data-riacho-context";

/// URL schemes that a policy may allow. Schemes that run script or read local data are not here.
pub const SCHEMES: &str =
    "ftp geo git http https irc ircs magnet mailto matrix news sftp sip sips sms ssh tel webcal xmpp";

/// Elements that a browser lays out as blocks. Whitespace at their edges is not rendered, so it is not kept.
pub const BLOCKS: &str = "\
    address article aside blockquote caption center col colgroup dd details div dl dt figcaption figure footer \
    h1 h2 h3 h4 h5 h6 header hgroup hr li main nav ol p pre section summary table tbody td tfoot th thead tr ul";

/// Elements that have no end tag.
const VOID: &str =
    "area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr";

/// What else HTML has or had.
const OTHERS: &str = "\
    acronym applet audio big blink body button canvas datalist dialog dir fieldset font form frameset head html \
    iframe image isindex label legend listing map marquee math menu meter multicol nobr noembed noframes \
    noscript object optgroup option output picture plaintext portal progress rb rtc script search select slot \
    spacer strike style svg template textarea title video xmp";

/// Where a word stands in a list.
#[cfg_attr(riacho_module, optimize(speed))]
pub const fn place(list: &str, word: &str) -> Option<usize> {
    let (list, word) = (list.as_bytes(), word.as_bytes());
    let mut begin = 0;
    while begin + word.len() <= list.len() {
        let (mut at, mut same) = (begin, 0);
        // What has a space in it is no word.
        while same < word.len() && list[at] == word[same] && word[same] != b' ' {
            (at, same) = (at + 1, same + 1);
        }
        let ends = at == list.len() || list[at] == b' ';
        if ends && same == word.len() && at > begin {
            return Some(begin);
        }
        while at < list.len() && list[at] != b' ' {
            at += 1;
        }
        begin = at + 1;
    }
    None
}

pub fn has(list: &str, word: &str) -> bool {
    place(list, word).is_some()
}

/// The word as it stands in the list.
pub fn find(list: &'static str, word: &str) -> Option<&'static str> {
    let at = place(list, word)?;
    list.get(at..at + word.len())
}

/// Elements that have no end tag.
pub fn is_void(name: &str) -> bool {
    has(VOID, name)
}

/// Every element name that HTML has or had, and the two roots of foreign content. Any other name in raw HTML is no
/// tag but text that looks like one.
pub fn is_html(name: &str) -> bool {
    [ELEMENTS, VOID, OTHERS].iter().any(|list| has(list, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_whole() {
        assert_eq!(place("ab abc b", "abc"), Some(3));
        assert_eq!((place("ab abc b", "b"), place("ab abc b", "ab")), (Some(7), Some(0)));
        for none in ["a", "bc", "", "ab abc", "abcd", " "] {
            assert_eq!(place("ab abc b", none), None, "{none:?}");
        }
        assert!(ELEMENTS.split(' ').chain(VOID.split(' ')).chain(OTHERS.split(' ')).all(is_html));
        assert!(ELEMENTS.split(' ').is_sorted());
    }
}
