//! The settings of the binary: from a file, the environment and flags, in that order; `--check`; what docs/RELAY.md says of
//! each; and the end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::{Client, gated, id, until_text};
use serde_json::json;

fn relay(flags: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_riacho-relay"));
    command.args(flags).stdout(Stdio::piped()).stderr(Stdio::piped()).env_clear();
    command.envs(variables.iter().copied());
    command
}

fn check(flags: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } =
        relay(&[&["--check"], flags].concat(), variables).output().expect("it runs");
    (status.code(), String::from_utf8([stdout, stderr].concat()).expect("UTF-8"))
}

fn file(folder: &tempfile::TempDir, text: &str) -> String {
    let path = folder.path().join("relay.toml");
    std::fs::write(&path, text).expect("written");
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn a_flag_counts_more_than_a_variable_and_a_variable_more_than_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    // Which one counts shows in what is wrong with it.
    let path = file(&folder, "site = \"/of/the/file\"\nallow-origin = [\"https://a.example\", \"b\"]\n");
    let config = ["--config", path.as_str()];
    let said = |flags: &[&str], variables: &[(&str, &str)]| check(&[&config, flags].concat(), variables).1;
    assert!(said(&[], &[]).contains("--site /of/the/file is no folder"));
    assert!(said(&[], &[]).contains("--allow-origin \"b\" is no origin"));
    let variable = [("RIACHO_SITE", "/of/the/variable")];
    assert!(said(&[], &variable).contains("--site /of/the/variable is no folder"));
    assert!(said(&["--site", "/of/the/flag"], &variable).contains("--site /of/the/flag is no folder"));
    let good = file(&folder, "site = \"/\"\nport = 0\nidle-timeout = 30\nallow-host = [\"a.example\"]\n");
    assert_eq!(
        check(&[], &[("RIACHO_CONFIG", &good)]),
        (Some(0), "riacho-relay: the settings are good\n".into())
    );
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let wrong = "# ours\nport = \"eighty\"\nallow-hosts = [\"a\"]\nhost = [\"127.0.0.1\", \"::1\"]\njwt-secret = \"x\"\ngrace = true\n";
    let path = file(&folder, wrong);
    let (code, said) = check(&["--config", &path], &[]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains(&format!("{path}:6: grace: a text, a number, or a list of them")), "{said}");
    let path = file(&folder, &wrong.replace("grace = true\n", ""));
    let (_, said) = check(&["--config", &path], &[("RIACHO_MAX_RUNS", "-1"), ("RIACHO_GRACE", "soon")]);
    for line in [
        ":2: port: invalid value 'eighty'",
        ":3: allow-hosts: no setting is called that; \"allow-host\" is",
        ":4: host: one value, not a list",
        ":5: jwt-secret: no setting is called that; keys and secrets are variables only",
        "riacho-relay: RIACHO_MAX_RUNS: invalid value '-1'",
        "riacho-relay: RIACHO_GRACE: invalid value 'soon'",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let path = file(&folder, "port = 1\nport = 2\n");
    assert!(check(&["--config", &path], &[]).1.contains(&format!("{path}:2: ")));
    for (flags, variables, line) in [
        (vec!["--config", "/nowhere"], vec![], "--config /nowhere: No such file"),
        (vec!["--fallback", "gpt"], vec![], "--fallback \"gpt\": no such provider is set up; there are demo"),
        (vec!["--max-content-bytes", "999999999"], vec![], "--max-content-bytes 999999999 does not fit"),
        (vec!["--revoked", "/tmp/x"], vec![], "need --jwt-public-key or RIACHO_JWT_SECRET"),
        (vec![], vec![("RIACHO_JWT_SECRET", "short")], "the secret for tokens has 5 bytes"),
        (vec!["--jwt-public-key", "/nowhere"], vec![], "--jwt-public-key /nowhere: No such file"),
        (vec!["--jwt-public-key", "/etc/hostname"], vec![], "is no Ed25519 key in PEM"),
        (vec!["--log", "=="], vec![], "invalid value '=='"),
    ] {
        let (code, said) = check(&flags, &variables);
        assert_eq!(code, Some(2), "{flags:?}: {said}");
        assert!(said.contains(line), "{line}: {said}");
        assert!(!said.contains("short\""), "{said}");
    }
}

/// The rows of the table of settings: flag, variable, default.
fn documented() -> Vec<(String, String, String)> {
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/RELAY.md")).expect("the page");
    let table = page.split("\n| flag | variable | default |").nth(1).expect("the table");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let mut all = Vec::new();
    for row in rows {
        let cells: Vec<&str> = row.split(" | ").map(|cell| cell.trim_matches(['|', ' '])).collect();
        let cells = if row.starts_with("| |") { [&[""], &cells[..]].concat() } else { cells };
        let (flags, variables) = (quoted(cells[0]), quoted(cells[1]));
        let defaults = cells[2].split(", ").collect::<Vec<_>>();
        for at in 0..flags.len().max(variables.len()) {
            let default = if defaults.len() == flags.len() { defaults[at] } else { cells[2] };
            let name = |names: &[String]| names.get(at).cloned().unwrap_or_default();
            all.push((name(&flags), name(&variables), default.to_owned()));
        }
    }
    all
}

#[test]
fn every_setting_is_documented_with_its_variable_and_its_default() {
    let help = relay(&["--help"], &[]).output().expect("it runs").stdout;
    let help = String::from_utf8(help).expect("UTF-8");
    // `--flag <VALUE>`, and in its paragraph `[env: NAME=]` and `[default: X]`.
    let mut known: BTreeMap<String, (String, String)> = BTreeMap::new();
    let mut flag = String::new();
    for line in help.lines().map(str::trim) {
        if let Some(name) =
            line.strip_prefix("--").or_else(|| line.split(", --").nth(1).filter(|_| line.starts_with('-')))
        {
            flag = format!("--{}", name.split([' ', '=']).next().expect("a name"));
            known.entry(flag.clone()).or_default();
        }
        let within = |what: &str| line.split(what).nth(1).and_then(|rest| rest.split(']').next());
        if let Some(known) = known.get_mut(&flag) {
            if let Some(variable) = within("[env: ") {
                known.0 = variable.trim_end_matches('=').to_owned();
            }
            if let Some(default) = within("[default: ") {
                known.1 = default.to_owned();
            }
        }
    }
    known.remove("--help");
    known.remove("--version");
    assert!(known.len() > 30, "{known:?}");
    let mut named = BTreeSet::new();
    for (flag, variable, default) in documented() {
        if flag.is_empty() {
            assert_eq!(variable, "RIACHO_JWT_SECRET", "a variable without a flag");
            continue;
        }
        let (known_variable, known_default) = known.get(&flag).unwrap_or_else(|| panic!("{flag} is no flag"));
        assert_eq!(&variable, known_variable, "{flag}");
        if !known_default.is_empty() {
            assert_eq!(default.split('`').nth(1), Some(known_default.as_str()), "{flag}: {default}");
        }
        named.insert(flag);
    }
    let missing: Vec<_> = known.keys().filter(|flag| !named.contains(*flag)).collect();
    assert!(missing.is_empty(), "docs/RELAY.md does not say what these do: {missing:?}");
}

/// A relay that is killed when this is dropped.
struct Process {
    child: Child,
    address: std::net::SocketAddr,
}

impl Process {
    fn start(flags: &[&str], variables: &[(&str, &str)]) -> Self {
        let flags = [&["--port", "0", "--store", ":memory:"], flags].concat();
        let mut child = relay(&flags, variables).spawn().expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("stdout")).read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("riacho-relay listening on http://").expect("the line");
        let address = address.trim_end_matches('/').parse().expect("an address");
        Self { child, address }
    }

    fn signal(&self) {
        let killed =
            Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill");
        assert!(killed.success());
    }

    fn wait(&mut self) -> Option<i32> {
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn ready(process: &Process) -> u16 {
    reqwest::get(format!("http://{}/readyz", process.address)).await.expect("an answer").status().as_u16()
}

/// One that asks an upstream which waits for a gate, with an answer under way.
async fn under_way(upstream: &common::Upstream, grace: &str) -> (Process, Client, String, String) {
    let base = format!("http://{}/v1", upstream.address);
    let process = Process::start(
        &["--grace", grace],
        &[("OPENAI_BASE_URL", base.as_str()), ("OPENAI_API_KEY", "sk-of-the-test")],
    );
    let mut client = Client::connect(process.address).await;
    let room = id();
    client.join(&room).await;
    let (_, reply) = client.say(&room, "hi").await;
    until_text(&mut client, &reply, "one ").await;
    (process, client, room, reply)
}

#[tokio::test]
async fn a_signal_lets_answers_end_and_takes_no_new_ones() {
    let upstream = gated(1).await;
    let (mut process, mut client, room, reply) = under_way(&upstream, "60").await;
    assert_eq!(ready(&process).await, 200);
    process.signal();
    while ready(&process).await == 200 {}
    client.say(&room, "more").await;
    let error = client.until("error").await.pop().expect("an error");
    assert_eq!((&error["code"], error["retry_after"].as_u64() > Some(0)), (&json!("shutting_down"), true));
    // Its readers may come and go.
    let mut other = Client::connect(process.address).await;
    other.join(&room).await;
    let signalled = Instant::now();
    upstream.gate.add_permits(1);
    for client in [&mut client, &mut other] {
        assert_eq!(client.until_end(&reply).await["status"], "completed");
        assert_eq!(client.text(&reply), "one two");
        assert_eq!(client.next_or_close().await, Err(Some(1001)));
    }
    assert_eq!(process.wait(), Some(0));
    assert!(signalled.elapsed() < Duration::from_secs(30), "it waited for the whole grace time");
}

#[tokio::test]
async fn what_does_not_end_in_time_is_interrupted() {
    let upstream = gated(1).await;
    let (mut process, mut client, _, reply) = under_way(&upstream, "1").await;
    process.signal();
    let end = client.until_end(&reply).await;
    assert_eq!((&end["status"], &end["reason"]), (&json!("interrupted"), &json!("restart")));
    assert_eq!(client.next_or_close().await, Err(Some(1001)));
    assert_eq!(process.wait(), Some(0));
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let upstream = gated(1).await;
    let (mut process, _client, _, _) = under_way(&upstream, "600").await;
    process.signal();
    while ready(&process).await == 200 {}
    process.signal();
    assert_eq!(process.wait(), Some(0));
}
