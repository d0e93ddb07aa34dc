//! What a reader sees of it: the window of a long conversation, a steady pace, the page's words.

use super::*;

// The same tests natively and in the browser.
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn m(id: &str) -> MessageId {
    MessageId::new(id).unwrap()
}

fn client(window: Option<usize>) -> Client {
    let mut client = Client::new(Config {
        transport: Transport::Page,
        sweep: Sweep::default(),
        window,
        preferences: Preferences::default(),
    });
    client.open(ConversationId::new("c").unwrap(), 0);
    client
}

fn handle(client: &mut Client, event: &str) {
    client.handle_event(event, 0).unwrap();
}

/// A finished message of one word.
fn say(client: &mut Client, id: &str) {
    handle(client, &format!(r#"{{"type":"message_chunk","message_id":"{id}","content":"word"}}"#));
    handle(client, &format!(r#"{{"type":"response_complete","message_id":"{id}"}}"#));
}

fn drain(client: &mut Client) -> Vec<Output> {
    std::iter::from_fn(|| client.poll_output()).collect()
}

/// What was put up, each behind which, and what was taken down.
fn moves(client: &mut Client) -> Vec<String> {
    let moves = drain(client).into_iter().filter_map(|output| match output {
        Output::Mount(mount) => {
            let after = mount.after.map_or("the front".to_owned(), |after| after.to_string());
            Some(format!("{} behind {after}", mount.message_id))
        }
        Output::Unmount(id) => Some(format!("no {id}")),
        _ => None,
    });
    moves.collect()
}

fn mounted(client: &Client) -> Vec<&str> {
    client.views.keys().map(|id| id.as_str()).collect()
}

#[test]
fn the_newest_have_an_element_and_the_page_moves_the_window() {
    let mut client = client(Some(2));
    ["a", "b", "c", "d"].iter().for_each(|id| say(&mut client, id));
    assert_eq!((client.window(), mounted(&client)), ((2..4, 4), vec!["c", "d"]));
    moves(&mut client);
    client.set_window(0..3, 0);
    assert_eq!(moves(&mut client), ["no d", "a behind the front", "b behind a"]);
    client.set_window(1..9, 0);
    assert_eq!(moves(&mut client), ["no a", "d behind c"]);
    assert_eq!(client.text(&m("a")), Some("word"));
}

#[test]
fn text_for_what_has_no_element_is_kept_and_shown_when_it_comes_near() {
    let mut client = client(Some(1));
    handle(&mut client, r#"{"type":"message_chunk","message_id":"a","content":"one"}"#);
    say(&mut client, "b");
    assert_eq!(mounted(&client), ["b"]);
    drain(&mut client);
    handle(&mut client, r#"{"type":"message_chunk","message_id":"a","content":" two"}"#);
    handle(&mut client, r#"{"type":"stream_error","message_id":"a"}"#);
    assert!(drain(&mut client).iter().all(|output| matches!(output, Output::Emit(_))));
    client.set_window(0..2, 0);
    assert_eq!(client.views.get(&m("a")).map(|view| view.pushed), Some("one two".len()));
}

/// Counted, not timed: what one step of the window does, among few messages and among ten times as many.
#[test]
fn a_step_of_the_window_does_the_same_among_5000_messages() {
    let steps = [500, 5_000].map(|count| {
        let mut client = client(Some(40));
        (0..count).for_each(|n| say(&mut client, &format!("{n:05}")));
        let middle = count / 2;
        client.set_window(middle..middle + 40, 0);
        drain(&mut client);
        client.set_window(middle - 6..middle + 34, 0);
        assert_eq!(client.views.len(), 40);
        moves(&mut client).len()
    });
    assert_eq!(steps, [12, 12]);
}

/// What is painted at this time, and whether the element says that it is over.
fn frame(client: &mut Client, now: Millis) -> (usize, bool) {
    client.render(now);
    let over = drain(client)
        .iter()
        .any(|output| matches!(output, Output::SetStatus(_, appearance) if appearance.status.is_terminal()));
    (client.views.get(&m("a")).map_or(0, |view| view.pushed), over)
}

#[test]
fn a_pace_shows_so_many_characters_a_second_and_the_end_when_all_is_shown() {
    let mut client = client(None);
    client.set_pace(Some(100));
    let text = "á".repeat(200);
    handle(&mut client, &format!(r#"{{"type":"message_chunk","message_id":"a","content":"{text}"}}"#));
    handle(&mut client, r#"{"type":"response_complete","message_id":"a"}"#);
    assert!(drain(&mut client).contains(&Output::RequestFrame));
    assert_eq!(client.text(&m("a")), Some(text.as_str()), "only the display is paced");
    let (first, over) = frame(&mut client, 10_000);
    assert!(first <= 4 && !over, "{first}");
    assert_eq!(frame(&mut client, 10_500), (first + 100, false));
    assert_eq!(frame(&mut client, 10_505), (first + 100, false), "less than one character waits");
    assert_eq!(frame(&mut client, 10_510), (first + 102, false));
    assert_eq!(frame(&mut client, 12_000), (400, true));
}

#[test]
fn without_a_pace_what_was_behind_is_shown_at_once() {
    let mut client = client(None);
    client.set_pace(Some(10));
    handle(&mut client, r#"{"type":"message_chunk","message_id":"a","content":"a brook goes on"}"#);
    frame(&mut client, 1_000);
    client.set_pace(None);
    assert_eq!(frame(&mut client, 1_001).0, "a brook goes on".len());
    handle(&mut client, r#"{"type":"message_chunk","message_id":"a","content":" and on"}"#);
    assert_eq!(frame(&mut client, 1_002).0, "a brook goes on and on".len());
}

#[test]
fn what_went_wrong_is_said_in_the_pages_words() {
    let mut client = client(None);
    let word = |code: &str, said: &str| (code.to_owned(), said.to_owned());
    handle(
        &mut client,
        r#"{"type":"stream_error","message_id":"a","code":"rate_limited","message":"slow down","retry_after":7}"#,
    );
    let said = |client: &mut Client| {
        let last = drain(client).into_iter().rev().find_map(|output| match output {
            Output::SetStatus(_, appearance) => Some((appearance.notice?, appearance.retry?)),
            _ => None,
        });
        last.unwrap()
    };
    assert_eq!(said(&mut client), word("slow down Try again in 7 s.", "Retry"));
    let words = [
        word("rate_limited", "Devagar."),
        word("retry_after", "De novo em {seconds} s."),
        word("retry", "Tentar"),
    ];
    client.set_words(words.into_iter().collect());
    assert_eq!(said(&mut client), word("Devagar. De novo em 7 s.", "Tentar"));
}

#[test]
fn why_nothing_comes_is_said_in_the_pages_words_until_something_comes() {
    let mut client = client(None);
    handle(&mut client, r#"{"type":"message_started","message_id":"a"}"#);
    handle(
        &mut client,
        r#"{"type":"message_status","message_id":"a","epoch":0,"status":"pending","detail":"one failed.","code":"asking_again","provider":"one","retry_after":3}"#,
    );
    let said = |client: &mut Client| {
        let outputs = drain(client);
        let shown = outputs.iter().rev().find_map(|output| match output {
            Output::SetStatus(_, appearance) => Some(appearance.notice.clone()),
            _ => None,
        });
        let told = outputs.iter().rev().find_map(|output| match output {
            Output::Emit(Event::Status { detail, .. }) => Some(detail.clone()),
            _ => None,
        });
        (shown.unwrap(), told.flatten())
    };
    let both = |words: &str| (Some(words.to_owned()), Some(words.to_owned()));
    assert_eq!(said(&mut client), both("one failed."));
    // Another language while one waits: it is said again.
    let words = ("asking_again".to_owned(), "{provider} falhou, de novo em {seconds} s.".to_owned());
    client.set_words([words].into_iter().collect());
    assert_eq!(said(&mut client), (Some("one falhou, de novo em 3 s.".to_owned()), None));
    // A code of a newer relay has its words with it.
    handle(
        &mut client,
        r#"{"type":"message_status","message_id":"a","epoch":0,"status":"pending","detail":"Dreaming.","code":"dreaming"}"#,
    );
    assert_eq!(said(&mut client), both("Dreaming."));
    handle(&mut client, r#"{"type":"message_chunk","message_id":"a","content":"a brook"}"#);
    assert_eq!(said(&mut client), (None, None));
    // In the middle of the text as well.
    handle(
        &mut client,
        r#"{"type":"message_status","message_id":"a","epoch":0,"status":"streaming","detail":"one broke off.","code":"taking_up"}"#,
    );
    assert_eq!(said(&mut client), both("one broke off."));
    handle(&mut client, r#"{"type":"message_chunk","message_id":"a","content":" goes on"}"#);
    assert_eq!(said(&mut client), (None, None));
}
