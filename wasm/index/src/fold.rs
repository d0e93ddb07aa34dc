//! Unicode case folding, common and full: <https://www.unicode.org/Public/UCD/latest/ucd/CaseFolding.txt>, of Unicode 18.

use crate::packed::{Packed, pack, packed_length};

/// Appends a text with its case folded: two texts are the same but for case if these are equal.
#[cfg_attr(riacho_module, optimize(speed))]
pub fn fold(text: &str, out: &mut String) {
    out.reserve(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c.to_ascii_lowercase());
        } else {
            fold_char(c, out);
        }
    }
}

/// A text with its case folded.
pub fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut out = String::new();
    fold(text, &mut out);
    out
}

fn fold_char(c: char, out: &mut String) {
    let code = u32::from(c);
    let (runs, _) = PACKED.numbers().as_chunks::<3>();
    let run = runs.partition_point(|run| run[0] <= code).checked_sub(1).and_then(|at| runs.get(at));
    let Some(&[first, which, far]) = run else {
        return out.push(c);
    };
    let (distance, kind) = (code - first, which % 4);
    let steps = if kind == SECOND { 2 } else { 1 };
    if distance > which / 4 * steps || !distance.is_multiple_of(steps) {
        return out.push(c);
    }
    if kind == LONG {
        let (_, folded) = FULL.split_once(c).unwrap_or_default();
        return out.push_str(folded.split_once(' ').unwrap_or_default().0);
    }
    let up = far / 2;
    out.extend(char::from_u32(if far % 2 == 0 { code + up } else { code - up }));
    if kind == IOTA {
        out.push('ι');
    }
}

/// A first character, how many more, which these are, and how far it is from each to what it folds to.
type Run = (u32, u32, u32, i32);

/// Each behind the first.
const EACH: u32 = 0;
/// Every second behind the first.
const SECOND: u32 = 1;
/// Each, and behind what it folds to is an iota.
const IOTA: u32 = 2;
/// Each folds to what is behind it in [`FULL`].
const LONG: u32 = 3;

/// [`RUNS`], three numbers each: how far its first character is from the one before, how many more times four and which,
/// and how far times two, odd if it is down.
static PACKED: Packed = Packed::new(&BYTES, 3);
static BYTES: [u8; packed_length(&NUMBERS)] = pack(&NUMBERS);
const NUMBERS: [u32; 3 * RUNS.len()] = numbers();

const fn numbers() -> [u32; 3 * RUNS.len()] {
    let mut numbers = [0; 3 * RUNS.len()];
    let (mut at, mut before) = (0, 0);
    while at < RUNS.len() {
        let (first, more, kind, far) = RUNS[at];
        numbers[3 * at] = first - before;
        numbers[3 * at + 1] = more * 4 + kind;
        numbers[3 * at + 2] = far.unsigned_abs() * 2 + (far < 0) as u32;
        before = first;
        at += 1;
    }
    numbers
}

const FULL: &str = "\
    ßss İi\u{307} ŉ\u{2bc}n ǰj\u{30c} ΐι\u{308}\u{301} ΰυ\u{308}\u{301} ևեւ ẖh\u{331} ẗt\u{308} \
    ẘw\u{30a} ẙy\u{30a} ẚa\u{2be} ẞss ὐυ\u{313} ὒυ\u{313}\u{300} ὔυ\u{313}\u{301} ὖυ\u{313}\u{342} \
    ᾶα\u{342} ᾷα\u{342}ι ῆη\u{342} ῇη\u{342}ι ῒι\u{308}\u{300} ΐι\u{308}\u{301} ῖι\u{342} \
    ῗι\u{308}\u{342} ῢυ\u{308}\u{300} ΰυ\u{308}\u{301} ῤρ\u{313} ῦυ\u{342} ῧυ\u{308}\u{342} ῶω\u{342} \
    ῷω\u{342}ι \u{fb00}ff \u{fb01}fi \u{fb02}fl \u{fb03}ffi \u{fb04}ffl \u{fb05}st \u{fb06}st \
    \u{fb13}մն \u{fb14}մե \u{fb15}մի \u{fb16}վն \u{fb17}մխ \u{1df95}ss ";

/// In order.
#[rustfmt::skip]
const RUNS: [Run; 249] = [
    (0x41, 25, EACH, 32), (0xb5, 0, EACH, 775), (0xc0, 22, EACH, 32), (0xd8, 6, EACH, 32),
    (0xdf, 0, LONG, 0), (0x100, 23, SECOND, 1), (0x130, 0, LONG, 0), (0x132, 2, SECOND, 1),
    (0x139, 7, SECOND, 1), (0x149, 0, LONG, 0), (0x14a, 22, SECOND, 1), (0x178, 0, EACH, -121),
    (0x179, 2, SECOND, 1), (0x17f, 0, EACH, -268), (0x181, 0, EACH, 210), (0x182, 1, SECOND, 1),
    (0x186, 0, EACH, 206), (0x187, 0, EACH, 1), (0x189, 1, EACH, 205), (0x18b, 0, EACH, 1),
    (0x18e, 0, EACH, 79), (0x18f, 0, EACH, 202), (0x190, 0, EACH, 203), (0x191, 0, EACH, 1),
    (0x193, 0, EACH, 205), (0x194, 0, EACH, 207), (0x196, 0, EACH, 211), (0x197, 0, EACH, 209),
    (0x198, 0, EACH, 1), (0x19c, 0, EACH, 211), (0x19d, 0, EACH, 213), (0x19f, 0, EACH, 214),
    (0x1a0, 2, SECOND, 1), (0x1a6, 0, EACH, 218), (0x1a7, 0, EACH, 1), (0x1a9, 0, EACH, 218),
    (0x1ac, 0, EACH, 1), (0x1ae, 0, EACH, 218), (0x1af, 0, EACH, 1), (0x1b1, 1, EACH, 217),
    (0x1b3, 1, SECOND, 1), (0x1b7, 0, EACH, 219), (0x1b8, 0, EACH, 1), (0x1bc, 0, EACH, 1),
    (0x1c4, 0, EACH, 2), (0x1c5, 0, EACH, 1), (0x1c7, 0, EACH, 2), (0x1c8, 0, EACH, 1),
    (0x1ca, 0, EACH, 2), (0x1cb, 8, SECOND, 1), (0x1de, 8, SECOND, 1), (0x1f0, 0, LONG, 0),
    (0x1f1, 0, EACH, 2), (0x1f2, 1, SECOND, 1), (0x1f6, 0, EACH, -97), (0x1f7, 0, EACH, -56),
    (0x1f8, 19, SECOND, 1), (0x220, 0, EACH, -130), (0x222, 8, SECOND, 1), (0x23a, 0, EACH, 10795),
    (0x23b, 0, EACH, 1), (0x23d, 0, EACH, -163), (0x23e, 0, EACH, 10792), (0x241, 0, EACH, 1),
    (0x243, 0, EACH, -195), (0x244, 0, EACH, 69), (0x245, 0, EACH, 71), (0x246, 4, SECOND, 1),
    (0x345, 0, EACH, 116), (0x370, 1, SECOND, 1), (0x376, 0, EACH, 1), (0x37f, 0, EACH, 116),
    (0x386, 0, EACH, 38), (0x388, 2, EACH, 37), (0x38c, 0, EACH, 64), (0x38e, 1, EACH, 63),
    (0x390, 0, LONG, 0), (0x391, 16, EACH, 32), (0x3a3, 8, EACH, 32), (0x3b0, 0, LONG, 0),
    (0x3c2, 0, EACH, 1), (0x3cf, 0, EACH, 8), (0x3d0, 0, EACH, -30), (0x3d1, 0, EACH, -25),
    (0x3d5, 0, EACH, -15), (0x3d6, 0, EACH, -22), (0x3d8, 11, SECOND, 1), (0x3f0, 0, EACH, -54),
    (0x3f1, 0, EACH, -48), (0x3f4, 0, EACH, -60), (0x3f5, 0, EACH, -64), (0x3f7, 0, EACH, 1),
    (0x3f9, 0, EACH, -7), (0x3fa, 0, EACH, 1), (0x3fd, 2, EACH, -130), (0x400, 15, EACH, 80),
    (0x410, 31, EACH, 32), (0x460, 16, SECOND, 1), (0x48a, 26, SECOND, 1), (0x4c0, 0, EACH, 15),
    (0x4c1, 6, SECOND, 1), (0x4d0, 47, SECOND, 1), (0x531, 37, EACH, 48), (0x587, 0, LONG, 0),
    (0x10a0, 37, EACH, 7264), (0x10c7, 0, EACH, 7264), (0x10cd, 0, EACH, 7264), (0x13f8, 5, EACH, -8),
    (0x1c80, 0, EACH, -6222), (0x1c81, 0, EACH, -6221), (0x1c82, 0, EACH, -6212),
    (0x1c83, 1, EACH, -6210), (0x1c85, 0, EACH, -6211), (0x1c86, 0, EACH, -6204),
    (0x1c87, 0, EACH, -6180), (0x1c88, 0, EACH, 35267), (0x1c89, 0, EACH, 1), (0x1c90, 42, EACH, -3008),
    (0x1cbd, 2, EACH, -3008), (0x1e00, 74, SECOND, 1), (0x1e96, 4, LONG, 0), (0x1e9b, 0, EACH, -58),
    (0x1e9e, 0, LONG, 0), (0x1ea0, 47, SECOND, 1), (0x1f08, 7, EACH, -8), (0x1f18, 5, EACH, -8),
    (0x1f28, 7, EACH, -8), (0x1f38, 7, EACH, -8), (0x1f48, 5, EACH, -8), (0x1f50, 0, LONG, 0),
    (0x1f52, 0, LONG, 0), (0x1f54, 0, LONG, 0), (0x1f56, 0, LONG, 0), (0x1f59, 3, SECOND, -8),
    (0x1f68, 7, EACH, -8), (0x1f80, 7, IOTA, -128), (0x1f88, 7, IOTA, -136), (0x1f90, 7, IOTA, -112),
    (0x1f98, 7, IOTA, -120), (0x1fa0, 7, IOTA, -64), (0x1fa8, 7, IOTA, -72), (0x1fb2, 0, IOTA, -66),
    (0x1fb3, 0, IOTA, -7170), (0x1fb4, 0, IOTA, -7176), (0x1fb6, 1, LONG, 0), (0x1fb8, 1, EACH, -8),
    (0x1fba, 1, EACH, -74), (0x1fbc, 0, IOTA, -7179), (0x1fbe, 0, EACH, -7173), (0x1fc2, 0, IOTA, -78),
    (0x1fc3, 0, IOTA, -7180), (0x1fc4, 0, IOTA, -7190), (0x1fc6, 1, LONG, 0), (0x1fc8, 3, EACH, -86),
    (0x1fcc, 0, IOTA, -7189), (0x1fd2, 1, LONG, 0), (0x1fd6, 1, LONG, 0), (0x1fd8, 1, EACH, -8),
    (0x1fda, 1, EACH, -100), (0x1fe2, 2, LONG, 0), (0x1fe6, 1, LONG, 0), (0x1fe8, 1, EACH, -8),
    (0x1fea, 1, EACH, -112), (0x1fec, 0, EACH, -7), (0x1ff2, 0, IOTA, -118), (0x1ff3, 0, IOTA, -7210),
    (0x1ff4, 0, IOTA, -7206), (0x1ff6, 1, LONG, 0), (0x1ff8, 1, EACH, -128), (0x1ffa, 1, EACH, -126),
    (0x1ffc, 0, IOTA, -7219), (0x2126, 0, EACH, -7517), (0x212a, 0, EACH, -8383),
    (0x212b, 0, EACH, -8262), (0x2132, 0, EACH, 28), (0x2160, 15, EACH, 16), (0x2183, 0, EACH, 1),
    (0x24b6, 25, EACH, 26), (0x2c00, 47, EACH, 48), (0x2c60, 0, EACH, 1), (0x2c62, 0, EACH, -10743),
    (0x2c63, 0, EACH, -3814), (0x2c64, 0, EACH, -10727), (0x2c67, 2, SECOND, 1),
    (0x2c6d, 0, EACH, -10780), (0x2c6e, 0, EACH, -10749), (0x2c6f, 0, EACH, -10783),
    (0x2c70, 0, EACH, -10782), (0x2c72, 0, EACH, 1), (0x2c75, 0, EACH, 1), (0x2c7e, 1, EACH, -10815),
    (0x2c80, 49, SECOND, 1), (0x2ceb, 1, SECOND, 1), (0x2cf2, 0, EACH, 1), (0xa640, 22, SECOND, 1),
    (0xa680, 13, SECOND, 1), (0xa722, 6, SECOND, 1), (0xa732, 30, SECOND, 1), (0xa779, 1, SECOND, 1),
    (0xa77d, 0, EACH, -35332), (0xa77e, 4, SECOND, 1), (0xa78b, 0, EACH, 1), (0xa78d, 0, EACH, -42280),
    (0xa790, 1, SECOND, 1), (0xa796, 9, SECOND, 1), (0xa7aa, 0, EACH, -42308),
    (0xa7ab, 0, EACH, -42319), (0xa7ac, 0, EACH, -42315), (0xa7ad, 0, EACH, -42305),
    (0xa7ae, 0, EACH, -42308), (0xa7b0, 0, EACH, -42258), (0xa7b1, 0, EACH, -42282),
    (0xa7b2, 0, EACH, -42261), (0xa7b3, 0, EACH, 928), (0xa7b4, 7, SECOND, 1), (0xa7c4, 0, EACH, -48),
    (0xa7c5, 0, EACH, -42307), (0xa7c6, 0, EACH, -35384), (0xa7c7, 1, SECOND, 1),
    (0xa7cb, 0, EACH, -42343), (0xa7cc, 7, SECOND, 1), (0xa7dc, 0, EACH, -42561),
    (0xa7dd, 0, EACH, -42342), (0xa7e2, 0, EACH, -42342), (0xa7f5, 0, EACH, 1), (0xab6c, 1, EACH, -33),
    (0xab70, 79, EACH, -38864), (0xfb00, 6, LONG, 0), (0xfb13, 4, LONG, 0), (0xff21, 25, EACH, 32),
    (0x10400, 39, EACH, 40), (0x104b0, 35, EACH, 40), (0x10570, 10, EACH, 39), (0x1057c, 14, EACH, 39),
    (0x1058c, 6, EACH, 39), (0x10594, 1, EACH, 39), (0x10c80, 50, EACH, 64), (0x10d50, 21, EACH, 32),
    (0x118a0, 31, EACH, 32), (0x16e40, 31, EACH, 32), (0x16ea0, 24, EACH, 27), (0x1df40, 0, EACH, 1),
    (0x1df48, 1, SECOND, 1), (0x1df4d, 0, EACH, 1), (0x1df51, 0, EACH, 1), (0x1df68, 3, SECOND, 1),
    (0x1df72, 6, SECOND, 1), (0x1df95, 0, LONG, 0), (0x1e900, 33, EACH, 34),
];

#[cfg(test)]
mod tests {
    use unicase::UniCase;

    use super::folded;

    #[test]
    fn every_character_folds_as_the_published_crate_says() {
        for c in '\0'..=char::MAX {
            let c = c.to_string();
            assert_eq!(folded(&c), UniCase::unicode(&c).to_folded_case(), "{c:?}");
        }
    }

    #[test]
    fn each_character_of_a_text_is_folded() {
        assert_eq!(folded("Straße ΣΊΣΥΦΟΣ İ ﬃ ᾷ K"), "strasse σίσυφοσ i\u{307} ffi α\u{342}ι k");
        assert_eq!(folded(""), "");
    }

    /// Labels are one if their folded texts are equal, also where one folds to several characters.
    #[test]
    fn the_same_texts_are_one() {
        let texts = [
            "ss", "ß", "ẞ", "SS", "s", "ſs", "ffi", "ﬃ", "ﬀi", "FFI", "k", "K", "ι", "\u{345}", "ᾳ", "αι",
            "ΑΙ", "ᾼ",
        ];
        for a in texts {
            for b in texts {
                assert_eq!(folded(a) == folded(b), UniCase::new(a) == UniCase::new(b), "{a} {b}");
            }
        }
    }
}
