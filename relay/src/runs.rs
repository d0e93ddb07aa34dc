//! Runs: a message goes to a provider, and what the provider sends goes into the log, whoever is watching.
//!
//! Each run is a task that nobody waits for. It ends with one terminal record, also when the task itself dies.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use riacho_protocol::{
    ConversationId, ErrorCode, Failure, InterruptReason, MessageId, MessageStarted, Metrics, Options,
    PartKind, SendMessage, Usage,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::account::{Account, Meter, millis};
use crate::failover::{self, Chain, Queues};
use crate::log::{Added, AnswerBy, Ending, Log, NewTurn, Piece, Refused, Run, Terminal, User, Verb};
use crate::metrics;
use crate::providers::{Event, Events, Providers};
use crate::quota::{Exceeded, Kind, Quota, Slot};
use crate::request::Request;
use crate::settings::Settings;

/// Batches of events between a provider and the log. A provider that is faster than the log waits.
const EVENTS: usize = 16;

/// The state of a run whose provider keeps its answers, and has said nothing yet.
const NOT_BEGUN: &str = "";

/// Seconds until the relay that follows this one may be there.
const NEXT_RELAY: u64 = 5;

#[derive(Clone)]
pub struct Runs {
    shared: Arc<Shared>,
}

struct Shared {
    log: Log,
    providers: Providers,
    settings: Arc<Settings>,
    /// How to stop what runs in this process.
    live: Mutex<HashMap<(MessageId, u32), CancellationToken>>,
    queues: Arc<Queues>,
    /// The tasks of the runs.
    tasks: TaskTracker,
    quota: Quota,
    metrics: Arc<metrics::Metrics>,
    /// Nothing new is taken.
    draining: CancellationToken,
    /// The relay ends.
    closing: CancellationToken,
}

/// Why a message was not sent.
#[derive(Debug, thiserror::Error)]
pub enum NotSent {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("the provider {0:?} is not set up here")]
    UnknownProvider(String),
    #[error(transparent)]
    Exceeded(#[from] Exceeded),
    #[error("the relay is about to end; send it again in a moment")]
    ShuttingDown,
}

impl NotSent {
    pub fn code(&self) -> ErrorCode {
        match self {
            NotSent::Refused(refused) => refused.code(),
            NotSent::UnknownProvider(_) => ErrorCode::UnknownProvider,
            NotSent::Exceeded(_) => ErrorCode::RateLimited,
            NotSent::ShuttingDown => ErrorCode::ShuttingDown,
        }
    }

    /// Seconds until another try makes sense.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            NotSent::Exceeded(exceeded) => Some(exceeded.retry_after),
            NotSent::ShuttingDown => Some(NEXT_RELAY),
            NotSent::Refused(_) | NotSent::UnknownProvider(_) => None,
        }
    }
}

impl Runs {
    pub fn new(
        log: Log,
        providers: Providers,
        settings: Arc<Settings>,
        quota: Quota,
        metrics: Arc<metrics::Metrics>,
    ) -> Self {
        let (live, queues, tasks) = (Mutex::default(), Arc::default(), TaskTracker::new());
        let (draining, closing) = (CancellationToken::new(), CancellationToken::new());
        Self {
            shared: Arc::new(Shared {
                log,
                providers,
                settings,
                live,
                queues,
                tasks,
                quota,
                metrics,
                draining,
                closing,
            }),
        }
    }

    /// Takes nothing new, and gives what lives so long to end by itself.
    pub async fn drain(&self, grace: Duration) {
        self.shared.draining.cancel();
        self.shared.tasks.close();
        let _ = tokio::time::timeout(grace, self.shared.tasks.wait()).await;
    }

    pub fn is_draining(&self) -> bool {
        self.shared.draining.is_cancelled()
    }

    /// May this user have one more answer?
    fn admit(&self, user: &User) -> Result<Slot, NotSent> {
        if self.is_draining() {
            return Err(NotSent::ShuttingDown);
        }
        let slot = self.shared.quota.take(user, Kind::Run)?;
        self.shared.quota.message(user)?;
        Ok(slot)
    }

    /// Ends every run with `interrupted`, reason `restart`, and waits until that is written.
    pub async fn close(&self) {
        self.shared.closing.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }

    /// Goes on with what a restart has left, where its provider keeps it. The rest is over.
    pub async fn take_up(&self) -> Result<(), Refused> {
        for left in self.shared.log.left_over().await? {
            tracing::info!(message = %left.run.message_id, "an answer is taken up again");
            let chain = self.chain(Some(left.answer.provider.clone())).unwrap_or_default();
            // Of one that had not begun there is nothing to go on with: it is asked for again.
            let begun = left.state != NOT_BEGUN || left.length > 0;
            let taken_up =
                begun.then_some(TakenUp { state: left.state, parts: left.parts, length: left.length });
            self.start(left.run, left.answer, chain, taken_up, None);
        }
        Ok(())
    }

    /// The names of the providers, the default first.
    pub fn providers(&self) -> Vec<String> {
        self.shared.providers.names()
    }

    /// Takes a message, and starts the run of its answer. A message that was sent before is told again.
    pub async fn send(
        &self,
        user: &User,
        frame: SendMessage,
    ) -> Result<Option<Box<[MessageStarted; 2]>>, NotSent> {
        let command = self.shared.providers.command(&frame.content);
        let chain = self.chain(command.or(frame.provider))?;
        let slot = match self.admit(user) {
            Ok(slot) => Some(slot),
            // A page that comes back sends what it had no receipt for. It is there: that costs nothing.
            Err(_) if self.shared.log.knows(&frame.message_id).await => None,
            Err(not_admitted) => return Err(not_admitted),
        };
        let name = chain.first().map(|(name, _)| name.clone()).unwrap_or_default();
        let answer = AnswerBy { provider: name, model: frame.model, options: frame.options };
        // In the same step as the message: a relay that is killed right behind it must find what can be asked again.
        let keeps = chain.first().is_some_and(|(_, first)| first.keeps());
        let turn = NewTurn {
            conversation_id: frame.conversation_id,
            message_id: frame.message_id,
            reply_id: frame.reply_id,
            parent_id: frame.parent_id,
            content: frame.content,
            answer: answer.clone(),
            state: keeps.then(|| NOT_BEGUN.to_owned()),
        };
        match self.shared.log.add_turn(user, turn).await? {
            Added::New(run) => {
                self.start(run, answer, chain, None, slot);
                Ok(None)
            }
            Added::Again(started) => Ok(Some(started)),
        }
    }

    /// Starts the next epoch of an answer.
    pub async fn retry(&self, user: &User, message_id: &MessageId, epoch: u32) -> Result<(), NotSent> {
        let slot = self.admit(user)?;
        let (run, answer) = self.shared.log.next_epoch(user, message_id, epoch).await?;
        // What was set up when it was asked first may be gone since; then the default answers.
        let chain = self.chain(Some(answer.provider.clone())).or_else(|_| self.chain(None))?;
        self.start(run, answer, chain, None, Some(slot));
        Ok(())
    }

    /// Ends a run. What has ended is left as it is.
    pub async fn stop(&self, user: &User, message_id: &MessageId, epoch: u32) -> Result<(), Refused> {
        let (run, status) = self.shared.log.run(user, Verb::Stop, message_id, epoch).await?;
        if status.is_terminal() {
            return Ok(());
        }
        let token = self.live().get(&(message_id.clone(), epoch)).cloned();
        match token {
            Some(token) => token.cancel(),
            // It is about to start or to end; the log takes the first terminal record, and the task finds it there.
            None => {
                let ending = Ending::Interrupted(InterruptReason::Stopped);
                let (usage, metrics) = (Usage::default(), Metrics::default());
                self.shared.log.finish(&run, Terminal { ending, usage, metrics }).await;
            }
        }
        Ok(())
    }

    /// The one that is asked, and those that are asked when it fails.
    fn chain(&self, name: Option<String>) -> Result<Chain, NotSent> {
        let first = self.shared.providers.get(name.as_deref());
        let first = first.ok_or_else(|| NotSent::UnknownProvider(name.unwrap_or_default()))?;
        let mut chain = vec![first];
        if chain.iter().any(|(name, _)| name.starts_with('/')) {
            return Ok(chain); // Nobody else does what a command does.
        }
        for fallback in &self.shared.settings.fallbacks {
            if chain.iter().all(|(name, _)| name != fallback) {
                chain.extend(self.shared.providers.get(Some(fallback)));
            }
        }
        Ok(chain)
    }

    fn live(&self) -> MutexGuard<'_, HashMap<(MessageId, u32), CancellationToken>> {
        self.shared.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn epochs(&self, message_id: &MessageId) -> Vec<u32> {
        self.live().keys().filter(|(message, _)| message == message_id).map(|(_, epoch)| *epoch).collect()
    }

    fn start(&self, run: Run, answer: AnswerBy, chain: Chain, taken_up: Option<TakenUp>, slot: Option<Slot>) {
        let stop = CancellationToken::new();
        self.live().insert((run.message_id.clone(), run.epoch), stop.clone());
        let runs = self.clone();
        let started = Instant::now();
        // What happens to a message is logged with its id, wherever it happens.
        let span =
            tracing::info_span!("answer", message = %run.message_id, conversation = %run.conversation_id);
        self.shared.tasks.spawn(async move {
            let driven = tokio::spawn(
                runs.clone().drive(run.clone(), answer, chain, taken_up, stop, started).instrument(span),
            );
            if driven.await.is_err() {
                tracing::error!(message = %run.message_id, "a run died");
                let failure = internal("The relay failed while it wrote this answer. Try again.".to_owned());
                let metrics = Metrics { duration_ms: millis(started.elapsed()), ..Metrics::default() };
                let terminal = Terminal { ending: Ending::Failed(failure), usage: Usage::default(), metrics };
                // Whichever epoch it had come to; the log knows the one that lives.
                for epoch in runs.epochs(&run.message_id) {
                    runs.shared.log.finish(&Run { epoch, ..run.clone() }, terminal.clone()).await;
                }
            }
            runs.live().retain(|(message, _), _| *message != run.message_id);
            drop(slot);
        });
    }

    /// From the request to the terminal record.
    async fn drive(
        self,
        mut run: Run,
        answer: AnswerBy,
        chain: Chain,
        taken_up: Option<TakenUp>,
        stop: CancellationToken,
        started: Instant,
    ) {
        let settings = &self.shared.settings;
        let said = self.shared.log.path_to(&run, settings.context_bytes).await.unwrap_or_default();
        let request = Request::new(
            settings.system_prompt.clone(),
            said,
            settings.context_bytes,
            answer.model,
            answer.options.clone(),
        );
        let (sender, mut arrived) = mpsc::channel(EVENTS);
        let (queues, patience) = (Arc::clone(&self.shared.queues), settings.patience);
        let (link, events) = (chain.first().cloned(), Events::new(sender));
        let provider = link.as_ref().map(|(name, _)| name.as_str()).unwrap_or_default();
        let meter = Meter::new(Arc::clone(&self.shared.metrics), provider);
        let mut account =
            Account::new(meter, events.times(), started, request.bytes(), settings.max_answer_bytes);
        tracing::info!(provider, epoch = run.epoch, "an answer begins");
        let first = link.as_ref().map(|(_, first)| Arc::clone(first));
        if taken_up.is_none() && first.as_ref().is_some_and(|first| first.keeps()) {
            let noted = self.shared.log.append(&run, Vec::new(), Some(NOT_BEGUN.to_owned())).await;
            account.state = noted.is_ok().then(|| NOT_BEGUN.to_owned());
        }
        let mut answering = match taken_up {
            None => failover::answer(chain, request, events, queues, patience).boxed(),
            Some(left) => {
                let again =
                    link.and_then(|link| failover::take_up(link, left.state.clone(), &events, patience));
                drop(events); // Else nothing would say that no more comes.
                account.go_on(left.parts, left.length, left.state);
                match again {
                    Some(again) => again,
                    // Its provider is set up no more, or in another way.
                    None => {
                        return self.end(&run, account, Ending::Interrupted(InterruptReason::Restart)).await;
                    }
                }
            }
        };
        let mut batch = Vec::new();
        let mut unread = self.unread(run.conversation_id.clone()).boxed();
        let ending = loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break Ending::Interrupted(InterruptReason::Stopped),
                () = &mut unread => break Ending::Interrupted(InterruptReason::Unread),
                // What its provider keeps is taken up again by the next relay.
                () = self.shared.closing.cancelled(), if account.state.is_some() => return,
                () = self.shared.closing.cancelled() => break Ending::Interrupted(InterruptReason::Restart),
                _ = arrived.recv_many(&mut batch, EVENTS), if !arrived.is_closed() || !arrived.is_empty() => {
                    match self.record(&mut run, &stop, &mut account, batch.drain(..).flatten()).await {
                        Ok(()) => {}
                        Err(Halt::Ended) => return,
                        Err(Halt::Failed(failure)) => break Ending::Failed(failure),
                    }
                }
                answered = &mut answering => break answered.map_or_else(Ending::Failed, |()| Ending::Completed),
            }
        };
        drop(unread);
        // The provider's connection goes now, before anything else is waited for.
        drop(answering);
        let mut ending = ending;
        while let Ok(events) = arrived.try_recv() {
            match self.record(&mut run, &stop, &mut account, events).await {
                Ok(()) => {}
                Err(Halt::Ended) => return,
                Err(Halt::Failed(failure)) => {
                    ending = Ending::Failed(failure);
                    break;
                }
            }
        }
        if let Ending::Failed(failure) = &ending {
            tracing::warn!(message = %run.message_id, code = %failure.code, "an answer failed");
        }
        let given_up = matches!(ending, Ending::Interrupted(_));
        let cancel = account.state.as_ref().filter(|_| given_up).and_then(|state| first?.cancel(state));
        if let Some(cancel) = cancel {
            tokio::spawn(cancel);
        }
        self.end(&run, account, ending).await;
    }

    async fn end(&self, run: &Run, account: Account, ending: Ending) {
        let (usage, metrics) = account.close(&ending);
        let (status, reason) = ending.words();
        let ms = metrics.duration_ms;
        tracing::info!(epoch = run.epoch, status, reason, ms, "an answer has ended");
        self.shared.log.finish(run, Terminal { ending, usage, metrics }).await;
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
        run: &mut Run,
        stop: &CancellationToken,
        account: &mut Account,
        events: impl IntoIterator<Item = Event>,
    ) -> Result<(), Halt> {
        let mut pieces: Vec<Piece> = Vec::new();
        let (mut too_long, mut state) = (None, None);
        for event in events {
            match event {
                Event::Part(info) => {
                    account.parts.push(info.kind);
                    pieces.push(Piece::Part(info));
                }
                Event::Text { part, text } => {
                    if let Err(failure) = account.count(part, &text) {
                        too_long = Some(failure);
                        break;
                    }
                    match pieces.last_mut() {
                        Some(Piece::Text { part: last, text: before }) if *last == part => {
                            before.push_str(&text)
                        }
                        _ => pieces.push(Piece::Text { part, text }),
                    }
                }
                Event::Usage(usage) => account.usage = Some(usage),
                Event::Finish(reason) => account.finish_reason = Some(reason),
                Event::State(new) => state = Some(new),
                Event::NextProvider { provider, failure } => {
                    account.state = None;
                    state = None;
                    self.write(run, &mut pieces, None).await?;
                    self.next_provider(run, stop, account, provider, failure).await?;
                }
                Event::Detail(detail) => self.shared.log.note(run, detail).await,
            }
        }
        if state.is_some() {
            account.state.clone_from(&state);
        }
        self.write(run, &mut pieces, state).await?;
        account.shown();
        too_long.map_or(Ok(()), |failure| Err(Halt::Failed(failure)))
    }
}

impl Runs {
    async fn write(&self, run: &Run, pieces: &mut Vec<Piece>, state: Option<String>) -> Result<(), Halt> {
        if !pieces.is_empty() || state.is_some() {
            self.shared.log.append(run, std::mem::take(pieces), state).await?;
        }
        Ok(())
    }

    /// One failed, and the next one goes on: in its place, if nothing was written yet; else in a new epoch.
    async fn next_provider(
        &self,
        run: &mut Run,
        stop: &CancellationToken,
        account: &mut Account,
        provider: String,
        failure: Failure,
    ) -> Result<(), Halt> {
        let log = &self.shared.log;
        tracing::warn!(message = %run.message_id, code = %failure.code, next = provider, "the next provider is asked");
        let detail = format!("{} Asking {provider}.", failure.message);
        let fresh = account.again(&provider);
        let answer = AnswerBy { provider, model: None, options: Options::default() };
        if account.is_untouched() {
            log.hand_over(run, answer).await?;
            log.note(run, detail).await;
            std::mem::replace(account, fresh).close(&Ending::Failed(failure));
            return Ok(());
        }
        let ending = Ending::Failed(failure);
        let (usage, metrics) = std::mem::replace(account, fresh).close(&ending);
        let terminal = Terminal { ending, usage, metrics };
        let next = log.start_over(run, terminal, answer).await?;
        log.note(&next, detail).await;
        self.live().insert((next.message_id.clone(), next.epoch), stop.clone());
        *run = next;
        Ok(())
    }
}

/// What a run that is taken up again has behind it.
struct TakenUp {
    state: String,
    parts: Vec<PartKind>,
    length: u64,
}

/// Why nothing more is recorded.
enum Halt {
    /// Someone else wrote the terminal record.
    Ended,
    Failed(Failure),
}

impl From<Refused> for Halt {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Ended => Halt::Ended,
            other => Halt::Failed(internal(other.to_string())),
        }
    }
}

fn internal(message: String) -> Failure {
    Failure { code: ErrorCode::Internal, message, retry_after: None }
}
