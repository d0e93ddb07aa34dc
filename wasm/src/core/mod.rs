//! The pure part: no JavaScript, no clock, no randomness; time and random bytes are arguments.
