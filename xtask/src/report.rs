//! Counting: what test runners say at their end, read strictly, and the sum of it all.

use std::fmt;
use std::ops::AddAssign;

use crate::failure::{Failure, Failures};

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Counts {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
    /// What is known of the failed ones: a check that is no test has said all of it where it ran.
    pub failures: Vec<Failure>,
}

impl Counts {
    /// One check that is no test of a runner: a formatter, a linter.
    pub fn one(passed: bool) -> Counts {
        Counts { passed: passed.into(), failed: (!passed).into(), ..Counts::default() }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.failures.extend(other.failures);
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 { write!(f, ", {} skipped", self.skipped) } else { Ok(()) }
    }
}

/// Reads what libtest, and wasm-bindgen's runner after it, print. Fed with lines; judged at the end.
#[derive(Default)]
pub struct Libtest {
    counts: Counts,
    /// Test programs that said `running N tests`, and those that said their result.
    started: u64,
    ended: u64,
    /// Tests that ran but say that they did nothing, for want of the recorded corpora.
    without_corpora: u64,
    unreadable: Option<String>,
    failures: Failures,
}

impl Libtest {
    pub fn line(&mut self, line: &str) {
        self.failures.line(line);
        if is_start(line) {
            self.started += 1;
        } else if let Some(result) = line.strip_prefix("test result: ") {
            self.ended += 1;
            match closing(result) {
                Some(counts) => self.counts += counts,
                None => self.unreadable = Some(line.to_owned()),
            }
        } else if line.contains("RIACHO_CORPORA") && line.contains("skipped") {
            self.without_corpora += 1;
        }
    }

    /// The counts, and why the step is not to be trusted if it is not. Every such reason counts as one failure.
    pub fn finish(self, ended_well: bool) -> (Counts, Option<String>) {
        let mut counts = self.counts;
        counts.failures = self.failures.finish();
        let skipped = self.without_corpora.min(counts.passed);
        counts.passed -= skipped;
        counts.skipped += skipped;
        let problem = if let Some(line) = self.unreadable {
            Some(format!("a closing line that cannot be read: {line}"))
        } else if self.started != self.ended {
            Some(format!("{} test programs started, {} said a result", self.started, self.ended))
        } else if !ended_well && counts.failed == 0 {
            Some("the runner failed without a failed test: see above".to_owned())
        } else if counts == Counts::default() {
            Some("no test ran".to_owned())
        } else {
            None
        };
        if problem.is_some() {
            counts.failed += 1;
        }
        (counts, problem)
    }
}

/// `running 3 tests`
fn is_start(line: &str) -> bool {
    line.strip_prefix("running ")
        .and_then(|rest| rest.strip_suffix(" tests").or_else(|| rest.strip_suffix(" test")))
        .is_some_and(|n| n.parse::<u64>().is_ok())
}

/// `ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s`
fn closing(result: &str) -> Option<Counts> {
    let (verdict, rest) = result.split_once(". ")?;
    let mut counts = Counts::default();
    let mut seen = 0;
    for item in rest.split("; ") {
        let Some((n, what)) = item.split_once(' ') else { continue };
        let slot = match what.trim() {
            "passed" => &mut counts.passed,
            "failed" => &mut counts.failed,
            "ignored" => &mut counts.skipped,
            _ => continue,
        };
        *slot = n.parse().ok()?;
        seen += 1;
    }
    // A verdict and figures that disagree are no result.
    (seen == 3 && (verdict == "ok") == (counts.failed == 0)).then_some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, ended_well: bool) -> (Counts, Option<String>) {
        let mut libtest = Libtest::default();
        text.lines().for_each(|line| libtest.line(line));
        libtest.finish(ended_well)
    }

    const OK: &str = "running 2 tests\ntest a ... ok\ntest b ... ignored\n\n\
        test result: ok. 1 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n";

    #[test]
    fn several_programs_are_added_up() {
        let text = format!(
            "{OK}running 1 test\n\
             test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 3 filtered out; finished in 0.00s\n"
        );
        assert_eq!(
            read(&text, false),
            (Counts { passed: 1, failed: 1, skipped: 1, ..Counts::default() }, None)
        );
    }

    #[test]
    fn the_browser_runners_closing_line_is_read() {
        let text = "running 3 tests\n\ntest result: ok. 3 passed; 0 failed; 0 ignored; 0 filtered out; finished in 0.42s\n";
        assert_eq!(read(text, true), (Counts { passed: 3, ..Counts::default() }, None));
    }

    #[test]
    fn no_test_at_all_is_a_failure() {
        let (counts, problem) = read("no tests to run!\n", true);
        assert_eq!((counts.failed, problem.as_deref()), (1, Some("no test ran")));
    }

    #[test]
    fn a_program_that_dies_is_a_failure() {
        let (counts, problem) = read(&format!("{OK}running 7 tests\n"), false);
        assert_eq!(counts, Counts { passed: 1, failed: 1, skipped: 1, ..Counts::default() });
        assert_eq!(problem.as_deref(), Some("2 test programs started, 1 said a result"));
    }

    #[test]
    fn a_runner_that_fails_after_good_tests_is_a_failure() {
        let (counts, problem) = read(OK, false);
        assert_eq!(counts.failed, 1);
        assert!(problem.unwrap().contains("without a failed test"));
    }

    #[test]
    fn a_line_that_cannot_be_read_is_a_failure() {
        for odd in ["test result: ok. many passed", "test result: ok. 1 passed; 1 failed; 0 ignored"] {
            let (counts, problem) = read(&format!("running 1 test\n{odd}\n"), true);
            assert_eq!(counts.failed, 1, "{odd}");
            assert!(problem.unwrap().contains(odd));
        }
    }

    #[test]
    fn a_test_without_its_corpora_counts_as_skipped() {
        let text = format!("skipped: RIACHO_CORPORA is not set\n{OK}");
        assert_eq!(read(&text, true), (Counts { skipped: 2, ..Counts::default() }, None));
    }

    #[test]
    fn the_sum_names_the_skipped_only_when_there_are_any() {
        let mut sum = Counts::one(true);
        assert_eq!(sum.to_string(), "1 passed, 0 failed");
        sum += Counts::one(false);
        sum += Counts { skipped: 2, ..Counts::default() };
        assert_eq!(sum.to_string(), "1 passed, 1 failed, 2 skipped");
    }
}
