//! An element that has been judged. Only the policy can make one.

use riacho_flat::words;

/// How many elements there are.
const COUNT: usize = {
    let (mut count, mut at) = (1, 0);
    while at < words::ELEMENTS.len() {
        count += (words::ELEMENTS.as_bytes()[at] == b' ') as usize;
        at += 1;
    }
    count
};

/// Where each name begins in the vocabulary; the last place is behind all of it.
const PLACES: [u16; COUNT + 1] = {
    let mut places = [0; COUNT + 1];
    let (mut place, mut at) = (0, 0);
    while at < words::ELEMENTS.len() {
        at += 1;
        if at == words::ELEMENTS.len() || words::ELEMENTS.as_bytes()[at] == b' ' {
            place += 1;
            places[place] = at as u16 + 1;
        }
    }
    places
};

/// Where the names that begin with each letter start in the sorted vocabulary: this is asked for every node.
const STARTS: [u8; 27] = {
    let mut starts = [0; 27];
    let (mut letter, mut at) = (0, 0);
    while letter < starts.len() {
        while at < COUNT && words::ELEMENTS.as_bytes()[PLACES[at] as usize] - b'a' < letter as u8 {
            at += 1;
        }
        starts[letter] = at as u8;
        letter += 1;
    }
    starts
};

/// Some of the elements, each a bit by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tags(u128);

impl Tags {
    pub const ALL: Tags = Tags(u128::MAX);

    const BLOCKS: Tags = {
        let (mut bits, mut at, mut begin) = (0, 0, 0);
        while at < COUNT {
            // The name at this place, of which constants can't be cut out.
            let (_, rest) = words::ELEMENTS.split_at(begin);
            let (name, _) = rest.split_at(PLACES[at + 1] as usize - 1 - begin);
            bits |= (words::place(words::BLOCKS, name).is_some() as u128) << at;
            begin = PLACES[at + 1] as usize;
            at += 1;
        }
        Tags(bits)
    };

    pub fn has(self, tag: Tag) -> bool {
        self.0 >> tag.0 & 1 == 1
    }

    pub fn without(self, tag: Tag) -> Tags {
        Tags(self.0 & !(1 << tag.0))
    }
}

/// A known element name, by its place in the vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag(u8);

impl Tag {
    #[cfg_attr(riacho_module, optimize(speed))]
    pub(super) fn named(name: &str) -> Option<Tag> {
        let letter = usize::from(name.bytes().next()?.wrapping_sub(b'a'));
        // A handful; most of them are of another length.
        (*STARTS.get(letter)?..*STARTS.get(letter + 1)?).map(Tag).find(|tag| tag.name() == name)
    }

    pub fn name(self) -> &'static str {
        let at = usize::from(self.0);
        let place = |at| PLACES.get(at).map_or(0, |&place| usize::from(place));
        words::ELEMENTS.get(place(at)..place(at + 1).saturating_sub(1)).unwrap_or("span")
    }

    /// A browser lays it out as a block.
    pub fn is_block(self) -> bool {
        Tags::BLOCKS.has(self)
    }
}

/// A safe element. Its attributes are sorted by name, so that two of them can be compared.
///
/// Only the policy makes and changes them: code elsewhere that tries does not compile.
///
/// ```
/// use riacho_wasm::core::policy::{Policy, Verdict};
/// assert!(matches!(Policy::default().element("b", &[], ""), Verdict::Keep(_)));
/// ```
/// ```compile_fail,E0624
/// use riacho_wasm::core::policy::{Element, Tag};
/// fn forge(tag: Tag) -> Element { Element::new(tag) }
/// ```
/// ```compile_fail,E0451
/// use riacho_wasm::core::policy::{Element, Tag};
/// fn forge(tag: Tag) -> Element { Element { tag, attrs: vec![("onclick", String::new())] } }
/// ```
/// ```compile_fail,E0624
/// use riacho_wasm::core::policy::Element;
/// fn change(element: &mut Element) { element.set("onclick", String::new()); }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    tag: Tag,
    attrs: Vec<(&'static str, String)>,
}

impl Element {
    pub(super) fn new(tag: Tag) -> Element {
        Element { tag, attrs: Vec::new() }
    }

    /// The first value of an attribute stays, as in HTML.
    pub(super) fn set(&mut self, name: &'static str, value: String) {
        if let Err(place) = self.attrs.binary_search_by(|(known, _)| (*known).cmp(name)) {
            self.attrs.insert(place, (name, value));
        }
    }

    pub fn tag(&self) -> Tag {
        self.tag
    }

    pub fn name(&self) -> &'static str {
        self.tag.name()
    }

    pub fn attrs(&self) -> impl ExactSizeIterator<Item = (&'static str, &str)> {
        self.attrs.iter().map(|(name, value)| (*name, value.as_str()))
    }

    pub fn attr(&self, name: &str) -> Option<&str> {
        self.attrs.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
    }
}

/// What becomes of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Keep(Element),
    /// Kept as another element, with this text for its content.
    KeepWithText(Element, String),
    /// Only this text is left of it.
    Text(String),
    /// It goes, its content stays.
    Unwrap,
    /// It goes with its content.
    Drop,
}
