//! Every check, step by step: each says what it is and how long it took, and the last line adds them all up.

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::build::{self, Shrink};
use crate::cx::Cx;
use crate::report::{Counts, Libtest};
use crate::{files, proc, size, tidy, tools, vendor};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Format,
    Clippy,
    Native,
    Wasm,
    E2e,
    Pack,
    Projects,
    Size,
    Tidy,
}

/// The quick ones first, so that a typo is known in seconds.
const STEPS: [(&str, Step, &str); 9] = [
    ("format", Step::Format, "formatting"),
    ("tidy", Step::Tidy, "the fences of the design"),
    ("clippy", Step::Clippy, "lints, for the host and for the browser (a few minutes the first time)"),
    ("native", Step::Native, "native tests (a few minutes the first time)"),
    ("wasm", Step::Wasm, "wasm tests in headless Chromium and Firefox (some minutes)"),
    ("e2e", Step::E2e, "the real relay and the real page in Chromium (a few minutes)"),
    ("pack", Step::Pack, "what npm would publish"),
    (
        "projects",
        Step::Projects,
        "the package in fresh Vite, webpack, esbuild and Next projects (a few minutes)",
    ),
    ("size", Step::Size, "what a page downloads"),
];

#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    only: Option<Step>,
    /// Passed on to the test runner, which takes it as a part of a test's name.
    name: Option<String>,
}

impl Options {
    pub fn parse(args: &[String]) -> Result<Options> {
        let Some((step, rest)) = args.split_first() else {
            return Ok(Options { only: None, name: None });
        };
        let Some((_, only, _)) = STEPS.iter().find(|(name, _, _)| name == step) else {
            bail!("no step is called {step:?}: {}", STEPS.map(|(name, _, _)| name).join(", "));
        };
        match (only, rest) {
            (_, []) => Ok(Options { only: Some(*only), name: None }),
            (Step::Native | Step::Wasm | Step::E2e | Step::Pack | Step::Projects, [name]) => {
                Ok(Options { only: Some(*only), name: Some(name.clone()) })
            }
            (_, [extra, ..]) => bail!("unexpected argument {extra:?} after {step}"),
        }
    }
}

/// Whether everything passed.
pub fn run(options: &Options) -> Result<bool> {
    let cx = Cx::new()?;
    let mut sum = Counts::default();
    let mut lines = Vec::new();
    for (name, step, what) in STEPS {
        if options.only.is_some_and(|only| only != step) {
            continue;
        }
        println!("\n== {name}: {what}");
        let started = Instant::now();
        // A step that cannot even start is one failure, and the next steps still have their say.
        let counts = one(&cx, step, options.name.as_deref()).unwrap_or_else(|error| {
            println!("error: {error:#}");
            Counts::one(false)
        });
        lines.push(format!("{name:<9}{counts} ({})", proc::took(started)));
        sum += counts;
    }
    println!("\n{}", lines.join("\n"));
    sum.failures.iter().for_each(|failure| println!("\n{failure}\n"));
    println!("{sum}");
    Ok(sum.failed == 0)
}

fn one(cx: &Cx, step: Step, name: Option<&str>) -> Result<Counts> {
    match step {
        Step::Format => {
            tools::rust_components(cx)?;
            Ok(Counts::one(proc::succeeds(cx.cargo().args(["fmt", "--all", "--check"]))?))
        }
        Step::Tidy => tidy::check(cx),
        Step::Clippy => clippy(cx),
        Step::Native => {
            let mut cargo = cx.cargo();
            cargo.args(["test", "--workspace", "--no-fail-fast"]);
            cargo.env("RIACHO_YT_DLP", tools::yt_dlp(cx)?);
            libtest(cargo, name)
        }
        Step::Wasm => wasm(cx, name),
        Step::E2e => e2e(cx, name, Which::AllBut([PACKAGING, PROJECTS])),
        Step::Pack => e2e(cx, name, Which::Only(PACKAGING)),
        Step::Projects => e2e(cx, name, Which::Only(PROJECTS)),
        Step::Size => {
            build::build(cx, &build::Options { shrink: Shrink::WasmOpt })?;
            size::check(cx)
        }
    }
}

fn clippy(cx: &Cx) -> Result<Counts> {
    tools::rust_components(cx)?;
    tools::wasm_target(cx)?;
    let mut counts = Counts::default();
    let deny = ["--", "-D", "warnings"];
    let host = ["clippy", "--workspace", "--all-targets", "--quiet"];
    counts += Counts::one(proc::succeeds(cx.cargo().args(host).args(deny))?);
    // By themselves: what only they depend on changes how expressions are read, and the other tests run without it.
    let mut gated = cx.cargo();
    gated.args(["clippy", "--workspace", "--features", "riacho-tests/e2e", "--quiet"]);
    for target in gated_targets(cx)? {
        gated.args(["--test", &target]);
    }
    counts += Counts::one(proc::succeeds(gated.args(deny))?);
    let mut browser = cx.cargo();
    browser.args(["clippy", "--quiet", "--target", "wasm32-unknown-unknown"]);
    for package in cx.packages().filter(|package| in_browser(package.targets())) {
        browser.args(["--package", package.name()]);
    }
    counts += Counts::one(proc::succeeds(browser.args(deny))?);
    Ok(counts)
}

/// What lives under wasm/ is compiled for the browser.
fn in_browser<'a>(mut targets: impl Iterator<Item = (&'a str, &'a str, &'a Path)>) -> bool {
    targets.any(|(kind, _, source)| {
        kind == "lib" && source.components().any(|component| component.as_os_str() == "wasm")
    })
}

/// Every target that has a `wasm_bindgen_test` in it. The others would close on zero tests.
fn wasm(cx: &Cx, name: Option<&str>) -> Result<Counts> {
    tools::wasm_target(cx)?;
    let bindgen = tools::wasm_bindgen(cx)?;
    let (chromium, others) = (tools::browser()?, tools::others(cx)?);
    // Where Firefox is called something else, its driver does not find it.
    let firefox = cx.target.join("webdriver-firefox.json");
    let options =
        serde_json::json!({"moz:firefoxOptions": {"binary": others.firefox, "args": ["-headless"]}});
    std::fs::write(&firefox, options.to_string())?;
    let browsers = [
        ("CHROMEDRIVER", &chromium.chromedriver, cx.root.join("xtask/tools/webdriver.json")),
        ("GECKODRIVER", &others.geckodriver, firefox),
    ];
    let mut counts = Counts::default();
    let mut found = 0;
    for package in cx.packages().filter(|package| in_browser(package.targets())) {
        let mut which = Vec::new();
        for (kind, target, source) in package.targets() {
            match kind {
                "lib" if mentions_wasm_tests(source.parent().unwrap_or(source))? => {
                    which.push("--lib".to_owned());
                }
                "test" if mentions_wasm_tests(source)? => {
                    which.extend(["--test".to_owned(), target.to_owned()]);
                }
                _ => {}
            }
        }
        if which.is_empty() {
            continue;
        }
        found += 1;
        for (variable, driver, capabilities) in &browsers {
            let mut cargo = cx.cargo();
            cargo
                .args(["test", "--target", "wasm32-unknown-unknown", "--no-fail-fast"])
                .args(["--package", package.name()])
                .args(&which)
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", bindgen.join("wasm-bindgen-test-runner"))
                .env(variable, driver)
                .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", capabilities)
                .env("WASM_BINDGEN_TEST_TIMEOUT", "300");
            if let Some(name) = name {
                cargo.args(["--", name]);
            }
            counts += judged(cargo)?;
        }
    }
    if found == 0 {
        bail!("no crate under wasm/ has a wasm_bindgen_test");
    }
    Ok(counts)
}

fn mentions_wasm_tests(source: &Path) -> Result<bool> {
    if source.is_file() {
        return Ok(files::read_text(source)?.contains("wasm_bindgen_test"));
    }
    for file in files::below(source)? {
        if file.extension().is_some_and(|extension| extension == "rs")
            && files::read_text(&source.join(file))?.contains("wasm_bindgen_test")
        {
            return Ok(true);
        }
    }
    Ok(false)
}

const PACKAGING: &str = "packaging";
const PROJECTS: &str = "projects";

enum Which {
    Only(&'static str),
    AllBut([&'static str; 2]),
}

/// The targets of `riacho-tests` that need the built package, the built site, the relay's program and a browser.
fn e2e(cx: &Cx, name: Option<&str>, which: Which) -> Result<Counts> {
    let browser = tools::browser()?;
    let npm = tools::npm()?;
    build::build(cx, &build::Options { shrink: Shrink::WasmOpt })?;
    proc::run_long(cx.cargo().args(["build", "--quiet", "--package", "riacho-relay"]))?;
    let mut cargo = cx.cargo();
    cargo.args(["test", "--workspace", "--features", "riacho-tests/e2e", "--no-fail-fast"]);
    let mut found = 0;
    for target in gated_targets(cx)? {
        let wanted = match which {
            Which::Only(only) => target == only,
            Which::AllBut(but) => !but.contains(&target.as_str()),
        };
        if wanted {
            found += 1;
            cargo.args(["--test", &target]);
        }
    }
    if found == 0 {
        bail!("riacho-tests has no such test target");
    }
    cargo
        .env("RIACHO_SITE", cx.site())
        .env(
            "RIACHO_RELAY",
            cx.target.join("debug").join(format!("riacho-relay{}", std::env::consts::EXE_SUFFIX)),
        )
        .env("RIACHO_PKG", cx.package())
        .env("RIACHO_NPM", npm)
        .env("RIACHO_MODULES", vendor::modules(cx)?)
        .env("RIACHO_CHROMIUM", browser.chromium)
        .env("RIACHO_CHROMEDRIVER", browser.chromedriver);
    if matches!(which, Which::Only(PROJECTS)) {
        cargo.env("RIACHO_CONSUMERS", tools::node_modules(cx, &cx.root.join("tests/consumers"))?);
    }
    if matches!(which, Which::AllBut(_)) {
        tools::node_modules(cx, &cx.root.join("tests/servers"))?;
        let others = tools::others(cx)?;
        cargo
            .env("RIACHO_FIREFOX", others.firefox)
            .env("RIACHO_GECKODRIVER", others.geckodriver)
            .env("RIACHO_WEBKIT", others.webkit)
            .env("RIACHO_WEBKIT_DRIVER", others.webkit_driver);
    }
    libtest(cargo, name)
}

/// Test targets that the feature `e2e` gates, by name.
fn gated_targets(cx: &Cx) -> Result<Vec<String>> {
    let Some(tests) = cx.packages().find(|package| package.name() == "riacho-tests") else {
        bail!("the workspace has no riacho-tests");
    };
    Ok(tests.gated_by("e2e").map(str::to_owned).collect())
}

/// `--show-output`, since a test that was skipped for want of its corpora says so there.
fn libtest(mut cargo: std::process::Command, name: Option<&str>) -> Result<Counts> {
    cargo.arg("--").args(name).arg("--show-output");
    judged(cargo)
}

fn judged(mut cargo: std::process::Command) -> Result<Counts> {
    let mut libtest = Libtest::default();
    let ended_well = proc::each_line(&mut cargo, |line| libtest.line(line))?;
    let (counts, problem) = libtest.finish(ended_well);
    if let Some(problem) = problem {
        println!("error: {problem}");
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Options> {
        Options::parse(&args.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn one_step_and_one_name_can_be_asked_for() {
        assert_eq!(parse(&[]).unwrap(), Options { only: None, name: None });
        let options = parse(&["e2e", "reload"]).unwrap();
        assert_eq!(options, Options { only: Some(Step::E2e), name: Some("reload".into()) });
    }

    #[test]
    fn what_is_no_step_is_said_with_the_steps_there_are() {
        let error = parse(&["e2"]).unwrap_err().to_string();
        assert!(error.contains("\"e2\"") && error.contains("native"), "{error}");
        assert!(parse(&["tidy", "x"]).is_err());
        assert!(parse(&["native", "x", "y"]).is_err());
    }

    #[test]
    fn every_step_is_there_once() {
        let mut names = STEPS.map(|(name, _, _)| name).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), STEPS.len());
    }
}
