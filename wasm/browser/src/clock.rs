//! Time, in milliseconds, random numbers and ids: what a pure core takes as arguments.

use js_sys::{Date, Math};

use crate::ids::uuid_v7;

/// A clock that never goes back.
pub fn now() -> u64 {
    let now = web_sys::window().and_then(|window| window.performance()).map_or_else(Date::now, |p| p.now());
    millis(now)
}

/// Good enough to spread reconnects, and for nothing else.
pub fn random() -> u32 {
    (Math::random() * f64::from(u32::MAX)) as u32
}

/// A fresh UUID of version 7.
pub fn new_id() -> String {
    let mut bytes = [0; 10];
    let strong = web_sys::window()
        .and_then(|window| window.crypto().ok())
        .is_some_and(|crypto| crypto.get_random_values_with_u8_array(&mut bytes).is_ok());
    if !strong {
        bytes.iter_mut().for_each(|byte| *byte = (Math::random() * 256.0) as u8);
    }
    uuid_v7(millis(Date::now()), bytes)
}

pub fn millis(ms: f64) -> u64 {
    // `as` saturates, and neither clock is negative.
    ms as u64
}
