//! Tells the browser's tests whether the conformance corpus is at hand: a browser has no environment to ask.

fn main() {
    println!("cargo:rerun-if-env-changed=RIACHO_CORPORA");
    println!("cargo:rustc-check-cfg=cfg(riacho_corpora)");
    if std::env::var_os("RIACHO_CORPORA").is_some() {
        println!("cargo:rustc-cfg=riacho_corpora");
    }
}
