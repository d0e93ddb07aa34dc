//! What happens when a provider fails: it is asked again, after a while; then the next one is asked.
//!
//! Before the first piece of an answer that is silent but for a word about it. After it, the text that was there ends as
//! failed, and the next provider's is a new epoch: no text is ever written by two. An answer that its provider keeps is
//! taken up again where it broke off.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use riacho_protocol::{ErrorCode, Failure};
use tokio::time::{Instant, sleep, sleep_until};

use crate::detail::Detail;
use crate::providers::{Event, Events, Heard, Provider, Request};

/// How often, and how long.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How often one provider is asked again when it fails before the first piece of its answer.
    pub retries: u32,
    /// The first pause; each is twice the one before, less a random part of a half.
    pub backoff: Duration,
    /// The longest wait that a provider may ask for. Beyond it the answer fails at once, and says how long it would be.
    pub max_wait: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { retries: 2, backoff: Duration::from_millis(500), max_wait: Duration::from_secs(60) }
    }
}

/// A provider, and its name.
pub type Link = (String, Arc<dyn Provider>);

/// Who is asked, one after the other.
pub type Chain = Vec<Link>;

/// The queues of a relay: who was told to wait makes everyone behind it wait.
#[derive(Default)]
pub struct Queues {
    by_provider: Mutex<HashMap<String, Arc<Queue>>>,
}

#[derive(Default)]
struct Queue {
    /// First come, first served.
    turn: tokio::sync::Mutex<()>,
    not_before: Mutex<Option<Instant>>,
}

impl Queues {
    fn of(&self, provider: &str) -> Arc<Queue> {
        let mut queues = self.by_provider.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(queues.entry(provider.to_owned()).or_default())
    }
}

impl Queue {
    fn limit(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.not_before.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while the provider takes nobody.
    async fn wait(&self, name: &str, events: &Events) {
        if self.limit().is_none_or(|until| until <= Instant::now()) {
            return;
        }
        events.emit(vec![Event::Detail(Detail::waiting(name))]).await;
        let _turn = self.turn.lock().await;
        loop {
            // It may be put off again while one waits.
            let until = *self.limit();
            match until.filter(|until| *until > Instant::now()) {
                Some(until) => sleep_until(until).await,
                None => return,
            }
        }
    }

    fn put_off(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut limit = self.limit();
        *limit = Some(limit.map_or(until, |before| before.max(until)));
    }
}

/// Asks one after the other until an answer is whole. The failure is that of the last one.
pub async fn answer(
    chain: Chain,
    mut request: Request,
    events: Events,
    queues: Arc<Queues>,
    patience: Patience,
) -> Result<(), Failure> {
    let mut links = chain.into_iter().peekable();
    let mut result = Ok(());
    while let Some((name, provider)) = links.next() {
        result = ask(&name, provider.as_ref(), &request, &events, &queues.of(&name), patience).await;
        let Err(failure) = &result else { break };
        if let Some((next, _)) = links.peek() {
            let (provider, failure) = (next.clone(), failure.clone());
            events.emit(vec![Event::NextProvider { provider, failure }]).await;
            // The name of a model means something to the one it was meant for.
            request.model = None;
            request.thread = None;
        }
    }
    result
}

/// Asks one, again where that may help.
async fn ask(
    name: &str,
    provider: &dyn Provider,
    request: &Request,
    events: &Events,
    queue: &Queue,
    patience: Patience,
) -> Result<(), Failure> {
    let mut tries = 0;
    let mut request = request.clone();
    loop {
        queue.wait(name, events).await;
        let (said, heard) = events.listening();
        events.asked();
        let Err(failure) = provider.answer(request.clone(), said.clone()).await else { return Ok(()) };
        let refused = failure.code == ErrorCode::ProviderRejected && !heard.anything();
        if refused && request.thread.take().is_some() {
            // It keeps the thread no more, or can't go on with it: once more, with all that was said.
            tracing::info!(provider = name, "a thread that is not taken up; the whole conversation is sent");
            continue;
        }
        if heard.state().is_some() {
            // It goes on there without us: asked again, it would be two answers.
            return go_on(name, provider, failure, &said, &heard, patience).await;
        }
        let Some(pause) = pause(&failure, tries, patience).filter(|_| !heard.anything()) else {
            return Err(failure);
        };
        tries += 1;
        tracing::info!(provider = name, code = %failure.code, tries, "asking again");
        events.emit(vec![Event::Detail(Detail::asking_again(name, failure.code, pause))]).await;
        if failure.code == ErrorCode::ProviderRateLimited {
            queue.put_off(pause);
        }
        sleep(pause).await;
    }
}

/// Takes up an answer that its provider keeps, behind `state`, after a restart. None: it can't be.
pub fn take_up(
    (name, provider): Link,
    state: String,
    events: &Events,
    patience: Patience,
) -> Option<BoxFuture<'static, Result<(), Failure>>> {
    let (said, heard) = events.listening();
    let first = provider.take_up(&state, said.clone())?;
    heard.set_state(Some(state));
    let answer = async move {
        match first.await {
            Ok(()) => Ok(()),
            Err(failure) => go_on(&name, provider.as_ref(), failure, &said, &heard, patience).await,
        }
    };
    Some(answer.boxed())
}

/// Takes an answer up again each time its connection breaks. What counts as one more try is one that brought nothing.
async fn go_on(
    name: &str,
    provider: &dyn Provider,
    mut failure: Failure,
    events: &Events,
    heard: &Heard,
    patience: Patience,
) -> Result<(), Failure> {
    let (mut tries, mut before) = (0, None);
    loop {
        let state = heard.state();
        if state != before {
            tries = 0;
        }
        let again = state.as_deref().and_then(|state| provider.take_up(state, events.clone()));
        let (Some(again), Some(pause)) = (again, pause(&failure, tries, patience)) else {
            return Err(failure);
        };
        (tries, before) = (tries + 1, state);
        tracing::info!(provider = name, code = %failure.code, tries, "taking the answer up again");
        events.emit(vec![Event::Detail(Detail::taking_up(name, pause))]).await;
        sleep(pause).await;
        match again.await {
            Ok(()) => return Ok(()),
            Err(next) => failure = next,
        }
    }
}

/// How long to wait before one more try; none where it would be of no use.
fn pause(failure: &Failure, tries: u32, patience: Patience) -> Option<Duration> {
    let helps = match failure.code {
        ErrorCode::ProviderRateLimited
        | ErrorCode::ProviderFailed
        | ErrorCode::ProviderUnreachable
        | ErrorCode::ProviderTruncated => true,
        // It has had its time; a bad key and a bad request stay bad.
        _ => false,
    };
    if !helps || tries >= patience.retries {
        return None;
    }
    let backoff = patience.backoff.saturating_mul(1 << tries.min(16));
    let backoff = backoff.mul_f64(1.0 - fastrand::f64() / 2.0);
    let asked = failure.retry_after.map(Duration::from_secs);
    // A little later than asked for, and not all at once.
    let pause = asked.map_or(backoff, |asked| asked + backoff.mul_f64(0.25));
    (asked.unwrap_or(backoff) <= patience.max_wait).then_some(pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_are_not_alike_and_keep_to_what_was_asked() {
        let patience =
            Patience { retries: 3, backoff: Duration::from_millis(1000), max_wait: Duration::from_secs(9) };
        let failure = |code, retry_after| Failure { code, message: String::new(), retry_after };
        let failed = failure(ErrorCode::ProviderFailed, None);
        for (tries, most) in [(0, 1000), (1, 2000), (2, 4000)] {
            let all: Vec<Duration> = (0..50).filter_map(|_| pause(&failed, tries, patience)).collect();
            assert!(all.iter().all(|pause| (most / 2..=most).contains(&pause.as_millis())), "{all:?}");
            assert!(all.iter().any(|pause| Some(pause) != all.first()));
        }
        assert_eq!(pause(&failed, 3, patience), None);
        for code in [ErrorCode::ProviderAuth, ErrorCode::ProviderRejected, ErrorCode::ProviderTimeout] {
            assert_eq!(pause(&failure(code, None), 0, patience), None);
        }
        let limited = |seconds| pause(&failure(ErrorCode::ProviderRateLimited, Some(seconds)), 0, patience);
        assert!(
            limited(3).is_some_and(|pause| pause >= Duration::from_secs(3) && pause < Duration::from_secs(4))
        );
        assert_eq!(limited(10), None);
    }
}
