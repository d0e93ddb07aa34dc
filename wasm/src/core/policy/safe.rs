//! An element that has been judged. Only the policy can make one.

use riacho_flat::words;

/// Where the names that begin with each letter start in the sorted vocabulary: this is asked for every node.
const STARTS: [u8; 27] = {
    let mut starts = [0; 27];
    let (mut letter, mut at) = (0, 0);
    while letter < starts.len() {
        while at < words::ELEMENTS.len() && words::ELEMENTS[at].as_bytes()[0] - b'a' < letter as u8 {
            at += 1;
        }
        starts[letter] = at as u8;
        letter += 1;
    }
    starts
};

/// A known element name, by its place in the vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag(u8);

impl Tag {
    #[cfg_attr(riacho_module, optimize(speed))]
    pub(super) fn named(name: &str) -> Option<Tag> {
        let letter = usize::from(name.bytes().next()?.wrapping_sub(b'a'));
        let (from, to) = (usize::from(*STARTS.get(letter)?), usize::from(*STARTS.get(letter + 1)?));
        // A handful; most of them are of another length.
        let at = words::ELEMENTS.get(from..to)?.iter().position(|known| *known == name)?;
        u8::try_from(from + at).ok().map(Tag)
    }

    pub fn name(self) -> &'static str {
        words::ELEMENTS.get(self.index()).copied().unwrap_or("span")
    }

    pub fn index(self) -> usize {
        usize::from(self.0)
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
        if self.attr(name).is_none() {
            self.attrs.push((name, value));
        }
    }

    pub(super) fn sort(&mut self) {
        self.attrs.sort_unstable_by_key(|(name, _)| *name);
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
