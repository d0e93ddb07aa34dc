//! The programs that are not cargo's: found, or installed, or named in one clear line.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::cx::Cx;
use crate::{files, proc};

/// A program of the system, and the Debian package that has it.
struct Program {
    names: &'static [&'static str],
    package: &'static str,
}

const CHROMIUM: Program =
    Program { names: &["chromium", "chromium-browser", "google-chrome"], package: "chromium" };
const CHROMEDRIVER: Program = Program { names: &["chromedriver"], package: "chromium-driver" };
const FIREFOX: Program = Program { names: &["firefox-esr", "firefox"], package: "firefox-esr" };
const WEBKIT_DRIVER: Program = Program { names: &["WebKitWebDriver"], package: "webkit2gtk-driver" };
const XVFB: Program = Program { names: &["Xvfb"], package: "xvfb" };
const NODE: Program = Program { names: &["node"], package: "nodejs" };
const PYTHON: Program = Program { names: &["python3"], package: "python3" };
const PIP: Program = Program { names: &["pip3", "pip"], package: "python3-pip" };
const CXX: Program = Program { names: &["c++", "g++", "clang++"], package: "g++" };
const NPM: Program = Program { names: &["npm"], package: "npm" };

/// The browser and its driver. They must be of one version, so both come from one place.
pub struct Browser {
    pub chromium: PathBuf,
    pub chromedriver: PathBuf,
}

pub fn browser() -> Result<Browser> {
    let [chromium, chromedriver] = system([CHROMIUM, CHROMEDRIVER])?;
    Ok(Browser { chromium, chromedriver })
}

/// The other two browsers and their drivers.
pub struct Others {
    pub firefox: PathBuf,
    pub geckodriver: PathBuf,
    pub webkit: PathBuf,
    pub webkit_driver: PathBuf,
}

pub fn others(cx: &Cx) -> Result<Others> {
    let [firefox, webkit_driver, _] = system([FIREFOX, WEBKIT_DRIVER, XVFB])?;
    Ok(Others { firefox, geckodriver: geckodriver(cx)?, webkit: mini_browser()?, webkit_driver })
}

/// Debian has Firefox but not its driver.
fn geckodriver(cx: &Cx) -> Result<PathBuf> {
    Ok(crate_bin(cx, "geckodriver", "0.37.1", &["geckodriver"])?.join("geckodriver"))
}

/// `cargo fuzz`. It needs a C++ compiler for libFuzzer, and no nightly: there is no unsafe code for a sanitizer to watch.
pub fn cargo_fuzz(cx: &Cx) -> Result<PathBuf> {
    system([CXX])?;
    Ok(crate_bin(cx, "cargo-fuzz", "0.13.2", &["cargo-fuzz"])?.join("cargo-fuzz"))
}

/// The browser that comes with WebKitGTK's library, for its driver: `/usr/lib/<machine>/webkit2gtk-<version>/MiniBrowser`.
fn mini_browser() -> Result<PathBuf> {
    let entries = |dir: &Path| fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> = [Path::new("/usr/lib").to_owned(), Path::new("/usr/libexec").to_owned()]
        .into_iter()
        .flat_map(|dir| entries(&dir).chain([dir.clone()]).collect::<Vec<_>>())
        .flat_map(|dir| entries(&dir).collect::<Vec<_>>())
        .filter(|dir| dir.file_name().is_some_and(|name| name.to_string_lossy().starts_with("webkit")))
        .map(|dir| dir.join("MiniBrowser"))
        .filter(|program| program.is_file())
        .collect();
    found.sort();
    found.pop().context("WebKitGTK's MiniBrowser is missing: install the package webkit2gtk-driver")
}

/// npm, with the node that it needs.
pub fn npm() -> Result<PathBuf> {
    let [_, npm] = system([NODE, NPM])?;
    Ok(npm)
}

/// The folder of `wasm-bindgen` and `wasm-bindgen-test-runner`, of exactly the library's version: they refuse any other.
pub fn wasm_bindgen(cx: &Cx) -> Result<PathBuf> {
    let lock = files::read_text(&cx.root.join("Cargo.lock"))?;
    let version = locked_version(&lock, "wasm-bindgen")
        .context("Cargo.lock has no wasm-bindgen: nothing here can be built for the browser")?;
    crate_bin(cx, "wasm-bindgen-cli", version, &["wasm-bindgen", "wasm-bindgen-test-runner"])
}

/// The folder of a published crate's programs, built once.
fn crate_bin(cx: &Cx, name: &str, version: &str, programs: &[&str]) -> Result<PathBuf> {
    let home = cx.cache.join(format!("{name}-{version}"));
    let bin = home.join("bin");
    if programs.iter().all(|program| bin.join(program).is_file()) {
        return Ok(bin);
    }
    install(&format!("{name} {version}"), "about 3 minutes", &home, |fresh| {
        let build = cx.cache.join(format!("{name}-{version}.build"));
        let result = proc::run_long(
            cx.cargo()
                .args(["install", "--quiet", name, "--version", &format!("={version}")])
                .arg("--root")
                .arg(fresh)
                .arg("--target-dir")
                .arg(&build),
        );
        let _ = fs::remove_dir_all(&build);
        result
    })?;
    Ok(bin)
}

/// `wasm-opt`, from the npm package that xtask/tools pins.
pub fn wasm_opt(cx: &Cx) -> Result<PathBuf> {
    let pinned = cx.root.join("xtask/tools");
    let version = npm_version(&files::read_text(&pinned.join("package.json"))?, "binaryen")?;
    let home = cx.cache.join(format!("binaryen-{version}"));
    let program = home.join("node_modules/.bin/wasm-opt");
    if program.exists() {
        return Ok(program);
    }
    let npm = npm()?;
    install(&format!("binaryen {version} (wasm-opt)"), "about 10 seconds", &home, |fresh| {
        for file in ["package.json", "package-lock.json"] {
            files::copy(&pinned.join(file), &fresh.join(file))?;
        }
        proc::run(
            Command::new(npm)
                .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
                .current_dir(fresh),
        )
    })?;
    Ok(program)
}

/// What a folder's package-lock.json says, installed once into the cache; `node_modules` in the folder leads there, and the path is that in the cache.
pub fn node_modules(cx: &Cx, folder: &Path) -> Result<PathBuf> {
    let lock = files::read(&folder.join("package-lock.json"))?;
    let home = cx.cache.join(format!("npm-{}", files::fingerprint(&[&lock])));
    let npm = npm()?;
    if !home.join("node_modules").is_dir() {
        install(&format!("the packages of {}", folder.display()), "under a minute", &home, |fresh| {
            for file in ["package.json", "package-lock.json"] {
                files::copy(&folder.join(file), &fresh.join(file))?;
            }
            proc::run(
                Command::new(npm)
                    .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
                    .current_dir(fresh),
            )
        })?;
    }
    let (there, link) = (home.join("node_modules"), folder.join("node_modules"));
    if fs::read_link(&link).ok().as_deref() != Some(&there) {
        // A link to another version's, or a folder from an install by hand.
        let _ = fs::remove_file(&link).or_else(|_| fs::remove_dir_all(&link));
        #[cfg(unix)]
        std::os::unix::fs::symlink(&there, &link).with_context(|| format!("no link {}", link.display()))?;
    }
    Ok(there)
}

/// What the shipped commands of the relay run.
const YT_DLP: &str = "2026.10.26";

/// `yt-dlp`, from PyPI: a program that stands by itself, so that it does not matter whose Python the caller finds.
pub fn yt_dlp(cx: &Cx) -> Result<PathBuf> {
    let home = cx.cache.join(format!("yt-dlp-{YT_DLP}"));
    let program = home.join("yt-dlp");
    if program.is_file() {
        return Ok(program);
    }
    let [python, pip] = system([PYTHON, PIP])?;
    install(&format!("yt-dlp {YT_DLP}"), "about 10 seconds", &home, |fresh| {
        proc::run(
            Command::new(pip)
                .args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target"])
                .arg(fresh.join("lib"))
                .arg(format!("yt-dlp=={YT_DLP}")),
        )?;
        let python = proc::stdout(Command::new(python).args(["-c", "import sys; print(sys.executable)"]))?;
        let (lib, python) = (home.join("lib"), python.trim());
        let script = format!("#!/bin/sh\nPYTHONPATH='{}' exec '{python}' -m yt_dlp \"$@\"\n", lib.display());
        let program = fresh.join("yt-dlp");
        fs::write(&program, script)?;
        #[cfg(unix)]
        fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        Ok(())
    })?;
    Ok(program)
}

/// What the original system was made with, for the bench.
const FLASK: [&str; 3] = ["flask-socketio==5.7.0", "gevent==26.9.0", "gevent-websocket==0.10.1"];

/// A Python that has Flask-SocketIO, from PyPI.
pub fn flask(cx: &Cx) -> Result<PathBuf> {
    let home = cx.cache.join(format!("flask-{}", files::fingerprint(&[FLASK.join(" ").as_bytes()])));
    let program = home.join("python");
    if program.is_file() {
        return Ok(program);
    }
    let [python, pip] = system([PYTHON, PIP])?;
    install("Flask-SocketIO", "about 20 seconds", &home, |fresh| {
        proc::run(
            Command::new(pip)
                .args(["install", "--quiet", "--disable-pip-version-check", "--target"])
                .arg(fresh.join("lib"))
                .args(FLASK),
        )?;
        let python = proc::stdout(Command::new(python).args(["-c", "import sys; print(sys.executable)"]))?;
        let (lib, python) = (home.join("lib"), python.trim());
        let program = fresh.join("python");
        fs::write(&program, format!("#!/bin/sh\nPYTHONPATH='{}' exec '{python}' \"$@\"\n", lib.display()))?;
        #[cfg(unix)]
        fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        Ok(())
    })?;
    Ok(program)
}

/// The standard library for the browser.
pub fn wasm_target(cx: &Cx) -> Result<()> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let sysroot = proc::stdout(Command::new("rustc").args(["--print", "sysroot"]).current_dir(&cx.root))?;
    if Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).is_dir() {
        return Ok(());
    }
    if proc::find("rustup").is_none() {
        bail!(
            "Rust's standard library for {TARGET} is missing and there is no rustup: install rustup, or the package libstd-rust-dev-wasm32"
        );
    }
    println!("installing the Rust target {TARGET} (about 10 seconds)");
    proc::run(Command::new("rustup").args(["target", "add", TARGET]).current_dir(&cx.root))
}

/// The sources of the standard library, which is built for the page with the modules.
pub fn rust_src(cx: &Cx) -> Result<()> {
    let sysroot = proc::stdout(Command::new("rustc").args(["--print", "sysroot"]).current_dir(&cx.root))?;
    if Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/Cargo.lock").is_file() {
        return Ok(());
    }
    if proc::find("rustup").is_none() {
        bail!(
            "the sources of Rust's standard library are missing and there is no rustup: install rustup, or the package rust-src"
        );
    }
    println!("installing the sources of Rust's standard library (about 10 seconds)");
    proc::run(Command::new("rustup").args(["component", "add", "rust-src"]).current_dir(&cx.root))
}

/// rustfmt and clippy.
pub fn rust_components(cx: &Cx) -> Result<()> {
    for (subcommand, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if proc::stdout(cx.cargo().args([subcommand, "--version"])).is_ok() {
            continue;
        }
        if proc::find("rustup").is_none() {
            bail!("cargo {subcommand} is missing and there is no rustup: install the package {component}");
        }
        proc::run(Command::new("rustup").args(["component", "add", component]).current_dir(&cx.root))?;
    }
    Ok(())
}

/// Finds these programs; the packages of the missing ones are installed together where that can be done unasked.
fn system<const N: usize>(programs: [Program; N]) -> Result<[PathBuf; N]> {
    let find = |program: &Program| program.names.iter().find_map(|name| proc::find(name));
    let missing: Vec<&str> =
        programs.iter().filter(|program| find(program).is_none()).map(|program| program.package).collect();
    if !missing.is_empty() {
        apt_install(&missing)?;
    }
    let mut found = Vec::with_capacity(N);
    for program in &programs {
        found.push(find(program).with_context(|| {
            format!("{} is not on the PATH: install the package {}", program.names[0], program.package)
        })?);
    }
    found.try_into().map_err(|_| anyhow::anyhow!("as many files as programs"))
}

fn apt_install(packages: &[&str]) -> Result<()> {
    let by_hand = format!("missing, please install: {}", packages.join(" "));
    let root = proc::find("id")
        .is_some_and(|id| proc::stdout(Command::new(id).arg("-u")).is_ok_and(|user| user.trim() == "0"));
    let Some(apt) = proc::find("apt-get").filter(|_| root) else { bail!("{by_hand}") };
    println!("installing {} with apt-get (about 1 minute)", packages.join(" "));
    let apt =
        |args: &[&str]| proc::run(Command::new(&apt).env("DEBIAN_FRONTEND", "noninteractive").args(args));
    // A stale index may still do, and a machine may have only an index of its own: the install decides.
    let updated = apt(&["update", "-qq"]);
    let mut install = vec!["install", "-y", "-qq", "--no-install-recommends"];
    install.extend(packages);
    apt(&install).or_else(|error| updated.and(Err(error))).context(by_hand)
}

/// Fills a fresh folder and only then gives it its name, so an install that was cut short is not taken for one.
pub fn install(what: &str, long: &str, home: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    println!("installing {what} into {} ({long}, once)", home.display());
    let started = Instant::now();
    let mut fresh = home.as_os_str().to_owned();
    fresh.push(format!(".fresh-{}", std::process::id()));
    let fresh = PathBuf::from(fresh);
    let _ = fs::remove_dir_all(&fresh);
    files::make_dir(&fresh)?;
    let filled = fill(&fresh).with_context(|| format!("cannot install {what}"));
    if filled.is_ok() {
        let _ = fs::remove_dir_all(home);
        fs::rename(&fresh, home).with_context(|| format!("cannot make {}", home.display()))?;
        println!("installed {what} in {}", proc::took(started));
    } else {
        let _ = fs::remove_dir_all(&fresh);
    }
    filled
}

/// The version of a package in a Cargo.lock.
fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let mut lines = lock.lines();
    lines.find(|line| *line == format!("name = \"{package}\""))?;
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')
}

/// The exact version that a package.json asks for.
pub fn npm_version(json: &str, package: &str) -> Result<String> {
    let json: Value = serde_json::from_str(json).context("package.json is no JSON")?;
    let version = json["devDependencies"][package]
        .as_str()
        .with_context(|| format!("package.json does not ask for {package}"))?;
    if !version.chars().all(|c| c.is_ascii_digit() || c == '.') {
        bail!("package.json must pin {package}, but asks for {version:?}");
    }
    Ok(version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_packages_own() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"0.2.1\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(locked_version(lock, "wasm"), None);
    }

    #[test]
    fn a_range_is_no_pin() {
        assert_eq!(npm_version(r#"{"devDependencies":{"b":"1.2.3"}}"#, "b").unwrap(), "1.2.3");
        assert!(npm_version(r#"{"devDependencies":{"b":"^1.2.3"}}"#, "b").is_err());
        assert!(npm_version(r#"{"devDependencies":{}}"#, "b").is_err());
    }

    #[test]
    fn an_install_that_fails_leaves_nothing() {
        let cache = std::env::temp_dir().join(format!("riacho-xtask-install-{}", std::process::id()));
        let home = cache.join("tool-1.2.3");
        let failed = install("nothing", "no time", &home, |fresh| {
            fs::write(fresh.join("half"), "")?;
            bail!("cut short")
        });
        assert!(format!("{:#}", failed.unwrap_err()).contains("cut short"));
        assert_eq!(fs::read_dir(&cache).unwrap().count(), 0);
        fs::remove_dir_all(cache).unwrap();
    }
}
