//! The policy of the page, and that these tests would hear of a breach.

use std::time::Instant;

use riacho_tests::PATIENCE;
use riacho_tests::browser::LogLine;
use riacho_tests::scene::{Setup, play};

const CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
                   connect-src 'self'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'";

#[test]
fn the_page_is_served_under_the_policy() {
    play(Setup::default(), async |scene| {
        let script = "return fetch('/').then((response) => response.headers.get('content-security-policy'));";
        let policy: String = scene.page.run(script, vec![]).await;
        assert_eq!(policy, CSP);
    });
}

#[test]
fn a_breach_of_the_policy_would_be_seen() {
    play(Setup::default(), async |scene| {
        let script = "
            try { document.body.insertAdjacentHTML('beforeend', '<i>x</i>'); } catch { }
            document.body.append(Object.assign(document.createElement('img'), { src: 'https://example.org/beacon' }));
            console.error('on purpose');";
        scene.page.run::<()>(script, vec![]).await;
        let began = Instant::now();
        let mut errors = Vec::new();
        while errors.len() < 3 {
            errors.extend(scene.browser.log().await.into_iter().filter(LogLine::is_error));
            assert!(began.elapsed() < PATIENCE, "only these errors came: {errors:?}");
        }
        for part in ["TrustedHTML", "Content Security Policy", "on purpose"] {
            assert!(errors.iter().any(|line| line.message.contains(part)), "{part}: {errors:?}");
        }
    });
}
