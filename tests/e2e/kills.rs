//! The relay killed in mid-answer, again and again: nothing that a reader has seen is lost, and nothing hangs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use riacho_tests::page::Page;
use riacho_tests::scene::{Setup, play};
use riacho_tests::upstream::Exchange;
use serde::Deserialize;
use serde_json::json;

use crate::text::{pieces, shown};

const ANSWERS: usize = 20;
const KILL_EVERY: Duration = Duration::from_secs(3);
const MINUTE: Duration = Duration::from_secs(60);

/// Notes where each answer stands, the longest text of each epoch that the page has shown, and each end that came short
/// of it. Conversations that were left long ago are let go and described again: only then may a text grow once more.
const WATCH: &str = "
    globalThis.statuses = new Map();
    globalThis.longest = new Map();
    globalThis.again = new Set();
    globalThis.faults = [];
    globalThis.interruptions = 0;
    const note = ({ messageId, epoch }) => {
        const key = `${messageId} ${epoch}`;
        const text = chat.text(messageId) ?? '';
        const before = longest.get(key) ?? '';
        if (text.length >= before.length) again.delete(key);
        if (again.has(key) ? !before.startsWith(text) : !text.startsWith(before)) faults.push(`${key}: ${before.length} characters were shown, then others`);
        if (text.length > before.length) longest.set(key, text);
        return text.length < before.length;
    };
    chat.on('message', ({ messageId, epoch, role }) => {
        if (role !== 'assistant') return;
        statuses.set(messageId, 'pending');
        if (longest.has(`${messageId} ${epoch}`)) again.add(`${messageId} ${epoch}`);
    });
    chat.on('chunk', note);
    chat.on('status', (event) => {
        const short = note(event);
        statuses.set(event.messageId, event.status);
        if (short && event.status !== 'pending' && event.status !== 'streaming') faults.push(`${event.messageId}: ${event.status}, and shorter than it was`);
        if (event.status === 'interrupted') {
            interruptions += 1;
            if (event.reason !== 'restart') faults.push(`${event.messageId}: interrupted by ${event.reason}`);
        }
    });";

/// Asks in a conversation of its own; gives back the ids of the conversation and of the answer.
const ASK: &str = "
    const conversation = crypto.randomUUID();
    chat.open(conversation);
    return [conversation, chat.send(arguments[0]).replyId];";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    message_id: String,
    status: String,
}

async fn told(page: &Page) -> BTreeMap<String, String> {
    let told: Vec<Told> =
        page.run("return [...statuses].map(([messageId, status]) => ({ messageId, status }));", vec![]).await;
    told.into_iter().map(|told| (told.message_id, told.status)).collect()
}

/// The words of an answer, by the question: some answers are short, some outlive several kills.
fn answer_to(question: &str) -> Vec<String> {
    let number: usize = question.trim_start_matches("pergunta ").parse().unwrap_or(0);
    pieces(
        &format!("r{}x", char::from(b'a' + u8::try_from(number % 26).unwrap_or(0))),
        40 + 37 * (number % 5),
    )
}

/// How long the provider takes for one piece of an answer.
const PACE: Duration = Duration::from_millis(30);

/// How the provider answers.
trait Answers {
    fn setup(&self, setup: Setup) -> Setup;
    fn answer(&mut self, exchange: Exchange);
}

/// Chat Completions: whoever is asked streams, and what is cut off is lost.
struct Streams;

impl Answers for Streams {
    fn setup(&self, setup: Setup) -> Setup {
        setup
    }

    fn answer(&mut self, mut exchange: Exchange) {
        tokio::spawn(async move {
            let pieces = answer_to(exchange.asked());
            exchange.stream(pieces.iter().map(String::as_str), PACE).await;
        });
    }
}

/// Responses in the background: each answer grows by itself, and can be read again behind any of its events.
#[derive(Default)]
struct Background {
    responses: BTreeMap<String, (Vec<String>, Instant)>,
}

impl Answers for Background {
    fn setup(&self, setup: Setup) -> Setup {
        setup.relay_env("OPENAI_RESPONSES", "background").relay_args(&["--provider", "openai-responses"])
    }

    fn answer(&mut self, exchange: Exchange) {
        let (id, after) = match exchange.path.split_once('?') {
            // GET /v1/responses/{id}?stream=true&starting_after={sequence_number}
            Some((path, query)) => {
                let id = path.rsplit('/').next().unwrap_or_default().to_owned();
                let after = query.split('&').find_map(|pair| pair.strip_prefix("starting_after="));
                (id, after.and_then(|number| number.parse().ok()))
            }
            None => {
                let id = format!("resp_{}", self.responses.len());
                let turns = exchange.body["input"].as_array().cloned().unwrap_or_default();
                let question = turns.last().and_then(|turn| turn["content"].as_str()).unwrap_or_default();
                self.responses.insert(id.clone(), (answer_to(question), Instant::now()));
                (id, None)
            }
        };
        let (pieces, since) = self.responses[&id].clone();
        tokio::spawn(respond(exchange, id, pieces, since, after));
    }
}

async fn respond(
    mut exchange: Exchange,
    id: String,
    pieces: Vec<String>,
    since: Instant,
    after: Option<usize>,
) {
    let mut events = vec![
        json!({"type": "response.created", "response": {"id": id, "status": "queued"}}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": {"type": "message"}}),
    ];
    events.extend(
        pieces
            .iter()
            .map(|piece| json!({"type": "response.output_text.delta", "output_index": 0, "delta": piece})),
    );
    events.push(json!({"type": "response.completed",
        "response": {"id": id, "status": "completed", "usage": {"input_tokens": 7, "output_tokens": 5}}}));
    exchange.begin().await;
    for (number, mut event) in events.into_iter().enumerate().skip(after.map_or(0, |after| after + 1)) {
        tokio::time::sleep_until((since + PACE * u32::try_from(number).unwrap_or(0)).into()).await;
        event["sequence_number"] = number.into();
        exchange.event(&event).await;
    }
    exchange.end().await;
}

struct Store(PathBuf);

impl Store {
    fn new(name: &str) -> Store {
        let folder = std::env::temp_dir().join(format!("riacho-kills-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder in the temporary one");
        Store(folder)
    }

    fn file(&self) -> String {
        self.0.join("relay.db").to_string_lossy().into_owned()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn twenty_answers_survive_a_relay_that_is_killed_every_three_seconds() {
    killed(Streams, "streams", |interruptions, retried| {
        assert!(interruptions > 0 && retried > 0, "the kills hit nothing: {interruptions}, {retried}");
    });
}

#[test]
fn with_a_provider_that_works_in_the_background_all_twenty_end_whole() {
    killed(Background::default(), "background", |interruptions, retried| {
        assert_eq!((interruptions, retried), (0, 0));
    });
}

/// A minute of kills; then everything must end whole. `check` gets how many interruptions and retries it took.
fn killed(mut provider: impl Answers, name: &str, check: impl FnOnce(u32, u32)) {
    let store = Store::new(name);
    let setup = provider.setup(Setup::default().relay_args(&["--store", &store.file()]).sockets_are_lost());
    play(setup, async |scene| {
        scene.page.run::<Option<bool>>(WATCH, vec![]).await;
        let started = Instant::now();
        let mut answers = Vec::new();
        let (mut next_kill, mut kills) = (KILL_EVERY, 0);
        while started.elapsed() < MINUTE {
            // Between two kills, so that each question has been asked when the next one comes.
            let due =
                MINUTE * u32::try_from(answers.len()).unwrap_or(0) / u32::try_from(ANSWERS).unwrap_or(1);
            if answers.len() < ANSWERS && started.elapsed() >= due + KILL_EVERY / 2 {
                let question = format!("pergunta {}", answers.len());
                let (conversation, reply): (String, String) =
                    scene.page.run(ASK, vec![question.clone().into()]).await;
                answers.push((question, conversation, reply));
            }
            if started.elapsed() >= next_kill {
                scene.relay.kill_and_restart();
                next_kill += KILL_EVERY;
                kills += 1;
            }
            while !scene.upstream.is_idle() {
                provider.answer(scene.upstream.next().await);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(kills >= 15 && answers.len() == ANSWERS, "{kills} kills, {} answers", answers.len());

        // The relay lives from here on. Everything ends, and what was interrupted is whole after a retry.
        let mut retried = 0;
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            while !scene.upstream.is_idle() {
                provider.answer(scene.upstream.next().await);
            }
            let told = told(&scene.page).await;
            let mut open = 0;
            for (_, conversation, reply) in &answers {
                match told.get(reply).map(String::as_str) {
                    Some("completed") => {}
                    Some("interrupted") => {
                        open += 1;
                        retried += 1;
                        let open = "chat.open(arguments[0]); return null;";
                        scene.page.run::<Option<bool>>(open, vec![conversation.as_str().into()]).await;
                        // One that was let go is described again first.
                        let known = "return chat.debug().messages.some(({ messageId, status }) => messageId === arguments[0] && status === 'interrupted');";
                        scene
                            .page
                            .until("the interrupted answer", async |page| {
                                page.run::<bool>(known, vec![reply.as_str().into()]).await.then_some(())
                            })
                            .await;
                        let retry = "chat.retry(arguments[0]); return null;";
                        scene.page.run::<Option<bool>>(retry, vec![reply.as_str().into()]).await;
                        // One retry at a time: its next epoch must be there before it is looked at again.
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                    Some("pending" | "streaming") => open += 1,
                    other => panic!("{reply} is {other:?}"),
                }
            }
            if open == 0 {
                break;
            }
            assert!(Instant::now() < deadline, "answers hang: {told:#?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }

        let (faults, interruptions): (Vec<String>, u32) =
            scene.page.run("return [faults, interruptions];", vec![]).await;
        assert!(faults.is_empty(), "{faults:#?}");
        check(interruptions, retried);
        for (question, conversation, reply) in &answers {
            scene
                .page
                .run::<Option<bool>>(
                    "chat.open(arguments[0]); return null;",
                    vec![conversation.as_str().into()],
                )
                .await;
            let expected = shown(&answer_to(question));
            let shown = scene
                .page
                .answer("the whole answer", |answer| answer.status == "completed" && answer.text == expected)
                .await;
            assert_eq!(&shown.id, reply);
            assert_eq!(scene.page.messages().await.len(), 2, "one container a message");
        }
        println!("{kills} kills, {interruptions} interruptions, {retried} retries");
    });
}
