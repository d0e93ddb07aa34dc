//! How a frame becomes JSON and comes back: dispatch on `type` first, so that an unknown type is told from a bad field.

use serde::Deserialize;

use crate::ErrorCode;

/// Why a text is no frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("not a JSON object with a \"type\": {0}")]
    Json(String),
    #[error("unknown frame type {0:?}")]
    UnknownType(String),
    #[error("bad {frame}: {detail}")]
    Field { frame: &'static str, detail: String },
}

impl DecodeError {
    /// The code that an `error` frame carries for it.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            DecodeError::Json(_) => ErrorCode::BadJson,
            DecodeError::UnknownType(_) => ErrorCode::UnknownFrame,
            DecodeError::Field { .. } => ErrorCode::BadFrame,
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Tag {
    #[serde(rename = "type")]
    pub tag: String,
}

pub(crate) fn tag(text: &str) -> Result<Tag, DecodeError> {
    serde_json::from_str(text).map_err(|e| DecodeError::Json(e.to_string()))
}

/// What an unknown type may put into an error message: the start of it.
pub(crate) fn unknown(tag: &str) -> DecodeError {
    DecodeError::UnknownType(tag.chars().take(64).collect())
}

/// One enum of frames: a struct a frame, the tag beside it, decoding by the tag. Unknown fields are ignored.
macro_rules! frames {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $tag:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize)]
        #[serde(tag = "type")]
        pub enum $name {
            $(#[serde(rename = $tag)] $variant($variant),)+
        }

        impl $name {
            /// The `type` of every frame of this direction.
            pub const TYPES: &'static [&'static str] = &[$($tag,)+];

            /// The `type` of this one.
            #[must_use]
            pub fn type_name(&self) -> &'static str {
                match self { $($name::$variant(_) => $tag,)+ }
            }

            /// Reads one frame.
            ///
            /// # Errors
            /// [`DecodeError`](crate::DecodeError) says whether it was no JSON, no known type, or a bad field.
            pub fn decode(text: &str) -> Result<Self, crate::DecodeError> {
                let tag = crate::codec::tag(text)?;
                match tag.tag.as_str() {
                    $($tag => serde_json::from_str::<$variant>(text).map($name::$variant).map_err(|e| {
                        crate::DecodeError::Field { frame: $tag, detail: e.to_string() }
                    }),)+
                    other => Err(crate::codec::unknown(other)),
                }
            }

            /// Writes one frame. Frames hold nothing that JSON can't say, so this can't fail.
            #[must_use]
            pub fn encode(&self) -> String {
                serde_json::to_string(self).unwrap_or_default()
            }
        }

        $(impl From<$variant> for $name {
            fn from(frame: $variant) -> Self {
                $name::$variant(frame)
            }
        })+
    };
}
pub(crate) use frames;
