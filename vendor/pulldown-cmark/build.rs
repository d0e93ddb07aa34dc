//! Packs the named entities: see `src/entities.rs`.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// One table for both modules: the sanitiser's has the names that need no `;`, too.
const TABLE: &str = "../web_atoms/entities.txt";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={TABLE}");
    let out = PathBuf::from(env::var("OUT_DIR").unwrap());
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap());
    let table = fs::read_to_string(Path::new(&here).join(TABLE)).unwrap();
    fs::write(out.join("entities.txt"), packed(&table)).unwrap();
}

/// Added to each number, so that none is a letter's: as in `src/entities.rs`.
const OFFSET: u32 = 0x6c0;

/// The names by what they stand for, in the order of its first character: neighbours there have names alike, which is
/// what brotli lives on. So it does on long names before short ones.
fn packed(table: &str) -> String {
    let mut by_value: BTreeMap<Vec<u32>, Vec<&str>> = BTreeMap::new();
    for line in table.lines() {
        let (name, codes) = line.split_once(' ').unwrap();
        if let Some(name) = name.strip_suffix(';') {
            let codes = codes.split(' ').map(|code| u32::from_str_radix(code, 16).unwrap()).collect();
            by_value.entry(codes).or_default().push(name);
        }
    }
    let mut packed = String::new();
    let mut before = 0;
    for (codes, mut names) in by_value {
        names.sort_unstable_by_key(|name| (Reverse(name.len()), *name));
        packed.push(char::from_u32(codes[0] - before + OFFSET).unwrap());
        before = codes[0];
        packed.extend(codes[1..].iter().map(|code| char::from_u32(code + OFFSET).unwrap()));
        packed.push_str(&names.join(","));
    }
    packed + ","
}
