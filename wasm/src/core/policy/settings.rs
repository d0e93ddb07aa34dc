//! How a page changes the policy, and which wishes are refused.

use std::error::Error;
use std::fmt::{self, Display, Formatter};

use riacho_flat::words;

use super::{Images, Policy, Tag, url};

/// Why a policy can't be made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyError {
    UnknownElement(String),
    UnknownScheme(String),
    BadOrigin(String),
    BadClass(String),
    ImagesWithoutImg,
    TargetWithoutNoopener,
}

impl Error for PolicyError {}

impl Display for PolicyError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl PolicyError {
    /// In words, without the machinery of formats: nothing else in the module needs that.
    pub fn message(&self) -> String {
        let (before, word, after) = match self {
            PolicyError::UnknownElement(name) => {
                ("<", name.as_str(), "> is not an element that can be allowed or denied")
            }
            PolicyError::UnknownScheme(scheme) => {
                ("links of the scheme `", scheme.as_str(), "` can't be allowed")
            }
            PolicyError::BadOrigin(origin) => {
                ("`", origin.as_str(), "` is not an origin, such as https://example.com")
            }
            PolicyError::BadClass(class) => ("`", class.as_str(), "` is not one class"),
            PolicyError::ImagesWithoutImg => ("images are allowed, but <img> is denied", "", ""),
            PolicyError::TargetWithoutNoopener => {
                ("links open in a new window, but rel lacks `noopener`", "", "")
            }
        };
        [before, word, after].concat()
    }

    /// The stable code, for JavaScript.
    pub fn code(&self) -> &'static str {
        match self {
            PolicyError::UnknownElement(_) => "policy_unknown_element",
            PolicyError::UnknownScheme(_) => "policy_unknown_scheme",
            PolicyError::BadOrigin(_) => "policy_bad_origin",
            PolicyError::BadClass(_) => "policy_bad_class",
            PolicyError::ImagesWithoutImg => "policy_images_without_img",
            PolicyError::TargetWithoutNoopener => "policy_target_without_noopener",
        }
    }
}

/// Where links open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LinkTarget {
    #[default]
    Same,
    NewWindow,
}

/// Collects wishes; [`Builder::build`] checks them together.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Builder {
    denied: Vec<String>,
    schemes: Option<Vec<String>>,
    images: Images,
    rel: Option<String>,
    target: LinkTarget,
    classes: Vec<String>,
}

impl Builder {
    /// Elements that shall not be made; their content stays.
    pub fn deny_elements<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Builder {
        self.denied.extend(names.into_iter().map(Into::into));
        self
    }

    /// The schemes of links, instead of the default ones.
    pub fn schemes<S: Into<String>>(mut self, schemes: impl IntoIterator<Item = S>) -> Builder {
        self.schemes = Some(schemes.into_iter().map(Into::into).collect());
        self
    }

    pub fn images(mut self, images: Images) -> Builder {
        self.images = images;
        self
    }

    /// The `rel` of links, instead of the default one.
    pub fn rel(mut self, rel: impl Into<String>) -> Builder {
        self.rel = Some(rel.into());
        self
    }

    pub fn target(mut self, target: LinkTarget) -> Builder {
        self.target = target;
        self
    }

    /// More classes that raw HTML may use.
    pub fn classes<S: Into<String>>(mut self, classes: impl IntoIterator<Item = S>) -> Builder {
        self.classes.extend(classes.into_iter().map(Into::into));
        self
    }

    pub fn build(self) -> Result<Policy, PolicyError> {
        let mut policy = Policy::default();
        for name in self.denied {
            match Tag::named(&name) {
                Some(tag) => policy.elements = policy.elements.without(tag),
                None => return Err(PolicyError::UnknownElement(name)),
            }
        }
        if let Some(schemes) = self.schemes {
            policy.schemes.clear();
            for scheme in schemes {
                match words::find(words::SCHEMES, &scheme.to_ascii_lowercase()) {
                    Some(known) => policy.schemes.push(known),
                    None => return Err(PolicyError::UnknownScheme(scheme)),
                }
            }
        }
        policy.images = self.images;
        if let Images::From { origins, .. } = &mut policy.images {
            for origin in origins {
                match url::origin(origin) {
                    Some(good) if url::allowed(origin, &["http", "https"]) => *origin = good,
                    _ => return Err(PolicyError::BadOrigin(origin.clone())),
                }
            }
        }
        if policy.images != Images::None && !Tag::named("img").is_some_and(|img| policy.allows(img)) {
            return Err(PolicyError::ImagesWithoutImg);
        }
        if let Some(rel) = self.rel {
            policy.rel = rel;
        }
        if self.target == LinkTarget::NewWindow {
            if !policy.rel.split_ascii_whitespace().any(|word| word == "noopener") {
                return Err(PolicyError::TargetWithoutNoopener);
            }
            policy.target = Some("_blank");
        }
        for class in self.classes {
            if class.is_empty() || class.contains(|c: char| c.is_ascii_whitespace()) {
                return Err(PolicyError::BadClass(class));
            }
            policy.classes.push(class);
        }
        Ok(policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contradictions_are_refused_with_their_code() {
        let own = Images::From { origins: vec![], own: true };
        let bad = Images::From { origins: vec!["nowhere".into()], own: false };
        let cases = [
            (Policy::builder().deny_elements(["script"]), "policy_unknown_element"),
            (Policy::builder().schemes(["javascript"]), "policy_unknown_scheme"),
            (Policy::builder().images(bad), "policy_bad_origin"),
            (Policy::builder().classes(["a b"]), "policy_bad_class"),
            (Policy::builder().deny_elements(["img"]).images(own), "policy_images_without_img"),
            (
                Policy::builder().rel("nofollow").target(LinkTarget::NewWindow),
                "policy_target_without_noopener",
            ),
        ];
        for (builder, code) in cases {
            let error = builder.build().unwrap_err();
            assert_eq!(error.code(), code);
            assert!(error.to_string().contains(char::is_whitespace), "{error}");
        }
        assert!(Policy::builder().target(LinkTarget::NewWindow).build().is_ok());
    }
}
