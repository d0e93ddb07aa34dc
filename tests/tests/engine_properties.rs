//! Generated documents, cut anywhere: the finished page is the oracle's, and every page on the way can be drawn.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use riacho_tests::chunked::{self, PARTS};
use riacho_tests::oracle::{Stream, oracle, streamed};
use riacho_wasm::core::policy::Policy;

fn document() -> impl Strategy<Value = String> {
    let lines = prop::collection::vec(prop::sample::select(PARTS), 0..40);
    lines.prop_map(|parts| parts.concat())
}

/// The same documents in each run: what is new is looked for by `cargo xtask soak fuzz`, and by `PROPTEST_RNG_SEED`.
fn config() -> ProptestConfig {
    let cases = if cfg!(debug_assertions) { 400 } else { 20_000 };
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) };
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(0x0072_6961_6368_6f00);
    }
    config
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_chunking_ends_on_the_oracle(
        text in document(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let places = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        let shown = streamed(chunked::pieces(&text, places)).page.shown();
        prop_assert_eq!(shown, oracle(&text, &Policy::default(), "m"));
    }

    #[test]
    fn by_character_too(text in document()) {
        let pieces = text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()]);
        prop_assert_eq!(streamed(pieces).page.shown(), oracle(&text, &Policy::default(), "m"));
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_sanitiser_that_fails_leaves_html_as_text(text in document()) {
        let broken = |_: &[u8]| Vec::new();
        let (mut without, mut with) = (Stream::default(), Stream::default());
        for piece in text.split_inclusive('\n') {
            with.engine.push(piece);
            with.engine.flush(Some(&broken));
            without.engine.push(piece);
        }
        with.engine.end(Some(&broken));
        without.engine.end(None);
        without.engine.sanitizer_failed();
        with.take();
        without.take();
        prop_assert_eq!(with.page.shown(), without.page.shown());
    }
}
