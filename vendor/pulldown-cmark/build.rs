//! Packs the named entities: see `src/entities.rs`.

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

/// The names by what they stand for, in the order of its first character: neighbours there have names alike, which is
/// what brotli lives on.
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
        names.sort_unstable();
        let mut distance = codes[0] - before;
        if distance >= 0xd800 {
            // No character has that number: two steps, the first one to nothing that has a name.
            packed.push_str("\u{8000}\n");
            distance -= 0x8000;
        }
        packed.push(char::from_u32(distance).unwrap());
        before = codes[0];
        for &code in &codes[1..] {
            packed.push(char::from_u32(code).unwrap());
            packed.push(' ');
        }
        packed.push_str(&names.join(","));
        packed.push('\n');
    }
    packed
}
