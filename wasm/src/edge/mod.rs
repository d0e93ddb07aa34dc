//! The only place that knows JavaScript: the DOM, and what is exported. It decides nothing.

mod drawing;
pub mod exports;
mod images;
mod render;
mod sanitizer;
mod stream;

#[cfg(test)]
mod dom_tests;
/// What the native tests hold the engine to, as it stands.
#[cfg(test)]
#[allow(dead_code)]
#[path = "../../../tests/src/oracle.rs"]
mod oracle;
#[cfg(test)]
mod tests;
