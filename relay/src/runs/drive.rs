//! One run, from the request to the terminal record: what its provider says goes into the log, piece by piece, and what fails goes to the
//! next provider.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use riacho_protocol::{ConversationId, ErrorCode, Failure, InterruptReason, Options, PartKind};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Runs;
use crate::account::{Account, Meter, NOT_BEGUN};
use crate::detail::Detail;
use crate::failover::{self, Chain, Link};
use crate::log::{AnswerBy, Arrived, Ending, HandedIn, Piece, Refused, Run, StreamEvent};
use crate::providers::sse::SseEvent;
use crate::providers::{Event, Events};
use crate::request::{Request, Thread};

/// Batches of events between a provider and the log. A provider that is faster than the log waits.
const EVENTS: usize = 16;

impl Runs {
    /// From the request to the terminal record.
    pub(super) async fn drive(
        self,
        run: Run,
        answer: AnswerBy,
        chain: Chain,
        taken_up: Option<TakenUp>,
        stop: CancellationToken,
        started: Instant,
    ) {
        let settings = &self.shared.settings;
        let said = self.shared.log.path_to(&run, settings.context_bytes).await.unwrap_or_default();
        let keeps = chain.first().is_some_and(|(_, first)| first.keeps());
        let threads = chain.first().filter(|(_, first)| first.threads());
        let thread = threads.and_then(|(name, _)| Thread::behind(&said, name));
        let mut request = Request::new(
            settings.system_prompt.clone(),
            said,
            settings.context_bytes,
            answer.model,
            answer.options.clone(),
        );
        request.thread = thread;
        let (sender, mut arrived) = mpsc::channel(EVENTS);
        let (queues, patience) = (Arc::clone(&self.shared.queues), settings.patience);
        let events = Events::new(sender);
        let events = if settings.stream_events > 0 { events.with_raw() } else { events };
        let mut writer =
            Writer { run, stop, asked: chain.first().cloned(), chain: chain.clone(), handed_in: None };
        let provider = writer.asked.as_ref().map(|(name, _)| name.as_str()).unwrap_or_default();
        let meter = Meter::new(Arc::clone(&self.shared.metrics), provider);
        let mut account =
            Account::new(meter, events.times(), started, request.bytes(), settings.max_answer_bytes);
        tracing::info!(provider, epoch = writer.run.epoch, "an answer begins");
        if taken_up.is_none() && keeps {
            let not_begun = Arrived { state: Some(NOT_BEGUN.to_owned()), ..Arrived::default() };
            let noted = self.shared.log.append(&writer.run, not_begun).await;
            account.state = noted.is_ok().then(|| NOT_BEGUN.to_owned());
        }
        let mut answering = match taken_up {
            None => failover::answer(chain, request, events, queues, patience).boxed(),
            Some(left) => {
                let link = writer.asked.clone();
                let again =
                    link.and_then(|link| failover::take_up(link, left.state.clone(), &events, patience));
                drop(events); // Else nothing would say that no more comes.
                account.go_on(left.parts, left.length, left.state);
                match again {
                    Some(again) => again,
                    // Its provider is set up no more, or in another way.
                    None => {
                        return self
                            .end(writer, account, Ending::Interrupted(InterruptReason::Restart))
                            .await;
                    }
                }
            }
        };
        let (mut batch, mut answered) = (Vec::new(), None);
        let mut unread = self.unread(writer.run.conversation_id.clone()).boxed();
        // Each is registered once, and not again with every piece: all runs share what is behind the second.
        let mut stopped = pin!(writer.stop.clone().cancelled_owned());
        let mut closing = pin!(self.shared.closing.clone().cancelled_owned());
        let mut ending = loop {
            if let Some(answered) = answered.take() {
                break answered;
            }
            tokio::select! {
                biased;
                () = &mut stopped => break STOPPED,
                () = &mut unread => break Ending::Interrupted(InterruptReason::Unread),
                () = &mut closing => {
                    if account.state.is_some() {
                        let _ = writer.settled().await;
                        return; // What its provider keeps is taken up again by the next relay.
                    }
                    break Ending::Interrupted(InterruptReason::Restart)
                }
                ending = told(&mut answering, &mut arrived, &mut batch) => {
                    answered = ending;
                    let recording = self.record(&mut writer, &mut account, batch.drain(..).flatten());
                    match meanwhile(recording, &mut answering, &mut answered).await {
                        Ok(()) => {}
                        Err(Halt::Ended) => return,
                        Err(Halt::As(ending)) => break ending,
                    }
                }
            }
        };
        drop(unread);
        // The provider's connection goes now, before anything else is waited for.
        drop(answering);
        while let Ok(events) = arrived.try_recv() {
            match self.record(&mut writer, &mut account, events).await {
                Ok(()) => {}
                Err(Halt::Ended) => return,
                Err(Halt::As(sooner)) => {
                    ending = sooner;
                    break;
                }
            }
        }
        match writer.settled().await {
            Ok(()) => {}
            Err(Halt::Ended) => return,
            Err(Halt::As(sooner)) => ending = sooner,
        }
        if let Ending::Failed(failure) = &ending {
            tracing::warn!(message_id = %writer.run.message_id, code = %failure.code, "an answer failed");
        }
        // One that its provider does not know any more has nothing to be told.
        if !matches!(&ending, Ending::Failed(failure) if failure.code == ErrorCode::ProviderRejected) {
            self.give_up(&writer, &account);
        }
        self.end(writer, account, ending).await;
    }

    /// Tells a provider that would go on with its answer without us not to.
    fn give_up(&self, writer: &Writer, account: &Account) {
        let asked = writer.asked.as_ref().zip(account.goes_on());
        if let Some(cancel) = asked.and_then(|((_, provider), state)| provider.cancel(state)) {
            self.shared.tasks.spawn(cancel);
        }
    }

    async fn end(&self, writer: Writer, account: Account, ending: Ending) {
        let (account, stop) = (Arc::new(account), writer.stop);
        let closed = Arc::clone(&account);
        let terminal = move || {
            // A stop that the log took before this record.
            let stopped = stop.is_cancelled();
            closed.close(if stopped { STOPPED } else { ending.clone() })
        };
        if let Some(record) = self.shared.log.finish(&writer.run, terminal).await {
            let (status, reason) = record.ending.words();
            let ms = record.metrics.duration_ms;
            tracing::info!(epoch = writer.run.epoch, status, reason, ms, "an answer has ended");
            account.answered(&record);
        }
    }

    /// Completes when nobody has read a conversation for as long as the operator allows.
    async fn unread(&self, room: ConversationId) {
        let Some(limit) = self.shared.settings.unread_after else { return std::future::pending().await };
        let tick = (limit / 4).clamp(Duration::from_millis(10), Duration::from_secs(1));
        let mut last_read = Instant::now();
        while last_read.elapsed() < limit {
            tokio::time::sleep(tick).await;
            if self.shared.log.is_read(&room) {
                last_read = Instant::now();
            }
        }
    }

    /// Takes what has arrived into the log as one append.
    async fn record(
        &self,
        writer: &mut Writer,
        account: &mut Account,
        events: impl IntoIterator<Item = Event>,
    ) -> Result<(), Halt> {
        let mut arrived = Arrived::default();
        let mut too_long = None;
        for event in events {
            match event {
                Event::Part(info) => {
                    account.begin(info.kind);
                    arrived.pieces.push(Piece::Part(info));
                }
                Event::Text { part, text } => {
                    if let Err(failure) = account.count(part, &text) {
                        too_long = Some(failure);
                        break;
                    }
                    match arrived.pieces.last_mut() {
                        Some(Piece::Text { part: last, text: before }) if *last == part => {
                            before.push_str(&text)
                        }
                        _ => arrived.pieces.push(Piece::Text { part, text }),
                    }
                }
                Event::Usage(usage) => account.report(usage),
                Event::Finish(reason) => account.finish(reason),
                Event::State(new) => {
                    account.state = Some(new.clone());
                    arrived.state = Some(new);
                }
                Event::Kept(id) => account.keep(id),
                Event::Raw(SseEvent { name, data }) => arrived.events.push(StreamEvent { name, data }),
                Event::NextProvider { provider, failure } => {
                    self.write(writer, &mut arrived).await?;
                    self.next_provider(writer, account, provider, failure).await?;
                }
                Event::Detail(detail) => self.shared.log.note(&writer.run, detail).await,
            }
        }
        self.write(writer, &mut arrived).await?;
        if account.waits_to_be_shown() {
            writer.settled().await?;
            account.shown();
        }
        too_long.map_or(Ok(()), |failure| Err(Halt::As(Ending::Failed(failure))))
    }

    /// Hands in what has arrived, one behind the other: while one is on its way to the store, what comes meanwhile is gathered. Nobody
    /// is woken when it is there but those who read it.
    async fn write(&self, writer: &mut Writer, arrived: &mut Arrived) -> Result<(), Halt> {
        if !arrived.is_empty() {
            writer.settled().await?;
            let handed_in = self.shared.log.hand_in(&writer.run, std::mem::take(arrived)).await?;
            writer.handed_in = Some(handed_in);
        }
        Ok(())
    }

    /// One failed, and the next one goes on: in its place, if nothing was written yet; else in a new epoch.
    async fn next_provider(
        &self,
        writer: &mut Writer,
        account: &mut Account,
        provider: String,
        failure: Failure,
    ) -> Result<(), Halt> {
        if writer.stop.is_cancelled() {
            return Err(Halt::As(STOPPED)); // What was stopped does not start over.
        }
        writer.settled().await?;
        let log = &self.shared.log;
        tracing::warn!(message_id = %writer.run.message_id, code = %failure.code, next = provider, "the next provider is asked");
        self.give_up(writer, account);
        writer.asked = writer.chain.iter().find(|(name, _)| *name == provider).cloned();
        let detail = Detail::next_provider(&failure, &provider);
        let fresh = account.again(&provider);
        let answer = AnswerBy { provider, model: None, options: Options::default() };
        let before = std::mem::replace(account, fresh);
        let terminal = before.close(Ending::Failed(failure));
        before.answered(&terminal);
        if before.is_untouched() {
            log.hand_over(&writer.run, answer).await?;
            log.note(&writer.run, detail).await;
            return Ok(());
        }
        let next = log.start_over(&writer.run, terminal, answer).await?;
        log.note(&next, detail).await;
        self.live().insert((next.message_id.clone(), next.epoch), writer.stop.clone());
        writer.run = next;
        Ok(())
    }
}

/// What the provider has said by now, and how it ended if it has. Provider and log are one task: nobody has to wake it for what it says
/// itself, as a channel that is waited for would.
async fn told(
    answering: &mut BoxFuture<'static, Result<(), Failure>>,
    arrived: &mut mpsc::Receiver<Vec<Event>>,
    batch: &mut Vec<Vec<Event>>,
) -> Option<Ending> {
    poll_fn(|cx| {
        let polled = answering.as_mut().poll(cx);
        while batch.len() < EVENTS
            && let Ok(events) = arrived.try_recv()
        {
            batch.push(events);
        }
        match polled {
            Poll::Ready(result) => Poll::Ready(Some(how_it_ended(result))),
            Poll::Pending if batch.is_empty() => Poll::Pending,
            Poll::Pending => Poll::Ready(None),
        }
    })
    .await
}

/// Records, and lets the provider go on meanwhile: what comes while a commit is under way goes into the next one, in one piece.
async fn meanwhile<T>(
    recording: impl Future<Output = T>,
    answering: &mut BoxFuture<'static, Result<(), Failure>>,
    answered: &mut Option<Ending>,
) -> T {
    let mut recording = pin!(recording);
    poll_fn(|cx| {
        if answered.is_none()
            && let Poll::Ready(result) = answering.as_mut().poll(cx)
        {
            *answered = Some(how_it_ended(result));
        }
        recording.as_mut().poll(cx)
    })
    .await
}

fn how_it_ended(result: Result<(), Failure>) -> Ending {
    result.map_or_else(Ending::Failed, |()| Ending::Completed)
}

/// What a run that is taken up again has behind it.
pub(super) struct TakenUp {
    pub state: String,
    pub parts: Vec<PartKind>,
    pub length: u64,
}

/// What one task writes, for whom, and when it is to stop.
struct Writer {
    run: Run,
    stop: CancellationToken,
    /// The one that is asked now.
    asked: Option<Link>,
    chain: Chain,
    /// What was appended last, and may not be stored yet.
    handed_in: Option<HandedIn<Vec<Piece>>>,
}

impl Writer {
    /// All that was handed in is stored.
    async fn settled(&mut self) -> Result<(), Halt> {
        if let Some(handed_in) = self.handed_in.take() {
            handed_in.settled().await?;
        }
        Ok(())
    }
}

pub(super) const STOPPED: Ending = Ending::Interrupted(InterruptReason::Stopped);

/// Why nothing more is recorded.
enum Halt {
    /// Someone else wrote the terminal record.
    Ended,
    As(Ending),
}

impl From<Refused> for Halt {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Ended => Halt::Ended,
            other => Halt::As(Ending::Failed(internal(other.to_string()))),
        }
    }
}

pub(super) fn internal(message: String) -> Failure {
    Failure { code: ErrorCode::Internal, message, retry_after: None }
}
