//! How a frame becomes JSON and comes back: dispatch on `type` first, so that an unknown type is told from a bad field.

use std::fmt;

use crate::ErrorCode;
use crate::json::{Fault, Malformed, Value};

/// Why a text is no frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    Json(#[from] Malformed),
    NoType,
    UnknownType(String),
    Field { frame: &'static str, fault: Fault },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words())
    }
}

impl DecodeError {
    /// What `Display` says, without the machinery that formats.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            DecodeError::Json(malformed) => ["not JSON: ", &malformed.words()].concat(),
            DecodeError::NoType => "not a JSON object with a \"type\"".to_owned(),
            DecodeError::UnknownType(name) => ["unknown frame type \"", name, "\""].concat(),
            DecodeError::Field { frame, fault } => ["bad ", frame, ": ", &fault.words()].concat(),
        }
    }

    /// The code that an `error` frame carries for it.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            DecodeError::Json(_) | DecodeError::NoType => ErrorCode::BadJson,
            DecodeError::UnknownType(_) => ErrorCode::UnknownFrame,
            DecodeError::Field { .. } => ErrorCode::BadFrame,
        }
    }

    /// What an unknown type may put into an error message: the start of it.
    #[must_use]
    pub fn unknown(tag: &str) -> Self {
        DecodeError::UnknownType(tag.chars().filter(|c| !c.is_control()).take(64).collect())
    }
}

pub(crate) fn tag<'v>(value: &'v Value<'_>) -> Result<&'v str, DecodeError> {
    let members = value.members().map_err(|_| DecodeError::NoType)?;
    members.get("type").ok().flatten().and_then(Value::text).ok_or(DecodeError::NoType)
}

/// One enum of frames: a struct a frame, the tag beside it, decoding by the tag. Unknown fields are ignored.
macro_rules! frames {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $tag:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name {
            $($variant($variant),)+
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
                let value = crate::json::Value::parse(text)?;
                let mut frame = match crate::codec::tag(&value)? {
                    $($tag => $name::$variant(crate::json::FromJson::blank()),)+
                    other => return Err(crate::DecodeError::unknown(other)),
                };
                let place: &mut dyn crate::json::FromJson = match &mut frame {
                    $($name::$variant(frame) => frame,)+
                };
                let filled = place.fill(&value);
                filled.map_err(|fault| crate::DecodeError::Field { frame: frame.type_name(), fault })?;
                Ok(frame)
            }

            /// Writes one frame.
            #[must_use]
            pub fn encode(&self) -> String {
                let fields: &dyn crate::json::Fields = match self {
                    $($name::$variant(frame) => frame,)+
                };
                crate::json::to_tagged_text(self.type_name(), fields)
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

/// Structs of the wire, all of them public with public fields: how each is written and read follows from its fields.
/// `= default`: the default when it is missing. `= omitted_default`: left out, too, when it has it.
macro_rules! records {
    ($(
        $(#[$meta:meta])*
        $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty $(= $mode:ident)?,)* }
    )+) => {$(
        #[derive(Debug, Clone, PartialEq)]
        $(#[$meta])*
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        crate::to_json! { $name { $($field $(= $mode)?),* } }
        crate::from_json! { $name { $($field $(= $mode)?),* } }
        crate::codec::serde_as_json!($name);
    )+};
}
pub(crate) use records;

/// Enums that are one word on the wire.
macro_rules! words {
    ($(
        $(#[$meta:meta])*
        $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)+ }
    )+) => {$(
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        $(#[$meta])*
        pub enum $name {
            $($(#[$variant_meta])* $variant,)+
        }

        impl $name {
            /// All there are.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// The word on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }
        }

        impl crate::json::ToJson for $name {
            fn write(&self, out: &mut crate::json::Writer) {
                out.string(self.as_str());
            }
        }

        impl crate::json::FromJson for $name {
            fn blank() -> Self {
                [$($name::$variant),+][0]
            }

            fn fill(&mut self, value: &crate::json::Value<'_>) -> Result<(), crate::json::Fault> {
                let word = value.text().unwrap_or_default();
                let known = $name::ALL.iter().copied().find(|known| known.as_str() == word);
                *self = known.ok_or(crate::json::Fault::expected(concat!("one of" $(, " ", $word)+)))?;
                Ok(())
            }
        }

        crate::codec::serde_as_json!($name);
    )+};
}
pub(crate) use words;

/// For who stores values of the wire inside values of their own: serde, through the same JSON.
macro_rules! serde_as_json {
    ($name:ident) => {
        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                crate::bridge::serialize(self, serializer)
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::bridge::deserialize(deserializer)
            }
        }
    };
}
pub(crate) use serde_as_json;
