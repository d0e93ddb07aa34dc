//! web_atoms 0.3.0 of html5ever, but for the table of named entities: packed, it is 60 KB of brotli less to download.
//!
//! Copyright 2014-2017 The html5ever Project Developers, under Apache 2.0 or MIT as beside this. What differs is
//! `NAMED_ENTITIES`: there it is a perfect hash of every name and every beginning of one, here a sorted list, packed by
//! `build.rs` and unpacked when the first entity is met. `README.md` says how to follow a new version.

#![allow(unexpected_cfgs)]
// What string_cache generates.
#![allow(clippy::all)]

mod entities;

pub use entities::{NamedEntities, NAMED_ENTITIES};

/// The spec replaces most characters in the ISO-2022 C1 control code range
/// (U+0080 through U+009F) with these characters, based on Windows 8-bit
/// codepages.
pub static C1_REPLACEMENTS: [Option<char>; 32] = [
    Some('\u{20ac}'),
    None,
    Some('\u{201a}'),
    Some('\u{0192}'),
    Some('\u{201e}'),
    Some('\u{2026}'),
    Some('\u{2020}'),
    Some('\u{2021}'),
    Some('\u{02c6}'),
    Some('\u{2030}'),
    Some('\u{0160}'),
    Some('\u{2039}'),
    Some('\u{0152}'),
    None,
    Some('\u{017d}'),
    None,
    None,
    Some('\u{2018}'),
    Some('\u{2019}'),
    Some('\u{201c}'),
    Some('\u{201d}'),
    Some('\u{2022}'),
    Some('\u{2013}'),
    Some('\u{2014}'),
    Some('\u{02dc}'),
    Some('\u{2122}'),
    Some('\u{0161}'),
    Some('\u{203a}'),
    Some('\u{0153}'),
    None,
    Some('\u{017e}'),
    Some('\u{0178}'),
];

include!(concat!(env!("OUT_DIR"), "/generated.rs"));
