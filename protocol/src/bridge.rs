//! Values of the wire inside values that serde stores: written and read as the wire's own JSON, so that there is one truth.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::{FromJson, ToJson, from_text, to_text};

pub(crate) fn serialize<S: Serializer>(value: &dyn ToJson, serializer: S) -> Result<S::Ok, S::Error> {
    let value: serde_json::Value =
        serde_json::from_str(&to_text(value)).map_err(serde::ser::Error::custom)?;
    value.serialize(serializer)
}

pub(crate) fn deserialize<'de, T: FromJson, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    from_text(&value.to_string()).map_err(D::Error::custom)
}
