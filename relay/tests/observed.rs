//! What is seen from outside: metrics against their page, and logs that hold a message's id and neither a text nor a key.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use common::{Act, Client, Upstream, delta, done, finish, head, id, sse_head};
use serde_json::{Value, json};

const KEY: &str = "sk-the-key-of-the-test";
const SAID: &str = "what-the-user-says";
const ANSWERED: &str = "what-the-provider-answers";

/// A relay process that asks an upstream.
struct Process {
    child: Child,
    address: std::net::SocketAddr,
}

impl Process {
    fn start(upstream: &Upstream, flags: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_riacho-relay"))
            .args(["--port", "0", "--store", ":memory:", "--retries", "1", "--demo-pace", "0"])
            .args(flags)
            .env_clear()
            .env("OPENAI_BASE_URL", format!("http://{}/v1", upstream.address))
            .env("OPENAI_API_KEY", KEY)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("stdout")).read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("riacho-relay listening on http://").expect("the line");
        Self { child, address: address.trim_end_matches('/').parse().expect("an address") }
    }

    async fn metrics(&self) -> String {
        let answer = reqwest::get(format!("http://{}/metrics", self.address)).await.expect("an answer");
        assert_eq!(
            answer.headers()["content-type"],
            "application/openmetrics-text; version=1.0.0; charset=utf-8"
        );
        answer.text().await.expect("text")
    }

    /// Ends it, and gives its log.
    fn log(mut self) -> String {
        let killed =
            Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill");
        assert!(killed.success());
        let mut log = String::new();
        self.child.stderr.take().expect("stderr").read_to_string(&mut log).expect("UTF-8");
        log
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn whole() -> Vec<Act> {
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 22}});
    vec![
        Act::Write(sse_head()),
        Act::Write(delta(ANSWERED)),
        Act::Write(finish()),
        Act::Write(format!("data: {usage}\n\n").into_bytes()),
        Act::Write(done()),
    ]
}

/// One that the upstream refuses, quoting the text and the key; one that is asked to wait; one that is whole; one that breaks off
/// in mid-text, so that the demo starts over; one that is stopped.
async fn scene(flags: &[&str]) -> (Process, Client, Vec<String>) {
    let quoting =
        json!({"error": {"message": format!("bad: {SAID} {KEY}"), "type": "invalid_request_error"}});
    let refused = vec![
        Act::Write(head("400 Bad Request", "content-type: application/json\r\n")),
        Act::Write(quoting.to_string().into_bytes()),
    ];
    let wait = vec![Act::Write(head("429 Too Many Requests", "retry-after: 1\r\n"))];
    let broken = vec![Act::Write(sse_head()), Act::Write(delta(ANSWERED)), Act::Reset];
    let hanging = vec![Act::Write(sse_head()), Act::Write(delta(ANSWERED)), Act::Gate];
    let upstream = Upstream::start(vec![refused, wait, whole(), broken, hanging]).await;
    let process = Process::start(&upstream, flags);
    let mut client = Client::connect(process.address).await;
    let room = id();
    client.join(&room).await;
    let mut replies = Vec::new();
    for turn in 0..4 {
        let (_, reply) = client.say(&room, SAID).await;
        if turn == 3 {
            common::until_text(&mut client, &reply, ANSWERED).await;
            client.send(json!({"type": "stop", "message_id": reply, "epoch": 0})).await;
        }
        client.until_end(&reply).await;
        while !client.held(&reply).is_whole() {
            client.next().await;
        }
        replies.push(reply);
    }
    client.send_text("{").await;
    client.until("error").await;
    // The demo that took over in mid-text has ended when its epoch has.
    client.settle().await;
    (process, client, replies)
}

/// The value of a line that begins with this.
fn value(metrics: &str, line: &str) -> f64 {
    let found = metrics.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("no {line} in\n{metrics}")).parse().expect("a number")
}

#[tokio::test]
async fn metrics_say_what_happened_and_their_page_names_each() {
    let (process, _client, _) = scene(&["--fallback", "demo"]).await;
    let mut other = Client::connect_raw(process.address).await;
    let preferences = json!({"theme": "dark", "language": "pt-BR", "pace": SAID, SAID: "dark", "motion": 7});
    other.send(json!({"type": "hello", "protocol": 1, "preferences": preferences})).await;
    assert_eq!(other.next().await["type"], "welcome", "what can't be counted turns nobody away");
    // Said a second time it counts for nothing.
    other.send(json!({"type": "hello", "protocol": 1, "preferences": preferences})).await;
    assert_eq!(other.next().await["code"], "bad_status");
    let forbidden = reqwest::Client::new()
        .get(format!("http://{}/api/conversations", process.address))
        .header("origin", "https://evil.example");
    assert_eq!(forbidden.send().await.expect("an answer").status(), 403);
    let metrics = process.metrics().await;
    let openai =
        |name: &str, labels: &str| value(&metrics, &format!("riacho_{name}{{provider=\"openai\"{labels}}}"));
    assert!((openai("answers_total", ",status=\"completed\",reason=\"\"") - 1.0).abs() < 0.5);
    assert!((openai("answers_total", ",status=\"interrupted\",reason=\"stopped\"") - 1.0).abs() < 0.5);
    assert!((openai("answers_total", ",status=\"error\",reason=\"provider_rejected\"") - 1.0).abs() < 0.5);
    assert!(openai("tokens_total", ",direction=\"output\"") >= 22.0);
    assert!(openai("tokens_total", ",direction=\"input\"") >= 11.0);
    assert!((openai("characters_total", "") - 3.0 * ANSWERED.len() as f64).abs() < 0.5);
    for phase in ["queue", "provider", "relay"] {
        assert!(
            (openai("first_token_seconds_count", &format!(",phase=\"{phase}\"")) - 3.0).abs() < 0.5,
            "{phase}"
        );
    }
    // The one that was asked to wait a second waited in the queue, and the provider is not blamed for it.
    assert!(openai("first_token_seconds_sum", ",phase=\"queue\"") >= 1.0);
    assert!(openai("first_token_seconds_sum", ",phase=\"provider\"") < 1.0);
    assert!((openai("answer_seconds_count", "") - 4.0).abs() < 0.5);
    assert!((value(&metrics, "riacho_refused_total{code=\"bad_json\"}") - 1.0).abs() < 0.5);
    assert!((value(&metrics, "riacho_refused_total{code=\"forbidden\"}") - 1.0).abs() < 0.5);
    let counted: BTreeSet<&str> =
        metrics.lines().filter_map(|line| line.strip_prefix("riacho_preferences_total{")).collect();
    let one = |preference: &str, value: &str| format!("preference=\"{preference}\",value=\"{value}\"}} 1");
    let counts = [one("language", "pt"), one("pace", "other"), one("theme", "dark")];
    assert_eq!(counted, counts.iter().map(String::as_str).collect());
    assert!((value(&metrics, "riacho_sockets") - 2.0).abs() < 0.5);
    assert!(value(&metrics, "riacho_answers_live").abs() < 0.5);
    assert!(value(&metrics, "riacho_sent_bytes_total") > value(&metrics, "riacho_sent_frames_total") * 20.0);
    assert!(value(&metrics, "riacho_received_bytes_total") > 300.0);
    assert!(!metrics.contains(SAID) && !metrics.contains(KEY));

    let exposed: BTreeSet<String> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next().map(str::to_owned))
        .collect();
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/RELAY.md")).expect("the page");
    let documented: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `riacho_")?.split(['`', '{']).next())
        .map(|name| format!("riacho_{}", name.strip_suffix("_total").unwrap_or(name)))
        .collect();
    assert_eq!(exposed, documented);
}

#[tokio::test]
async fn logs_follow_a_message_by_its_id_and_hold_no_text_and_no_key() {
    let (process, _client, replies) = scene(&["--log", "trace", "--log-format", "json"]).await;
    let log = process.log();
    for secret in [SAID, ANSWERED, KEY] {
        let found = log.lines().find(|line| line.contains(secret));
        assert_eq!(found, None, "{secret}");
    }
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    // A field of that name would stand beside the words, twice in one object, and readers keep one of the two.
    let twice = log.lines().find(|line| line.matches("\"message\":").count() > 1);
    assert_eq!(twice, None);
    for reply in &replies {
        let about: Vec<&str> = lines
            .iter()
            .filter(|line| {
                line["span"]["message_id"] == reply.as_str() || line["message_id"] == reply.as_str()
            })
            .filter_map(|line| line["message"].as_str())
            .collect();
        assert!(about.contains(&"an answer begins") && about.contains(&"an answer has ended"), "{about:?}");
    }
    let of_last = |words: &str| {
        lines.iter().any(|line| line["message"] == words && line["span"]["message_id"] == replies[1].as_str())
    };
    assert!(of_last("asking again"), "what the provider does is logged with the message's id");
}
