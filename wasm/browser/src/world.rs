//! Time, chance, ids, and whether the sanitiser is there: the browser's, or those that a tape remembers.
//!
//! A tape is made by `riacho/debug`. It hears all that a client or a stream is told, or says it again; then nothing of
//! the browser's clock, chance or network gets in.

use wasm_bindgen::prelude::*;

use crate::clock;

#[wasm_bindgen]
extern "C" {
    pub type Tape;
    #[wasm_bindgen(method, getter, js_name = isReplay)]
    fn is_replay(this: &Tape) -> bool;
    /// Something happens. What is read until the next thing happens belongs to it.
    #[wasm_bindgen(method)]
    fn input(this: &Tape, name: &str, text: Option<&str>);
    #[wasm_bindgen(method)]
    fn now(this: &Tape) -> f64;
    #[wasm_bindgen(method)]
    fn random(this: &Tape) -> u32;
    #[wasm_bindgen(method)]
    fn id(this: &Tape) -> String;
    /// The sanitiser is there. Whether it was, when the tape heard it.
    #[wasm_bindgen(method)]
    fn sanitizer(this: &Tape) -> bool;
}

/// What a client, or a stream, knows of the world beside what happens to it.
pub struct World {
    tape: Option<Tape>,
    /// What happens comes from the tape alone: no socket, no timer, no frame.
    pub is_replay: bool,
}

impl World {
    pub fn new(tape: Option<Tape>) -> Self {
        let is_replay = tape.as_ref().is_some_and(Tape::is_replay);
        Self { tape, is_replay }
    }

    /// To be called before anything comes of it: what ends the wasm is on the tape, too.
    pub fn input(&self, name: &str, text: Option<&str>) {
        if let Some(tape) = &self.tape {
            tape.input(name, text);
        }
    }

    pub fn now(&self) -> u64 {
        self.tape.as_ref().map_or_else(clock::now, |tape| clock::millis(tape.now()))
    }

    pub fn random(&self) -> u32 {
        self.tape.as_ref().map_or_else(clock::random, Tape::random)
    }

    pub fn new_id(&self) -> String {
        self.tape.as_ref().map_or_else(clock::new_id, Tape::id)
    }

    /// What is loaded, if it is there as far as the tape knows.
    pub fn sanitizer<S>(&self, loaded: Option<S>) -> Option<S> {
        loaded.filter(|_| self.tape.as_ref().is_none_or(Tape::sanitizer))
    }
}
