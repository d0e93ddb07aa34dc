//! A stop and the end of an answer, in both orders. The log decides: what it takes first stands, for everyone.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use riacho_protocol::{
    ConversationId, Failure, InterruptReason, JoinConversation, MessageId, Options, SendMessage, ServerFrame,
    Status,
};
use tokio::sync::Semaphore;

use super::*;
use crate::frame::Frame;
use crate::log::{Bounds, Place, Subscription};
use crate::providers::{Event, Events, Provider};
use crate::quota::QuotaSettings;
use crate::request::Request;

/// Says "one " and "two", and ends when it is let.
struct Gated(Arc<Semaphore>);

impl Provider for Gated {
    fn answer(&self, _: Request, events: Events) -> BoxFuture<'static, Result<(), Failure>> {
        let gate = Arc::clone(&self.0);
        async move {
            for text in ["one ", "two"] {
                events.emit(vec![Event::Text { part: 0, text: text.to_owned() }]).await;
            }
            gate.acquire().await.expect("open").forget();
            Ok(())
        }
        .boxed()
    }
}

struct World {
    log: Log,
    runs: Runs,
    gate: Arc<Semaphore>,
    room: ConversationId,
    reply: MessageId,
    /// The one that stops it, and one that only reads.
    readers: [Subscription; 2],
}

fn id() -> String {
    uuid::Uuid::from_u128(fastrand::u128(..)).to_string()
}

/// Everything that a reader is sent, until there is nothing more.
async fn frames(reader: &mut Subscription) -> Vec<ServerFrame> {
    let mut frames = Vec::new();
    while let Some(frame) = reader.next().await {
        frames.push(frame.into_inner());
    }
    frames
}

impl World {
    /// An answer whose text is there, and which has not ended.
    async fn new() -> Self {
        let gate = Arc::new(Semaphore::new(0));
        let log = Log::open(&Place::Memory, 0).expect("a log");
        let providers = Providers::only("gated", Gated(Arc::clone(&gate)));
        let (settings, metrics) = (Arc::default(), Arc::default());
        let runs = Runs::new(log.clone(), providers, settings, Quota::new(QuotaSettings::ANONYMOUS), metrics);
        let room = ConversationId::new(id()).expect("an id");
        let [message_id, reply] = [(); 2].map(|()| MessageId::new(id()).expect("an id"));
        let bounds = Bounds { max_chunk: 1000, max_page: 100, max_joined: 8 };
        let mut readers = [(); 2].map(|()| log.subscribe(User::local(), bounds));
        for reader in &mut readers {
            let join = JoinConversation { conversation_id: room.clone(), have: Default::default() };
            reader.join(join).await.expect("joined");
        }
        let message = SendMessage {
            conversation_id: room.clone(),
            message_id,
            reply_id: reply.clone(),
            parent_id: None,
            content: "hi".into(),
            provider: None,
            model: None,
            options: Options::default(),
        };
        runs.send(&User::local(), message).await.expect("sent");
        for reader in &mut readers {
            let mut text = String::new();
            while text != "one two" {
                match reader.next().await.map(Frame::into_inner) {
                    Some(ServerFrame::MessageChunk(chunk)) if chunk.message_id == reply => {
                        text += &chunk.content
                    }
                    Some(_) => {}
                    None => reader.changed().await,
                }
            }
        }
        Self { log, runs, gate, room, reply, readers }
    }

    /// Someone presses stop. What it comes to is known when the log has taken it.
    fn stop(&self) -> tokio::task::JoinHandle<Result<(), Refused>> {
        let (runs, reply) = (self.runs.clone(), self.reply.clone());
        tokio::spawn(async move { runs.stop(&User::local(), &reply, 0).await })
    }

    /// The provider ends.
    fn end(&self) {
        self.gate.add_permits(1);
    }

    /// Each reader is told once how it ended, and one that comes now is told the same.
    async fn assert_ended(mut self, status: Status, reason: Option<InterruptReason>) {
        self.runs.close().await;
        let bounds = Bounds { max_chunk: 1000, max_page: 100, max_joined: 8 };
        let mut fresh = self.log.subscribe(User::local(), bounds);
        let join = JoinConversation { conversation_id: self.room, have: Default::default() };
        let joined = fresh.join(join).await.expect("joined");
        let info = joined.messages.iter().find(|info| info.message_id == self.reply).expect("it is listed");
        assert_eq!((info.status, info.reason, info.length), (status, reason, 7));
        for reader in &mut self.readers {
            let ends = frames(reader).await;
            let [ServerFrame::ResponseComplete(end)] = ends.as_slice() else { panic!("{ends:?}") };
            assert_eq!((end.status, end.reason, end.length), (status, reason, 7));
        }
    }
}

#[tokio::test]
async fn an_end_that_the_log_takes_before_a_stop_stands() {
    let world = World::new().await;
    let held = world.log.hold().await;
    world.end();
    world.log.until_waiting(1).await;
    let stop = world.stop();
    world.log.until_waiting(2).await;
    drop(held);
    assert_eq!(stop.await.expect("no panic"), Ok(()), "a stop that comes too late is no error");
    world.assert_ended(Status::Completed, None).await;
}

#[tokio::test]
async fn a_stop_that_the_log_takes_before_the_end_stands() {
    let world = World::new().await;
    let held = world.log.hold().await;
    let stop = world.stop();
    world.log.until_waiting(1).await;
    world.end();
    world.log.until_waiting(2).await;
    drop(held);
    assert_eq!(stop.await.expect("no panic"), Ok(()));
    world.assert_ended(Status::Interrupted, Some(InterruptReason::Stopped)).await;
}

#[tokio::test]
async fn two_stops_around_the_end_are_one() {
    let world = World::new().await;
    let held = world.log.hold().await;
    let stop = world.stop();
    world.log.until_waiting(1).await;
    world.end();
    world.log.until_waiting(2).await;
    let again = world.stop();
    world.log.until_waiting(3).await;
    drop(held);
    assert_eq!((stop.await.expect("no panic"), again.await.expect("no panic")), (Ok(()), Ok(())));
    world.assert_ended(Status::Interrupted, Some(InterruptReason::Stopped)).await;
}
