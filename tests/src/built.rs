//! What `cargo xtask test` has built and found, by the names under which it says so.

use std::env;
use std::path::PathBuf;

/// The site: the demo page, with the package in `riacho/`.
#[must_use]
pub fn site() -> PathBuf {
    path("RIACHO_SITE")
}

/// The relay's program.
#[must_use]
pub fn relay() -> PathBuf {
    path("RIACHO_RELAY")
}

/// The folder of the npm package.
#[must_use]
pub fn pkg() -> PathBuf {
    path("RIACHO_PKG")
}

/// What npm has installed for the site.
#[must_use]
pub fn modules() -> PathBuf {
    path("RIACHO_MODULES")
}

#[must_use]
pub fn npm() -> PathBuf {
    path("RIACHO_NPM")
}

/// The bundlers and frameworks of tests/consumers, as npm has installed them.
#[must_use]
pub fn consumers() -> PathBuf {
    path("RIACHO_CONSUMERS")
}

#[must_use]
pub fn chromium() -> PathBuf {
    path("RIACHO_CHROMIUM")
}

#[must_use]
pub fn chromedriver() -> PathBuf {
    path("RIACHO_CHROMEDRIVER")
}

#[must_use]
pub fn firefox() -> PathBuf {
    path("RIACHO_FIREFOX")
}

#[must_use]
pub fn geckodriver() -> PathBuf {
    path("RIACHO_GECKODRIVER")
}

/// The browser that WebKitGTK brings for its driver.
#[must_use]
pub fn webkit() -> PathBuf {
    path("RIACHO_WEBKIT")
}

#[must_use]
pub fn webkit_driver() -> PathBuf {
    path("RIACHO_WEBKIT_DRIVER")
}

fn path(name: &str) -> PathBuf {
    env::var_os(name)
        .unwrap_or_else(|| panic!("{name} is not set: run this by `cargo xtask test e2e`"))
        .into()
}
