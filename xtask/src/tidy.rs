//! The fences of the design, as code. A rule is a function from the tree to what breaks it.

mod fences;
mod hygiene;
mod lex;
mod links;
mod wire;

use std::process::Command;

use anyhow::{Context, Result};

use crate::cx::Cx;
use crate::proc;
use crate::report::Counts;

/// A rule gives back one line a breach, each beginning with the file.
type Rule = fn(&Tree) -> Vec<String>;

/// What a person reads when one of them is broken, and the rule.
const RULES: [(&str, Rule); 15] = [
    ("the core names no JavaScript", fences::core_names_no_javascript),
    ("the core knows no clock", fences::core_knows_no_clock),
    ("the core knows no randomness", fences::core_knows_no_randomness),
    ("the leaves of the core do not know each other", fences::leaves_do_not_know_each_other),
    ("the wire has no I/O and no async", fences::protocol_is_only_types),
    ("who may depend on whom", fences::dependencies_point_one_way),
    ("no HTML string is handed to the browser", fences::no_html_strings),
    ("no closure is forgotten", fences::no_forgotten_closures),
    ("docs/PROTOCOL.md names every frame", wire::document_names_every_frame),
    ("docs/PROTOCOL.md names every error code", wire::document_names_every_code),
    ("links lead somewhere", links::links_lead_somewhere),
    ("the paths that pages name are there", links::named_paths_are_there),
    ("a file's first line says its job", hygiene::first_line_says_the_job),
    ("lock files record no download addresses", hygiene::locks_record_no_addresses),
    ("nothing names a path of one machine", hygiene::no_machine_paths),
];

/// One text file of the tree.
pub struct Source {
    /// Relative to the root, with `/`.
    pub path: String,
    pub text: String,
}

impl Source {
    fn ends_with(&self, extensions: &[&str]) -> bool {
        extensions.iter().any(|extension| self.path.ends_with(extension))
    }

    fn is_below(&self, folder: &str) -> bool {
        self.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    }
}

/// What git would commit, as it is on disk now.
pub struct Tree {
    pub files: Vec<Source>,
    /// Paths of what is no text, such as pictures: no rule reads them, and links may lead there.
    pub others: Vec<String>,
}

impl Tree {
    fn read(cx: &Cx) -> Result<Tree> {
        let listed = proc::stdout(
            Command::new("git")
                .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
                .current_dir(&cx.root),
        )
        .context("tidy reads what git would commit")?;
        let (mut files, mut others) = (Vec::new(), Vec::new());
        for path in listed.split('\0').filter(|path| !path.is_empty()) {
            // A file that is deleted but not yet committed is still listed; bytes that are no text have no rules.
            let Ok(bytes) = std::fs::read(cx.root.join(path)) else { continue };
            match String::from_utf8(bytes) {
                Ok(text) => files.push(Source { path: path.to_owned(), text }),
                Err(_) => others.push(path.to_owned()),
            }
        }
        Ok(Tree { files, others })
    }

    fn find(&self, path: &str) -> Option<&Source> {
        self.files.iter().find(|file| file.path == path)
    }

    #[cfg(test)]
    fn of(files: &[(&str, &str)]) -> Tree {
        let files =
            files.iter().map(|(path, text)| Source { path: path.to_string(), text: text.to_string() });
        Tree { files: files.collect(), others: Vec::new() }
    }
}

pub fn run() -> Result<Counts> {
    let counts = check(&Cx::new()?)?;
    println!("{counts}");
    Ok(counts)
}

pub fn check(cx: &Cx) -> Result<Counts> {
    let tree = Tree::read(cx)?;
    let mut counts = Counts::default();
    for (what, rule) in RULES {
        counts += judge(what, &rule(&tree));
    }
    let sizes = hygiene::sizes(&tree);
    for warning in &sizes.long {
        println!("warning: {warning}");
    }
    counts += judge("no file has outgrown its one job", &sizes.too_long);
    Ok(counts)
}

fn judge(what: &str, breaches: &[String]) -> Counts {
    if breaches.is_empty() {
        println!("ok      {what}");
    } else {
        println!("FAILED  {what}");
        for breach in breaches {
            println!("        {breach}");
        }
    }
    Counts::one(breaches.is_empty())
}
