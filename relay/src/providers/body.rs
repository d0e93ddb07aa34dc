//! The body of a request to a provider.

use riacho_protocol::Number;
use serde_json::Value;

/// Sets a field of a request, if there is something to set.
pub fn set(body: &mut Value, name: &str, value: Option<Value>) {
    if let (Some(value), Some(body)) = (value, body.as_object_mut()) {
        body.insert(name.to_owned(), value);
    }
}

/// A number of the wire, as a provider's request holds it.
pub fn number(number: &Option<Number>) -> Option<Value> {
    number.as_ref().and_then(Number::to_f64).map(Value::from)
}
