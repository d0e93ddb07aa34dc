//! Runs: a message goes to a provider, and what the provider sends goes into the log, whoever is watching.
//!
//! Each run is a task that nobody waits for. It ends with one terminal record, also when the task itself dies.

mod drive;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use riacho_protocol::{ErrorCode, MessageId, MessageStarted, Metrics, SendMessage};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::account::{NOT_BEGUN, millis};
use crate::directory::Providers;
use crate::failover::{Chain, Queues};
use crate::log::{Added, AnswerBy, Ending, Log, NewTurn, Refused, Run, Terminal, User};
use crate::metrics;
use crate::quota::{Exceeded, Kind, Quota, Slot};
use crate::settings::Settings;
use drive::{STOPPED, TakenUp, internal};

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
            tracing::info!(message_id = %left.run.message_id, "an answer is taken up again");
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

    /// Ends a run. What has ended is left as it is: whichever the log takes first, the stop or the end, stands.
    pub async fn stop(&self, user: &User, message_id: &MessageId, epoch: u32) -> Result<(), Refused> {
        let runs = self.clone();
        let tell = move |run: &Run| {
            let token = runs.live().get(&(run.message_id.clone(), run.epoch)).cloned();
            token.as_ref().map(CancellationToken::cancel).is_some()
        };
        // Nobody was told: it is about to start or to end. The log takes the first terminal record, and the task finds it there.
        if let Some(run) = self.shared.log.stop(user, message_id, epoch, tell).await? {
            self.shared.log.finish(&run, || Terminal { ending: STOPPED, ..Terminal::default() }).await;
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
        let span = tracing::info_span!("answer", message_id = %run.message_id, conversation_id = %run.conversation_id);
        self.shared.tasks.spawn(async move {
            let driven = tokio::spawn(
                runs.clone().drive(run.clone(), answer, chain, taken_up, stop, started).instrument(span),
            );
            if driven.await.is_err() {
                tracing::error!(message_id = %run.message_id, "a run died");
                let failure = internal("The relay failed while it wrote this answer. Try again.".to_owned());
                let metrics = Metrics { duration_ms: millis(started.elapsed()), ..Metrics::default() };
                let terminal = Terminal { ending: Ending::Failed(failure), metrics, ..Terminal::default() };
                // Whichever epoch it had come to; the log knows the one that lives.
                for epoch in runs.epochs(&run.message_id) {
                    let terminal = terminal.clone();
                    runs.shared.log.finish(&Run { epoch, ..run.clone() }, move || terminal.clone()).await;
                }
            }
            runs.live().retain(|(message, _), _| *message != run.message_id);
            drop(slot);
        });
    }
}
