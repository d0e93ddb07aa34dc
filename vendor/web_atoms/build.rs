//! Packs the named entities, and makes the atoms as web_atoms 0.3.0 does.

use std::env;
use std::fs;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

static NAMESPACES: &[(&str, &str)] = &[
    ("", ""),
    ("*", "*"),
    ("html", "http://www.w3.org/1999/xhtml"),
    ("xml", "http://www.w3.org/XML/1998/namespace"),
    ("xmlns", "http://www.w3.org/2000/xmlns/"),
    ("xlink", "http://www.w3.org/1999/xlink"),
    ("svg", "http://www.w3.org/2000/svg"),
    ("mathml", "http://www.w3.org/1998/Math/MathML"),
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=entities.txt");
    println!("cargo::rerun-if-changed=local_names.txt");
    let out = PathBuf::from(env::var("OUT_DIR").unwrap());
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap());
    fs::write(out.join("entities.bin"), packed(&fs::read_to_string(here.join("entities.txt")).unwrap())).unwrap();
    atoms(&here, &out);
}

/// See `PACKED` in `entities.rs`.
fn packed(entities: &str) -> String {
    let mut packed = String::new();
    let mut before = "";
    for line in entities.lines() {
        let (name, codes) = line.split_once(' ').unwrap();
        assert!(before < name, "{name} is not behind {before}");
        let shared = name.bytes().zip(before.bytes()).take_while(|(a, b)| a == b).count();
        packed.push(char::from(u8::try_from(shared + 1).unwrap()));
        packed.push_str(&name[shared..]);
        packed.push(' ');
        for code in codes.split(' ') {
            packed.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
        }
        packed.push('\0');
        before = name;
    }
    packed
}

fn atoms(here: &Path, out: &Path) {
    let mut generated = BufWriter::new(File::create(out.join("generated.rs")).unwrap());

    // Create a string cache for local names
    let mut local_names_atom = string_cache_codegen::AtomType::new("LocalName", "local_name!");
    for local_name in fs::read_to_string(here.join("local_names.txt")).unwrap().lines() {
        local_names_atom.atom(local_name);
        local_names_atom.atom(&local_name.to_ascii_lowercase());
    }
    local_names_atom
        .with_macro_doc("Takes a local name as a string and returns its key in the string cache.")
        .write_to(&mut generated)
        .unwrap();

    // Create a string cache for namespace prefixes
    string_cache_codegen::AtomType::new("Prefix", "namespace_prefix!")
        .with_macro_doc("Takes a namespace prefix string and returns its key in a string cache.")
        .atoms(NAMESPACES.iter().map(|&(prefix, _url)| prefix))
        .write_to(&mut generated)
        .unwrap();

    // Create a string cache for namespace urls
    string_cache_codegen::AtomType::new("Namespace", "namespace_url!")
        .with_macro_doc("Takes a namespace url string and returns its key in a string cache.")
        .atoms(NAMESPACES.iter().map(|&(_prefix, url)| url))
        .write_to(&mut generated)
        .unwrap();

    writeln!(
        generated,
        r#"
        /// Maps the input of [`namespace_prefix!`](macro.namespace_prefix.html) to
        /// the output of [`namespace_url!`](macro.namespace_url.html).
        ///
        #[macro_export] macro_rules! ns {{
        "#
    )
    .unwrap();
    for &(prefix, url) in NAMESPACES {
        writeln!(generated, "({prefix}) => {{ $crate::namespace_url!({url:?}) }};").unwrap();
    }
    writeln!(generated, "}}").unwrap();
}
