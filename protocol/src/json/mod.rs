//! JSON as the wire needs it: a type says how it is written and how it is read, and nothing here is generic over formats.
//!
//! Why not serde_json in the browser: it was 160 KB of the module there, and a frame has a dozen plain fields. It still
//! judges this: `tests/json.rs` holds both against each other.

mod read;
mod write;

use std::borrow::Cow;
use std::fmt;

pub use read::{Malformed, Members, Value};
pub use write::{Writer, decimal};

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

/// How a value is read: into the place where it will stand, so that one function reads the fields of all structs.
pub trait FromJson {
    /// What stands there before. It may be no valid value: nobody is to have it but who fills it.
    fn blank() -> Self
    where
        Self: Sized;

    /// # Errors
    /// [`Fault`] when the value is something else; then what stands there is of no use.
    fn fill(&mut self, value: &Value<'_>) -> Result<(), Fault>;

    /// A field that is missing stays blank.
    fn may_be_missing(&self) -> bool {
        false
    }

    /// # Errors
    /// [`Fault`] when the value is something else.
    fn read(value: &Value<'_>) -> Result<Self, Fault>
    where
        Self: Sized,
    {
        let mut place = Self::blank();
        place.fill(value)?;
        Ok(place)
    }
}

/// Why a JSON value is not what it was read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    Missing(&'static str),
    Twice(&'static str),
    Unfit { field: &'static str, expected: &'static str },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words())
    }
}

impl Fault {
    /// What `Display` says, without the machinery that formats.
    #[must_use]
    pub fn words(&self) -> String {
        match *self {
            Fault::Missing(field) => [field, " is missing"].concat(),
            Fault::Twice(field) => [field, " stands twice"].concat(),
            Fault::Unfit { field, expected } => [field, " is not ", expected].concat(),
        }
    }

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
    fn blank() -> Self {
        None
    }

    fn fill(&mut self, value: &Value<'_>) -> Result<(), Fault> {
        match value {
            Value::Null => Ok(()),
            value => self.insert(T::blank()).fill(value),
        }
    }

    fn may_be_missing(&self) -> bool {
        true
    }
}

impl ToJson for bool {
    fn write(&self, out: &mut Writer) {
        out.raw(if *self { "true" } else { "false" });
    }
}

impl FromJson for bool {
    fn blank() -> Self {
        false
    }

    fn fill(&mut self, value: &Value<'_>) -> Result<(), Fault> {
        let Value::Bool(bool) = value else { return Err(Fault::expected("true or false")) };
        *self = *bool;
        Ok(())
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
            fn blank() -> Self {
                0
            }

            fn fill(&mut self, value: &Value<'_>) -> Result<(), Fault> {
                let number = value.whole().and_then(|n| n.try_into().ok());
                *self = number.ok_or(Fault::expected($expected))?;
                Ok(())
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
    fn blank() -> Self {
        String::new()
    }

    fn fill(&mut self, value: &Value<'_>) -> Result<(), Fault> {
        self.push_str(value.text().ok_or(Fault::expected("a string"))?);
        Ok(())
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
    fn blank() -> Self {
        Vec::new()
    }

    fn fill(&mut self, value: &Value<'_>) -> Result<(), Fault> {
        let Value::Array(items) = value else { return Err(Fault::expected("a list")) };
        for item in items {
            self.push(T::blank());
            self.last_mut().map_or(Ok(()), |place| place.fill(item))?;
        }
        Ok(())
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
    fn blank() -> Self {
        (A::blank(), B::blank())
    }

    fn fill(&mut self, value: &Value<'_>) -> Result<(), Fault> {
        match value {
            Value::Array(items) if let [a, b] = items.as_slice() => {
                self.0.fill(a)?;
                self.1.fill(b)
            }
            _ => Err(Fault::expected("a pair")),
        }
    }
}

/// What stands before the first of a byte that is ASCII, and what behind it.
#[must_use]
pub fn cut(text: &str, ascii: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| byte == ascii)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
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
                out.fields(concat!($(stringify!($field), " "),*), &[$($crate::to_json!(@field $field $(= $mode)?)),*]);
            }
        }

        impl $crate::json::ToJson for $name {
            fn write(&self, out: &mut $crate::json::Writer) {
                out.record(self);
            }
        }
    };
    (@field $field:ident = omitted_default) => {
        if $crate::json::is_default($field) { &None::<bool> as &dyn $crate::json::ToJson } else { $field }
    };
    (@field $field:ident $(= default)?) => {
        $field as &dyn $crate::json::ToJson
    };
}

/// How a struct with named fields is read; what it does not name is ignored. A field that is marked `= default` or
/// `= omitted_default` has its default when it is missing; an `Option` is `None`.
///
/// The fields are read by one function for all structs, each into its place: what is written out here, for every struct, is
/// only what they are called and where those are.
#[macro_export]
macro_rules! from_json {
    ($name:ident { $($field:ident $(= $mode:ident)?),* $(,)? }) => {
        impl $crate::json::FromJson for $name {
            fn blank() -> Self {
                Self { $($field: $crate::from_json!(@blank $($mode)?)),* }
            }

            fn fill(&mut self, value: &$crate::json::Value<'_>) -> Result<(), $crate::json::Fault> {
                const NAMES: &str = concat!($(stringify!($field), $crate::from_json!(@mark $($mode)?)),*);
                value.members()?.fill(NAMES, &mut [$(&mut self.$field),*])
            }
        }
    };
    (@blank) => { $crate::json::FromJson::blank() };
    (@blank $mode:ident) => { Default::default() };
    (@mark) => { " " };
    (@mark $mode:ident) => { "? " };
}
