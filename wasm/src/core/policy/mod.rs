//! What may be on a page: the only maker of elements, and so the one place that decides.
//!
//! Everything is allowed by list. The defaults are [`Policy::default`]'s documentation. Nothing here parses HTML.

mod claim;
mod lower;
mod number;
mod safe;
mod settings;
pub mod text;
mod url;

pub use safe::{Element, Tag, Verdict};
pub use settings::{Builder, LinkTarget, PolicyError};

use riacho_flat::words;

use crate::core::pattern::{is_word, put, trim};
use safe::Tags;

/// What ids and fragment links begin with, before the message's own id.
pub const ID_PREFIX: &str = "user-content-";

const ALIGNMENTS: &str = "left center right";

/// The classes that the engine itself writes, by their element; on another one they mean nothing.
const CLASSES: &[(&str, &str)] = &[
    ("sup", "footnote-reference footnote-definition-label"),
    ("div", "footnote-definition"),
    ("span", "math math-inline math-display"),
];

/// Which images are loaded. The others are shown as their text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Images {
    /// None: an image that a model writes can carry data to any server.
    #[default]
    None,
    /// Those whose origin (`https://host[:port]`) is listed, and the page's own if `own` says so.
    From { origins: Vec<String>, own: bool },
    /// All. The page takes the risk.
    Any,
}

impl Images {
    /// From a list of origins, in which `self` is the page's own and `*` is every one.
    pub fn listed(list: Vec<String>) -> Images {
        if list.iter().any(|origin| origin == "*") {
            return Images::Any;
        }
        let (own, origins): (Vec<_>, Vec<_>) = list.into_iter().partition(|origin| origin == "self");
        match (own.is_empty(), origins.is_empty()) {
            (true, true) => Images::None,
            (none, _) => Images::From { origins, own: !none },
        }
    }
}

/// A set of rules. Make one with [`Policy::builder`].
///
/// The default, in full:
/// - elements: every one of [`words::ELEMENTS`] but `bdo` and `bdi`, which turn text around;
/// - attributes: `lang`, `title` and `id` anywhere; `dir` on blocks: within a line it is what the characters are that
///   [text] loses; `class` for the classes that the engine itself writes;
///   of one element, those of [`words::ELEMENT_ATTRIBUTES`], with values of their kind only (numbers, `left`,
///   `center`, `right`, …); `style` never, but `text-align` on a table cell becomes `align`;
/// - `input` only as a disabled checkbox;
/// - URL schemes: `http`, `https`, `mailto`, `tel`, and relative URLs; a host is made of letters, digits, `-`, `_`, `.`;
/// - links: `rel="noopener noreferrer nofollow ugc"`, no `target`; one whose text names another host says where it
///   leads, in a `span.riacho-destination` at its end;
/// - ids and `#fragment` links: prefixed with `user-content-` and the message's id; a heading has an id made of its
///   text, as on GitHub;
/// - images: none, see [`Images`]; what is not loaded is a `span.riacho-image` with the image's text;
/// - text in attributes is made [honest](text); that of the nodes is the engine's part.
#[derive(Debug, Clone)]
pub struct Policy {
    elements: Tags,
    schemes: Vec<&'static str>,
    images: Images,
    rel: String,
    target: Option<&'static str>,
    classes: Vec<String>,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            elements: ["bdi", "bdo"]
                .iter()
                .filter_map(|name| Tag::named(name))
                .fold(Tags::ALL, Tags::without),
            schemes: vec!["http", "https", "mailto", "tel"],
            images: Images::None,
            rel: "noopener noreferrer nofollow ugc".to_owned(),
            target: None,
            classes: Vec::new(),
        }
    }
}

impl Policy {
    /// Starts from the default.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Judges one element. `id_prefix` is the message's id.
    #[cfg_attr(riacho_module, optimize(speed))]
    pub fn element(&self, name: &str, attrs: &[(&str, &str)], id_prefix: &str) -> Verdict {
        let Some(tag) = Tag::named(name) else { return Verdict::Unwrap };
        match name {
            "img" => self.image(tag, attrs, id_prefix),
            "input" => {
                let value = |name| attrs.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
                if !self.allows(tag) || value("type") != Some("checkbox") || value("disabled").is_none() {
                    return Verdict::Drop;
                }
                Verdict::Keep(self.make(tag, attrs, id_prefix))
            }
            _ if self.allows(tag) => Verdict::Keep(self.make(tag, attrs, id_prefix)),
            _ => Verdict::Unwrap,
        }
    }

    fn allows(&self, tag: Tag) -> bool {
        self.elements.has(tag)
    }

    #[cfg_attr(riacho_module, optimize(speed))]
    fn make(&self, tag: Tag, attrs: &[(&str, &str)], id_prefix: &str) -> Element {
        let mut element = Element::new(tag);
        for &(name, value) in attrs {
            self.attribute(&mut element, name, value, id_prefix);
        }
        element
    }

    #[inline(never)]
    fn attribute(&self, element: &mut Element, name: &str, value: &str, id_prefix: &str) {
        let own = words::ELEMENT_ATTRIBUTES.iter().find(|(tag, _)| *tag == element.name());
        let listed = words::find(words::ATTRIBUTES, name)
            .or_else(|| own.and_then(|(_, attributes)| words::find(attributes, name)));
        let Some(name) = listed else { return };
        match name {
            "class" => {
                let mut kept = String::new();
                for class in value.split_ascii_whitespace().filter(|c| self.class(element.name(), c)) {
                    if !kept.is_empty() {
                        put(&mut kept, ' ');
                    }
                    kept.push_str(class);
                }
                if !kept.is_empty() {
                    element.set("class", text::honest(&kept).into_owned());
                }
            }
            "id" if !value.is_empty() => element.set("id", prefixed(id_prefix, value)),
            "href" => {
                if let Some(fragment) = value.strip_prefix('#') {
                    element.set("href", ["#", &prefixed(id_prefix, fragment)].concat());
                } else if url::allowed(value, &self.schemes) {
                    element.set("href", value.to_owned());
                } else {
                    return;
                }
                if !self.rel.is_empty() {
                    element.set("rel", self.rel.clone());
                }
                if let Some(target) = self.target {
                    element.set("target", target.to_owned());
                }
            }
            "style" => {
                let align = value.strip_prefix("text-align:").map(|v| trim(v).trim_end_matches(';'));
                if let Some(align) = align.filter(|align| words::has(ALIGNMENTS, align)) {
                    element.set("align", align.to_owned());
                }
            }
            "align" if words::has(ALIGNMENTS, value) => element.set(name, value.to_owned()),
            "dir" if element.tag().is_block() && words::has("ltr rtl auto", value) => {
                element.set(name, value.to_owned())
            }
            "scope" if words::has("row col rowgroup colgroup", value) => element.set(name, value.to_owned()),
            "type" if element.name() == "input" => element.set(name, "checkbox".to_owned()),
            "type" if words::has("1 a A i I", value) => element.set(name, value.to_owned()),
            "checked" | "disabled" | "open" | "reversed" => element.set(name, String::new()),
            "colspan" | "rowspan" | "span" | "width" | "height" if number::is_number(value, 4096) => {
                element.set(name, value.to_owned());
            }
            "start" | "value" if number::is_integer(value) => element.set(name, value.to_owned()),
            "lang" | "title" | "alt" | "datetime" => element.set(name, text::honest(value).into_owned()),
            _ => {}
        }
    }

    fn class(&self, element: &str, class: &str) -> bool {
        if class.starts_with("language-") {
            return element == "code";
        }
        match CLASSES.iter().find(|(_, classes)| words::has(classes, class)) {
            Some((own, _)) => *own == element,
            None => self.classes.iter().any(|c| c == class),
        }
    }

    fn image(&self, tag: Tag, attrs: &[(&str, &str)], id_prefix: &str) -> Verdict {
        let value = |name| attrs.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
        let src = value("src").filter(|src| url::allowed(src, &["http", "https"]));
        let loads = match (&self.images, src) {
            (_, None) | (Images::None, _) => false,
            (Images::Any, Some(_)) => true,
            (Images::From { origins, own }, Some(src)) => match url::origin(src) {
                Some(origin) => origins.contains(&origin),
                // A path of the page's own origin; `//host` is a host of its own.
                None => *own && !url::has_host(src),
            },
        };
        if loads && self.allows(tag) {
            let mut element = self.make(tag, attrs, id_prefix);
            element.set("src", src.unwrap_or_default().to_owned());
            element.set("loading", "lazy".to_owned());
            element.set("referrerpolicy", "no-referrer".to_owned());
            return Verdict::Keep(element);
        }
        let alt = text::honest(value("alt").unwrap_or_default());
        let Some(span) = Tag::named("span").filter(|&span| self.allows(span)) else {
            return Verdict::Text(alt.into_owned());
        };
        let mut element = Element::new(span);
        element.set("class", "riacho-image".to_owned());
        if let Some(src) = src {
            element.set("data-riacho-src", src.to_owned());
        }
        if let Some(title) = value("title") {
            element.set("title", text::honest(title).into_owned());
        }
        Verdict::KeepWithText(element, alt.into_owned())
    }

    /// What a link needs at its end, once its text is known: where it leads, if that text names another host.
    pub fn destination(&self, link: &Element, shown: &str) -> Option<Verdict> {
        let to = claim::contradicted(link.attr("href")?, shown)?;
        let note = [" (", &text::honest(&to), ")"].concat();
        let Some(span) = Tag::named("span").filter(|&span| self.allows(span)) else {
            return Some(Verdict::Text(note));
        };
        let mut element = Element::new(span);
        element.set("class", "riacho-destination".to_owned());
        element.set("data-riacho-ui", String::new());
        Some(Verdict::KeepWithText(element, note))
    }

    /// Gives a heading the id that links in the text know it by, unless it has one.
    pub fn heading(&self, heading: &mut Element, shown: &str, id_prefix: &str) {
        let slug = slug(shown);
        if !slug.is_empty() {
            heading.set("id", prefixed(id_prefix, &slug));
        }
    }
}

/// What GitHub makes of a heading for its id: small letters, figures, `-` and `_`, and `-` for a space.
fn slug(text: &str) -> String {
    let mut kept = String::new();
    for c in trim(text).chars() {
        match c {
            ' ' => put(&mut kept, '-'),
            _ if is_word(c) || matches!(c, '-' | '_') => put(&mut kept, c),
            _ => {}
        }
    }
    lower::lower(&kept)
}

fn prefixed(id_prefix: &str, id: &str) -> String {
    [ID_PREFIX, id_prefix, if id_prefix.is_empty() { "" } else { "-" }, id].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attrs(policy: &Policy, name: &str, attrs: &[(&str, &str)]) -> Vec<(&'static str, String)> {
        match policy.element(name, attrs, "m1") {
            Verdict::Keep(element) | Verdict::KeepWithText(element, _) => {
                element.attrs().map(|(n, v)| (n, v.to_owned())).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_word_of_the_vocabulary_is_an_element() {
        for name in words::ELEMENTS.split(' ') {
            let tag = Tag::named(name).unwrap();
            assert_eq!(tag.name(), name);
            assert_eq!(tag.is_block(), words::has(words::BLOCKS, name), "{name}");
            assert!(Tags::ALL.has(tag) && !Tags::ALL.without(tag).has(tag));
        }
        for none in ["", "script", "B", "spann", "zz", "é"] {
            assert_eq!(Tag::named(none), None);
        }
    }

    #[test]
    fn links_get_rel_and_keep_only_good_urls() {
        let policy = Policy::default();
        let rel = ("rel", "noopener noreferrer nofollow ugc".to_owned());
        for good in
            ["https://a.example/b?c#d", "/x", "x:y/z".trim_start_matches("x:"), "mailto:a@b.c", "//h/x", ""]
        {
            assert_eq!(attrs(&policy, "a", &[("href", good)]), [("href", good.to_owned()), rel.clone()]);
        }
        for bad in [
            "javascript:x",
            "JaVaScRiPt:x",
            " javascript:x",
            "java\nscript:x",
            "data:text/html,x",
            "http://[",
            "x:y",
        ] {
            assert_eq!(attrs(&policy, "a", &[("href", bad)]), [], "{bad:?}");
        }
        assert_eq!(
            attrs(&policy, "a", &[("href", "#x")]),
            [("href", "#user-content-m1-x".to_owned()), rel.clone()]
        );
    }

    #[test]
    fn images_are_text_until_their_origin_is_allowed() {
        let img = [("src", "https://a.example/b.png"), ("alt", "b"), ("onerror", "x()")];
        let Verdict::KeepWithText(span, text) = Policy::default().element("img", &img, "") else { panic!() };
        assert_eq!((span.name(), text.as_str()), ("span", "b"));
        let policy =
            Policy::builder().images(Images::From { origins: vec!["https://a.example".into()], own: false });
        let Verdict::Keep(image) = policy.build().unwrap().element("img", &img, "") else { panic!() };
        assert_eq!(image.name(), "img");
        assert_eq!(image.attr("src"), Some("https://a.example/b.png"));
        assert_eq!(image.attr("onerror"), None);
    }

    #[test]
    fn styles_events_and_foreign_classes_are_left_out() {
        let policy = Policy::default();
        assert_eq!(attrs(&policy, "td", &[("style", "text-align: right")]), [("align", "right".to_owned())]);
        assert_eq!(attrs(&policy, "td", &[("style", "position: fixed"), ("onclick", "x()")]), []);
        assert_eq!(
            attrs(&policy, "code", &[("class", "language-rust admin")]),
            [("class", "language-rust".to_owned())]
        );
        assert!(matches!(policy.element("input", &[("type", "text"), ("disabled", "")], ""), Verdict::Drop));
        assert!(matches!(policy.element("script", &[], ""), Verdict::Unwrap));
    }
}
