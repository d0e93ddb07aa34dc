//! JSON as the wire needs it: a type says how it is written and how it is read, and nothing here is generic over formats.
//!
//! Why not serde_json in the browser: it was 160 KB of the module there, and a frame has a dozen plain fields. It still
//! judges this: `tests/json.rs` holds both against each other.

mod read;
mod write;

use std::borrow::Cow;

pub use read::{Malformed, Members, Value};
pub use write::Writer;

/// How a value is written.
pub trait ToJson {
    fn write(&self, out: &mut Writer);

    /// A field that holds it is left out.
    fn is_left_out(&self) -> bool {
        false
    }
}

/// How the fields of a struct are written: into an object that is open already.
pub trait Fields {
    fn write_fields(&self, out: &mut Writer);
}

/// How a value is read.
pub trait FromJson: Sized {
    /// # Errors
    /// [`Fault`] when it is something else.
    fn read(value: &Value<'_>) -> Result<Self, Fault>;

    /// What a field that is not there holds, where it need not be there.
    fn missing() -> Option<Self> {
        None
    }
}

/// Where the value of a field goes, once it is known.
pub trait Place {
    /// # Errors
    /// [`Fault`] when the value is something else.
    fn put(&mut self, value: &Value<'_>) -> Result<(), Fault>;

    /// There is no such field. False if it must not be missing.
    fn lack(&mut self) -> bool;
}

impl<T: FromJson> Place for Option<T> {
    fn put(&mut self, value: &Value<'_>) -> Result<(), Fault> {
        *self = Some(T::read(value)?);
        Ok(())
    }

    fn lack(&mut self) -> bool {
        if self.is_none() {
            *self = T::missing();
        }
        self.is_some()
    }
}

/// Why a JSON value is not what it was read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} stands twice")]
    Twice(&'static str),
    #[error("{field} is not {expected}")]
    Unfit { field: &'static str, expected: &'static str },
}

impl Fault {
    /// What was read is not `expected`; the field that it stands in is named by whoever reads that.
    #[must_use]
    pub fn expected(expected: &'static str) -> Self {
        Fault::Unfit { field: "", expected }
    }

    /// The innermost field is the one that is named.
    fn within(self, name: &'static str) -> Self {
        match self {
            Fault::Unfit { field: "", expected } => Fault::Unfit { field: name, expected },
            named => named,
        }
    }
}

/// Why a text is not what it was read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Names as they are in Rust and on the wire, in snake_case.
#[must_use]
pub fn to_text(value: &dyn ToJson) -> String {
    let mut out = Writer::snake();
    value.write(&mut out);
    out.finish()
}

/// As [`to_text`], with a `type` in front.
#[must_use]
pub fn to_tagged_text(tag: &str, fields: &dyn Fields) -> String {
    tagged(Writer::snake(), tag, fields)
}

/// As [`to_camel_text`], with a `type` in front.
#[must_use]
pub fn to_tagged_camel_text(tag: &str, fields: &dyn Fields) -> String {
    tagged(Writer::camel(), tag, fields)
}

fn tagged(mut out: Writer, tag: &str, fields: &dyn Fields) -> String {
    out.open('{');
    out.field("type", &tag);
    fields.write_fields(&mut out);
    out.close('}');
    out.finish()
}

/// Names as a page's JavaScript has them, in camelCase.
#[must_use]
pub fn to_camel_text(value: &dyn ToJson) -> String {
    let mut out = Writer::camel();
    value.write(&mut out);
    out.finish()
}

/// # Errors
/// [`ReadError`] says whether it is no JSON, or another value.
pub fn from_text<T: FromJson>(text: &str) -> Result<T, ReadError> {
    Ok(T::read(&Value::parse(text)?)?)
}

impl<T: ToJson> ToJson for Option<T> {
    fn write(&self, out: &mut Writer) {
        match self {
            Some(value) => value.write(out),
            None => out.raw("null"),
        }
    }

    fn is_left_out(&self) -> bool {
        self.is_none()
    }
}

impl<T: FromJson> FromJson for Option<T> {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        if *value == Value::Null { Ok(None) } else { T::read(value).map(Some) }
    }

    fn missing() -> Option<Self> {
        Some(None)
    }
}

impl ToJson for bool {
    fn write(&self, out: &mut Writer) {
        out.raw(if *self { "true" } else { "false" });
    }
}

impl FromJson for bool {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        match value {
            Value::Bool(bool) => Ok(*bool),
            _ => Err(Fault::expected("true or false")),
        }
    }
}

macro_rules! whole_numbers {
    ($($type:ty: $expected:literal,)+) => {$(
        impl ToJson for $type {
            fn write(&self, out: &mut Writer) {
                out.number(*self as u64);
            }
        }

        impl FromJson for $type {
            fn read(value: &Value<'_>) -> Result<Self, Fault> {
                value.whole().and_then(|n| n.try_into().ok()).ok_or(Fault::expected($expected))
            }
        }
    )+};
}

whole_numbers! {
    u32: "a whole number from 0 to 2^32 - 1",
    u64: "a whole number from 0 to 2^64 - 1",
    usize: "a whole number of a size that fits in memory",
}

impl ToJson for str {
    fn write(&self, out: &mut Writer) {
        out.string(self);
    }
}

impl ToJson for &str {
    fn write(&self, out: &mut Writer) {
        out.string(self);
    }
}

impl ToJson for String {
    fn write(&self, out: &mut Writer) {
        out.string(self);
    }
}

impl FromJson for String {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        value.text().map(str::to_owned).ok_or(Fault::expected("a string"))
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn write(&self, out: &mut Writer) {
        out.open('[');
        for item in self {
            out.item(item);
        }
        out.close(']');
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        match value {
            Value::Array(items) => {
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    list.push(T::read(item)?);
                }
                Ok(list)
            }
            _ => Err(Fault::expected("a list")),
        }
    }
}

impl<A: ToJson, B: ToJson> ToJson for (A, B) {
    fn write(&self, out: &mut Writer) {
        out.open('[');
        out.item(&self.0);
        out.item(&self.1);
        out.close(']');
    }
}

impl<A: FromJson, B: FromJson> FromJson for (A, B) {
    fn read(value: &Value<'_>) -> Result<Self, Fault> {
        match value {
            Value::Array(items) => match items.as_slice() {
                [a, b] => Ok((A::read(a)?, B::read(b)?)),
                _ => Err(Fault::expected("a pair")),
            },
            _ => Err(Fault::expected("a pair")),
        }
    }
}

/// What [`to_json!`](crate::to_json) leaves out where it may.
#[must_use]
pub fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The members of a JSON object, in the order in which they stand.
type Pairs<'a> = Vec<(Cow<'a, str>, Value<'a>)>;

/// How a struct with named fields is written: `to_json! { Position { epoch, offset } }`. A field that is `None` is left
/// out; one that is marked `= omitted_default` is left out when it has its default.
#[macro_export]
macro_rules! to_json {
    ($name:ident { $($field:ident $(= $mode:ident)?),* $(,)? }) => {
        impl $crate::json::Fields for $name {
            #[allow(unused_variables, reason = "a struct without fields writes none")]
            fn write_fields(&self, out: &mut $crate::json::Writer) {
                // Without `..`: a field that is forgotten does not compile.
                let Self { $($field),* } = self;
                $($crate::to_json!(@field out, $field $(= $mode)?);)*
            }
        }

        impl $crate::json::ToJson for $name {
            fn write(&self, out: &mut $crate::json::Writer) {
                out.record(self);
            }
        }
    };
    (@field $out:ident, $field:ident = omitted_default) => {
        if !$crate::json::is_default($field) {
            $out.field(stringify!($field), $field);
        }
    };
    (@field $out:ident, $field:ident $(= default)?) => {
        $out.field(stringify!($field), $field);
    };
}

/// How a struct with named fields is read; what it does not name is ignored. A field that is marked `= default` or
/// `= omitted_default` has its default when it is missing; an `Option` is `None`.
///
/// The fields are read by one function for all structs, each into its place: what is written out here, for every struct, is
/// only where those are.
#[macro_export]
macro_rules! from_json {
    ($name:ident { $($field:ident $(= $mode:ident)?),* $(,)? }) => {
        impl $crate::json::FromJson for $name {
            fn read(value: &$crate::json::Value<'_>) -> Result<Self, $crate::json::Fault> {
                $(let mut $field = $crate::from_json!(@missing $($mode)?);)*
                value.members()?.fill(&mut [$((stringify!($field), &mut $field)),*])?;
                match ($($field,)*) {
                    ($(Some($field),)*) => Ok(Self { $($field),* }),
                    #[allow(unreachable_patterns, reason = "a struct without fields misses none")]
                    _ => Err($crate::json::Fault::Missing("a field")),
                }
            }
        }
    };
    (@missing) => { None };
    (@missing $mode:ident) => { Some(Default::default()) };
}
