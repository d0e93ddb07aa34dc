//! What the fuzzer keeps: inputs that between them reach all the code it has found a way to. Each ends on the oracle.

use std::fs;
use std::path::Path;

use riacho_tests::chunked::Chunked;

#[test]
fn every_kept_seed_ends_on_the_oracle() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/chunks");
    let mut count = 0;
    for seed in fs::read_dir(&seeds).unwrap() {
        Chunked::from_bytes(&fs::read(seed.unwrap().path()).unwrap()).check();
        count += 1;
    }
    assert!(count > 0, "no seeds in {}", seeds.display());
}
