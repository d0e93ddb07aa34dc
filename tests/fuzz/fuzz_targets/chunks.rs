//! Any bytes, read as a document and its cuts, must end on the oracle's page, and never panic.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use riacho_tests::chunked::{Chunked, PARTS};

fuzz_target!(|bytes: &[u8]| Chunked::from_bytes(bytes).check());

// Bytes alone seldom spell `[^1]: `: every other time a piece of markdown goes in somewhere, or takes another's place.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    if seed & 1 == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let seed = seed as usize >> 1;
    let mut input = Chunked::from_bytes(&data[..size]);
    let part = PARTS[seed % PARTS.len()];
    let from = input.text.floor_char_boundary(seed / PARTS.len() % (input.text.len() + 1));
    let until = if seed & 64 == 0 { from } else { input.text.floor_char_boundary(from + seed % 5) };
    input.text.replace_range(from..until.max(from), part);
    let bytes = input.to_bytes();
    if bytes.len() > max_size {
        return fuzzer_mutate(data, size, max_size);
    }
    data[..bytes.len()].copy_from_slice(&bytes);
    bytes.len()
});
