//! The tests that failed, each with what it said when it panicked: repeated below the sum, since a log is long and
//! often only its end is kept.

use std::fmt;

/// The longest message that is repeated.
const MAX_LINES: usize = 15;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    test: String,
    said: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed: {}", self.test)?;
        self.said.iter().try_for_each(|line| write!(f, "\n    {line}"))
    }
}

#[derive(Default)]
enum Place {
    #[default]
    Outside,
    /// In what the failure of this number printed.
    Output(usize),
    /// In its panic's message.
    Message(usize),
}

/// Finds them in what libtest, and wasm-bindgen's runner after it, print.
#[derive(Default)]
pub struct Failures {
    found: Vec<Failure>,
    place: Place,
}

impl Failures {
    pub fn line(&mut self, line: &str) {
        if let Some(test) = failed(line) {
            self.found.push(Failure { test: test.to_owned(), said: Vec::new() });
        } else if let Some(test) = output_of(line) {
            let at = self.found.iter().rposition(|failure| failure.test == test);
            self.place = at.map_or(Place::Outside, Place::Output);
        } else if matches!(line, "failures:" | "successes:") {
            self.place = Place::Outside;
        } else {
            self.inside(line);
        }
    }

    fn inside(&mut self, line: &str) {
        let at = match self.place {
            // The first is why; what came of it says less.
            Place::Output(at) if line.contains("panicked at") && self.found[at].said.is_empty() => at,
            Place::Message(at) if !ends_message(line) => at,
            Place::Message(at) => {
                self.place = Place::Output(at);
                return;
            }
            _ => return,
        };
        let said = &mut self.found[at].said;
        said.push(line.trim().to_owned());
        self.place = if said.len() < MAX_LINES { Place::Message(at) } else { Place::Output(at) };
    }

    pub fn finish(self) -> Vec<Failure> {
        self.found
    }
}

/// `test reading::copy ... FAILED`, or `FAIL` in a browser.
fn failed(line: &str) -> Option<&str> {
    let (test, verdict) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    matches!(verdict, "FAILED" | "FAIL").then_some(test)
}

/// `---- reading::copy stdout ----`, or `output` in a browser.
fn output_of(line: &str) -> Option<&str> {
    let (test, what) = line.strip_prefix("---- ")?.strip_suffix(" ----")?.rsplit_once(' ')?;
    matches!(what, "stdout" | "output").then_some(test)
}

fn ends_message(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("stack backtrace:") || line.starts_with("note: ") || line.starts_with("Stack:")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let mut failures = Failures::default();
        text.lines().for_each(|line| failures.line(line));
        failures.finish().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_failed_test_is_named_with_its_message() {
        let text = "running 2 tests\ntest good ... ok\ntest reading::bad ... FAILED\n\nsuccesses:\n\n\
                    ---- good stdout ----\nthread 'good' panicked at src/a.rs:1:1:\non purpose\n\n\nfailures:\n\n\
                    ---- reading::bad stdout ----\nRIACHO_SEED=7\n\
                    thread 'reading::bad' panicked at src/b.rs:2:3:\nleft: 1\n\nright: 2\nstack backtrace:\n   0: begin\n\n\
                    thread 'reading::bad' panicked at src/c.rs:4:5:\nand so on\n\nfailures:\n    reading::bad\n";
        let expected = "failed: reading::bad\n    thread 'reading::bad' panicked at src/b.rs:2:3:\n    \
                        left: 1\n    \n    right: 2";
        assert_eq!(read(text), [expected]);
    }

    #[test]
    fn one_of_a_browser_is_found_too() {
        let text = "test web::bad ... FAIL\n\nfailures:\n\n---- web::bad output ----\n    error output:\n        \
                    panicked at wasm/tests/a.rs:1:2:\n        it did not come\n        \n        Stack:\n        \n        x\n";
        assert_eq!(
            read(text),
            ["failed: web::bad\n    panicked at wasm/tests/a.rs:1:2:\n    it did not come\n    "]
        );
    }

    #[test]
    fn a_message_without_an_end_is_cut() {
        let lines = "a line\n".repeat(100);
        let text =
            format!("test bad ... FAILED\n---- bad stdout ----\nthread 'bad' panicked at a.rs:1:1:\n{lines}");
        assert_eq!(read(&text)[0].lines().count(), 1 + MAX_LINES);
    }
}
