//! Where a setting comes from: a file, then the environment, then the flags, each over the one before. What is wrong is told with
//! the place where it stands.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::flags::Flags;

/// Why there are no settings.
pub enum Stop {
    /// clap has said what was asked for (help, the version), or what is wrong with a flag; the exit code.
    Said(u8),
    /// A line for each.
    Faults(Vec<String>),
}

/// A key of the file.
struct Entry {
    key: String,
    line: usize,
    values: Vec<String>,
}

/// Reads all three.
pub fn read(args: impl IntoIterator<Item = OsString>) -> Result<Flags, Stop> {
    let args: Vec<OsString> = args.into_iter().collect();
    let mut command = Flags::command();
    let mut faults = Vec::new();
    if let Some(path) = file(&args) {
        let entries = entries(&path).map_err(|fault| Stop::Faults(vec![fault]))?;
        for Entry { key, line, values } in entries {
            match check(&command, &key, &values) {
                Ok(()) => command = command.mut_arg(id(&key), |arg| arg.default_values(values)),
                Err(wrong) => faults.push(format!("{}:{line}: {key}: {wrong}", path.display())),
            }
        }
    }
    faults.extend(environment(&command));
    if !faults.is_empty() {
        return Err(Stop::Faults(faults));
    }
    let parsed =
        command.try_get_matches_from(args).and_then(|found: ArgMatches| Flags::from_arg_matches(&found));
    parsed.map_err(|said| {
        let _ = said.print();
        Stop::Said(u8::try_from(said.exit_code()).unwrap_or(2))
    })
}

/// The file that the flags or the environment name.
fn file(args: &[OsString]) -> Option<PathBuf> {
    let found = Flags::command().ignore_errors(true).try_get_matches_from(args).ok()?;
    found.get_one::<PathBuf>("config").cloned()
}

fn entries(path: &Path) -> Result<Vec<Entry>, String> {
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("--config {}: {error}", path.display()))?;
    let line_of = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
    let table = DeTable::parse(&text).map_err(|error| {
        let line = line_of(error.span().map_or(0, |span| span.start));
        format!("{}:{line}: {}", path.display(), error.message())
    })?;
    let mut entries: Vec<Entry> = Vec::new();
    for (key, value) in table.get_ref() {
        let line = line_of(key.span().start);
        let values = plain(value).ok_or_else(|| {
            format!(
                "{}:{line}: {key}: a text, a number, or a list of them",
                path.display(),
                key = key.get_ref()
            )
        })?;
        entries.push(Entry { key: key.get_ref().to_string(), line, values });
    }
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
}

/// As a flag would have it.
fn plain(value: &Spanned<DeValue<'_>>) -> Option<Vec<String>> {
    let one = |value: &Spanned<DeValue<'_>>| match value.get_ref() {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        _ => None,
    };
    match value.get_ref() {
        DeValue::Array(values) => values.iter().map(one).collect(),
        _ => one(value).map(|value| vec![value]),
    }
}

/// Flags are `--allow-host`, keys are `allow-host`, and clap calls them `allow_host`.
fn id(key: &str) -> String {
    key.replace('-', "_")
}

/// Would these be good for the flag?
fn check(command: &Command, key: &str, values: &[String]) -> Result<(), String> {
    // What is said once, before there is a file, or is no setting.
    let settable = |arg: &&clap::Arg| {
        arg.get_long() == Some(key)
            && !matches!(key, "config" | "check")
            && !matches!(arg.get_action(), ArgAction::Help | ArgAction::Version)
    };
    let Some(arg) = command.get_arguments().find(settable) else {
        return Err(unknown(command, key));
    };
    if values.len() > 1 && !matches!(arg.get_action(), ArgAction::Append) {
        return Err("one value, not a list".to_owned());
    }
    let flags = values.iter().map(|value| format!("--{key}={value}"));
    let args = std::iter::once("riacho-relay".to_owned()).chain(flags);
    // Nothing of the environment: that is somewhere else.
    let alone = command.clone().mut_args(|arg| arg.env(None));
    alone.try_get_matches_from(args).map(|_| ()).map_err(|error| reason(&error))
}

fn unknown(command: &Command, key: &str) -> String {
    let names = command.get_arguments().filter_map(clap::Arg::get_long);
    let near = names.map(|name| (distance(key, name), name)).min().filter(|(distance, _)| *distance <= 3);
    match near {
        Some((_, name)) => format!("no setting is called that; {name:?} is"),
        None if key.to_lowercase().contains("key") || key.to_lowercase().contains("secret") => {
            "no setting is called that; keys and secrets are variables only".to_owned()
        }
        None => "no setting is called that".to_owned(),
    }
}

/// How many characters to change (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut before = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (b, above) in other.iter().zip(row.iter().skip(1)) {
            let here = (before + usize::from(a != *b)).min(above + 1).min(left + 1);
            before = *above;
            left = here;
            next.push(here);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// The variables that are set and no good.
fn environment(command: &Command) -> Vec<String> {
    let mut faults = Vec::new();
    for arg in command.get_arguments() {
        let (Some(variable), Some(long)) = (arg.get_env().and_then(|name| name.to_str()), arg.get_long())
        else {
            continue;
        };
        let Some(value) = std::env::var_os(variable) else { continue };
        let checked = match (long, value.to_str()) {
            ("config", _) => Ok(()),
            (_, Some(value)) => check(command, long, &[value.to_owned()]),
            (_, None) => Err("it is no UTF-8".to_owned()),
        };
        faults.extend(checked.err().map(|wrong| format!("{variable}: {wrong}")));
    }
    faults
}

/// clap's first line, without what our own line says already.
fn reason(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_well_formed() {
        Flags::command().debug_assert();
    }

    #[test]
    fn the_nearest_name() {
        assert_eq!(distance("porrt", "port"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("allow-origins", "allow-origin"), 1);
    }
}
