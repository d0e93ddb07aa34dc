//! Who may do what, over the real server: every verb, by the owner, by somebody else, and by nobody at all.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::HashMap;

use common::tokens::{SECRET, ask, bearer, claims, closed, guarded, hello, now, scene, sign, token, with};
use common::{Client, Relay, gated, id, until_text};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::{Method, StatusCode};
use riacho_relay::TokenKey;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// Of the tests alone.
const ED25519: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIFqaKfGbBTsclLciMGiSpeLPrln+Dkha+Sw+CvMsKcSU\n-----END PRIVATE KEY-----\n";
const ED25519_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAVI34eqBfxVd+h/kaSbo1qzX55pDbNJyqnReias205Vo=\n-----END PUBLIC KEY-----\n";

/// Everything that can be asked over HTTP of one conversation, and of one message in it.
fn doors(room: &str, message: &str) -> Vec<(Method, String, Option<Value>)> {
    vec![
        (Method::GET, "/api/conversations".into(), None),
        (Method::GET, format!("/api/conversations/{room}"), None),
        (Method::GET, format!("/conversations/{room}"), None),
        (Method::GET, format!("/api/messages/{message}"), None),
        (Method::GET, format!("/api/messages/{message}/stream"), None),
        (Method::POST, format!("/api/messages/{message}/stop"), None),
        (Method::POST, "/api/chat/send".into(), Some(json!({"conversationId": room, "content": "hi"}))),
        (Method::DELETE, format!("/api/conversations/{room}"), None),
        (Method::DELETE, format!("/conversations/{room}"), None),
    ]
}

/// Tokens that let nobody in, with the code that says why.
fn bad_tokens() -> Vec<(&'static str, Option<String>, &'static str)> {
    let other_key = EncodingKey::from_secret(b"another secret, and just as long as the first");
    let signed_otherwise = encode(
        &Header::new(Algorithm::HS384),
        &claims("alice"),
        &EncodingKey::from_secret(SECRET.as_bytes()),
    );
    // {"alg":"none"} . {"sub":"alice","exp":9999999999} . nothing
    let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSIsImV4cCI6OTk5OTk5OTk5OX0.";
    let public_key_as_secret =
        encode(&Header::default(), &claims("alice"), &EncodingKey::from_secret(ED25519_PUBLIC.as_bytes()));
    vec![
        ("missing", None, "unauthorized"),
        ("empty", Some(String::new()), "unauthorized"),
        ("garbage", Some("a.b.c".into()), "unauthorized"),
        ("unsigned", Some(unsigned.into()), "unauthorized"),
        ("another key", encode(&Header::default(), &claims("alice"), &other_key).ok(), "unauthorized"),
        ("another algorithm", signed_otherwise.ok(), "unauthorized"),
        ("a public key as the secret", public_key_as_secret.ok(), "unauthorized"),
        (
            "another issuer",
            Some(sign(&with("alice", json!({"iss": "https://evil.example"})))),
            "unauthorized",
        ),
        ("no issuer", Some(sign(&with("alice", json!({"iss": null})))), "unauthorized"),
        ("another audience", Some(sign(&with("alice", json!({"aud": "another"})))), "unauthorized"),
        ("no audience", Some(sign(&with("alice", json!({"aud": null})))), "unauthorized"),
        ("not valid yet", Some(sign(&with("alice", json!({"nbf": now() + 60})))), "unauthorized"),
        ("no expiry", Some(sign(&with("alice", json!({"exp": null})))), "unauthorized"),
        ("nobody", Some(sign(&with("", json!({})))), "unauthorized"),
        ("a name without end", Some(sign(&with(&"a".repeat(257), json!({})))), "unauthorized"),
        ("expired", Some(sign(&with("alice", json!({"exp": now() - 1})))), "token_expired"),
        ("taken back by name", Some(sign(&with("alice", json!({"jti": "stolen"})))), "token_revoked"),
        ("of a user who is shut out", Some(token("mallory")), "token_revoked"),
        ("older than a logout", Some(sign(&with("carol", json!({"iat": now() - 100})))), "token_revoked"),
        ("of no age, after a logout", Some(sign(&with("carol", json!({"iat": null})))), "token_revoked"),
    ]
}

#[tokio::test]
async fn nobody_comes_in_without_a_good_token() {
    let scene = scene().await;
    for (what, token, code) in bad_tokens() {
        let refused = hello(&scene.relay, token.as_deref()).await.err();
        assert_eq!(refused, Some((json!(code), Some(1008))), "hello, {what}");
        for door in doors(&scene.room, &scene.ended) {
            let value = token.as_deref().map(bearer);
            let headers: Vec<_> = value.iter().map(|value| ("authorization", value.as_str())).collect();
            let (status, body) = ask(&scene.relay, &door, &headers).await;
            assert_eq!((status, &body["code"]), (StatusCode::UNAUTHORIZED, &json!(code)), "{door:?}, {what}");
            assert!(!body.to_string().contains("secret of alice"), "{body}");
        }
    }
    // The scheme is the one of RFC 6750, and a good token of it opens.
    let (status, _) =
        ask(&scene.relay, &doors(&scene.room, &scene.ended)[0], &[("authorization", "Basic YTpi")]).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let carol = hello(&scene.relay, Some(&token("carol"))).await;
    assert!(carol.is_ok(), "she has logged in again since");
}

#[tokio::test]
async fn a_token_in_a_url_opens_nothing() {
    let scene = scene().await;
    let good = token("alice");
    for parameter in ["token", "access_token", "authorization", "jwt"] {
        let url = format!("ws://{}/ws?{parameter}={good}", scene.relay.address);
        let (socket, _) = tokio_tungstenite::connect_async(url).await.expect("a socket");
        let mut client = Client { socket, log: HashMap::new() };
        client.send(json!({"type": "hello", "protocol": 1})).await;
        assert_eq!(client.next().await["code"], "unauthorized", "{parameter}");
        let door = (Method::GET, format!("/api/conversations?{parameter}={good}"), None);
        assert_eq!(ask(&scene.relay, &door, &[]).await.0, StatusCode::UNAUTHORIZED, "{parameter}");
    }
}

#[tokio::test]
async fn the_header_opens_a_socket_as_hello_does() {
    let scene = scene().await;
    let url = format!("ws://{}/ws", scene.relay.address);
    let request = |token: &str| {
        let mut request = url.as_str().into_client_request().expect("a request");
        request.headers_mut().insert("authorization", bearer(token).parse().expect("a header"));
        request
    };
    let (socket, _) = tokio_tungstenite::connect_async(request(&token("alice"))).await.expect("a socket");
    let mut client = Client { socket, log: HashMap::new() };
    client.send(json!({"type": "hello", "protocol": 1})).await;
    assert_eq!(client.next().await["type"], "welcome");
    assert_eq!(client.join(&scene.room).await["messages"].as_array().map(Vec::len), Some(4));
    // A header that is wrong is said before the socket opens.
    match tokio_tungstenite::connect_async(request("nonsense")).await {
        Err(tokio_tungstenite::tungstenite::Error::Http(response)) => assert_eq!(response.status(), 401),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn somebody_elses_conversation_is_as_one_that_does_not_exist() {
    let mut scene = scene().await;
    let before = ask(
        &scene.relay,
        &(Method::GET, format!("/api/conversations/{}", scene.room), None),
        &[("authorization", &bearer(&token("alice")))],
    )
    .await
    .1;
    let mut bob = hello(&scene.relay, Some(&token("bob"))).await.expect("he is let in");
    let own = id();
    bob.join(&own).await;
    let send = |room: &str, parent: Option<&str>| {
        json!({"type": "send_message", "conversation_id": room, "message_id": id(), "reply_id": id(), "content": "hi",
            "parent_id": parent})
    };
    let about =
        |verb: &str, message: &str, epoch: u32| json!({"type": verb, "message_id": message, "epoch": epoch});
    let (room, said, ended, live) = (&scene.room, &scene.said, &scene.ended, &scene.live);
    let taken = json!({"type": "send_message", "conversation_id": own, "message_id": said, "reply_id": ended, "content": "hi"});
    // What bob asks of alice's; what he is told; and whether he is told the same of what does not exist.
    let table: Vec<(&str, Value, &str, bool)> = vec![
        (
            "join",
            json!({"type": "join_conversation", "conversation_id": room, "have": {}}),
            "forbidden",
            false,
        ),
        ("send without a join", send(room, None), "unknown_conversation", true),
        (
            "history",
            json!({"type": "load_history", "conversation_id": room, "limit": 10}),
            "unknown_conversation",
            true,
        ),
        (
            "history before hers",
            json!({"type": "load_history", "conversation_id": own, "before": ended, "limit": 10}),
            "unknown_message",
            true,
        ),
        (
            "update",
            json!({"type": "update_conversation", "conversation_id": room, "title": "mine"}),
            "unknown_conversation",
            true,
        ),
        (
            "close",
            json!({"type": "update_conversation", "conversation_id": room, "status": "closed"}),
            "unknown_conversation",
            true,
        ),
        ("stop", about("stop", live, 0), "unknown_message", true),
        ("stop, another epoch", about("stop", live, 7), "unknown_message", true),
        ("pause", about("pause", live, 0), "unknown_message", true),
        ("resume", about("resume", live, 0), "unknown_message", true),
        ("retry", about("retry", ended, 0), "unknown_message", true),
        ("retry what lives", about("retry", live, 0), "unknown_message", true),
        ("answer to hers", send(&own, Some(ended)), "unknown_message", true),
        // An id is an id: whoever takes one that is taken has to be told.
        ("her ids", taken, "id_taken", false),
    ];
    for (what, frame, code, as_nothing) in table {
        bob.send(frame.clone()).await;
        let answers = bob.settle().await;
        assert_eq!(answers.iter().filter(|frame| frame["type"] != "pong").count(), 1, "{what}: {answers:?}");
        assert_eq!((&answers[0]["type"], &answers[0]["code"]), (&json!("error"), &json!(code)), "{what}");
        let strangers = frame
            .to_string()
            .replace(said, &id())
            .replace(room, &id())
            .replace(ended, &id())
            .replace(live, &id());
        bob.send_text(strangers).await;
        let of_nothing = bob.settle().await;
        assert_eq!(of_nothing[0]["message"] == answers[0]["message"], as_nothing, "{what}: {of_nothing:?}");
    }
    bob.send(json!({"type": "list_conversations"})).await;
    let list = bob.until("conversations").await.pop().expect("a list");
    assert!(!list.to_string().contains(room.as_str()), "{list}");

    let mallets = bearer(&token("bob"));
    let nothing = doors(&id(), &id());
    for (door, nothing) in
        doors(room, ended).iter().zip(nothing.iter()).chain(doors(room, live).iter().zip(nothing.iter()))
    {
        let (status, body) = ask(&scene.relay, door, &[("authorization", &mallets)]).await;
        match door.1.as_str() {
            "/api/conversations" => assert!(!body.to_string().contains(room.as_str()), "{body}"),
            "/api/chat/send" => {
                assert_eq!((status, &body["code"]), (StatusCode::FORBIDDEN, &json!("forbidden")))
            }
            _ => {
                let unknown =
                    if door.1.contains("messages") { "unknown_message" } else { "unknown_conversation" };
                assert_eq!((status, &body["code"]), (StatusCode::NOT_FOUND, &json!(unknown)), "{door:?}");
                assert_eq!(
                    ask(&scene.relay, nothing, &[("authorization", &mallets)]).await,
                    (status, body),
                    "{door:?}"
                );
            }
        }
    }

    // Nothing of it has touched hers, and she may do all of it.
    scene.upstream.gate.add_permits(8);
    let end = scene.alice.until_end(&scene.live).await;
    assert_eq!((&end["status"], scene.alice.text(&scene.live)), (&json!("completed"), "one two"));
    let hers = bearer(&token("alice"));
    let after = ask(
        &scene.relay,
        &(Method::GET, format!("/api/conversations/{room}"), None),
        &[("authorization", &hers)],
    )
    .await
    .1;
    assert_eq!((&after["title"], &after["status"]), (&before["title"], &before["status"]));
    assert_eq!(after["messages"][1], before["messages"][1]);
    assert_eq!(after["messages"].as_array().map(Vec::len), Some(4));
    for frame in [
        json!({"type": "load_history", "conversation_id": room, "limit": 10}),
        json!({"type": "update_conversation", "conversation_id": room, "title": "hers"}),
        about("stop", &scene.live, 0),
        about("pause", &scene.live, 0),
        about("resume", &scene.live, 0),
        about("retry", &scene.ended, 0),
    ] {
        scene.alice.send(frame.clone()).await;
        let answers = scene.alice.settle().await;
        assert!(answers.iter().all(|answer| answer["type"] != "error"), "{frame}: {answers:?}");
    }
    scene.alice.until_whole(&scene.ended).await;
    for door in doors(room, &scene.ended).iter().take(8) {
        let (status, body) = ask(&scene.relay, door, &[("authorization", &hers)]).await;
        assert!(status.is_success(), "{door:?}: {body}");
    }
}

#[tokio::test]
async fn another_site_may_not_ask_even_with_a_token() {
    let scene = scene().await;
    let hers = bearer(&token("alice"));
    let own = format!("http://{}", scene.relay.address);
    for door in doors(&scene.room, &scene.ended) {
        for headers in
            [[("origin", "https://evil.example")], [("origin", "null")], [("sec-fetch-site", "cross-site")]]
        {
            let headers = [headers[0], ("authorization", hers.as_str())];
            let (status, body) = ask(&scene.relay, &door, &headers).await;
            assert_eq!(
                (status, &body["code"]),
                (StatusCode::FORBIDDEN, &json!("forbidden")),
                "{door:?} {headers:?}"
            );
        }
    }
    let list = &doors(&scene.room, &scene.ended)[0];
    for origin in [own.as_str(), "https://app.example"] {
        let (status, _) = ask(&scene.relay, list, &[("origin", origin), ("authorization", &hers)]).await;
        assert_eq!(status, StatusCode::OK, "{origin}");
    }
    let mut request = format!("ws://{}/ws", scene.relay.address).into_client_request().expect("a request");
    request.headers_mut().insert("origin", "https://evil.example".parse().expect("a header"));
    request.headers_mut().insert("authorization", hers.parse().expect("a header"));
    match tokio_tungstenite::connect_async(request).await {
        Err(tokio_tungstenite::tungstenite::Error::Http(response)) => assert_eq!(response.status(), 403),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_listed_origin_is_told_what_it_may() {
    let scene = scene().await;
    let preflight = |origin: &'static str| {
        reqwest::Client::new()
            .request(Method::OPTIONS, format!("http://{}/api/chat/send", scene.relay.address))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type")
            .send()
    };
    let listed = preflight("https://app.example").await.expect("an answer");
    assert_eq!(listed.headers()["access-control-allow-origin"], "https://app.example");
    let allowed = listed.headers()["access-control-allow-headers"].to_str().expect("text").to_lowercase();
    assert!(allowed.contains("authorization") && allowed.contains("last-event-id"), "{allowed}");
    assert!(listed.headers().get("access-control-allow-credentials").is_none());
    let other = preflight("https://evil.example").await.expect("an answer");
    assert!(other.headers().get("access-control-allow-origin").is_none());
}

#[tokio::test]
async fn a_token_that_runs_out_ends_the_socket_in_mid_stream_and_a_new_one_goes_on() {
    let upstream = gated(1).await;
    let relay = Relay::start(guarded(upstream.settings())).await;
    let short = sign(&with("alice", json!({"exp": now() + 2})));
    let mut alice = hello(&relay, Some(&short)).await.expect("she is let in");
    let room = id();
    alice.join(&room).await;
    let (_, reply) = alice.say(&room, "hi").await;
    until_text(&mut alice, &reply, "one ").await;
    let error = alice.until("error").await.pop().expect("an error");
    assert_eq!(error["code"], "token_expired");
    assert_eq!(closed(&mut alice).await, Some(1008));
    let held = alice.log;
    let mut again = hello(&relay, Some(&token("alice"))).await.expect("she is let in again");
    again.log = held;
    again.join(&room).await;
    upstream.gate.add_permits(1);
    assert_eq!(again.until_end(&reply).await["status"], "completed");
    assert_eq!(again.text(&reply), "one two");
}

#[tokio::test]
async fn eddsa_tokens_are_checked_with_the_public_key_alone() {
    let mut settings = guarded(common::fast());
    settings.auth.key = Some(TokenKey::Ed25519Pem(ED25519_PUBLIC.into()));
    let relay = Relay::start(settings).await;
    let key = EncodingKey::from_ed_pem(ED25519.as_bytes()).expect("a key");
    let good = encode(&Header::new(Algorithm::EdDSA), &claims("alice"), &key).expect("it signs");
    assert!(hello(&relay, Some(&good)).await.is_ok());
    // The old trick: the public key as an HMAC secret.
    let forged = encode(
        &Header::new(Algorithm::HS256),
        &claims("alice"),
        &EncodingKey::from_secret(ED25519_PUBLIC.as_bytes()),
    )
    .expect("it signs");
    assert_eq!(hello(&relay, Some(&forged)).await.err().expect("refused").0, "unauthorized");
}
