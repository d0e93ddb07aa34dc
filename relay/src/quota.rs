//! How much: sockets, live runs and messages a minute, for each user and for all together.
//!
//! What is counted is a slot that its holder drops; nothing here knows what the slot is for.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota as Rate, RateLimiter};

use crate::log::User;

/// What is set up; `None` and 0 are no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaSettings {
    pub sockets_per_user: Option<u32>,
    pub runs_per_user: Option<u32>,
    pub messages_per_minute: Option<u32>,
    pub max_sockets: Option<u32>,
    pub max_runs: Option<u32>,
    pub max_messages_per_minute: Option<u32>,
}

impl QuotaSettings {
    /// Where everyone is one user a limit a user would be one for all.
    pub const ANONYMOUS: Self = Self {
        sockets_per_user: None,
        runs_per_user: None,
        messages_per_minute: None,
        max_sockets: Some(10_000),
        max_runs: Some(500),
        max_messages_per_minute: None,
    };

    /// For users that have a name.
    pub const NAMED: Self = Self {
        sockets_per_user: Some(20),
        runs_per_user: Some(5),
        messages_per_minute: Some(30),
        ..Self::ANONYMOUS
    };
}

impl Default for QuotaSettings {
    fn default() -> Self {
        Self::ANONYMOUS
    }
}

/// What there may be only so much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Socket,
    Run,
}

/// Why there is no more now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; try again in {retry_after} s")]
pub struct Exceeded {
    what: String,
    /// Seconds.
    pub retry_after: u64,
}

/// Seconds after which a slot may be free: nobody knows, and nobody should ask all the time.
const SLOT_AGAIN: u64 = 5;
/// Users that say nothing any more are forgotten after so many messages.
const FORGET_EVERY: u32 = 1024;

type Counts = HashMap<(User, Kind), u32>;

#[derive(Default)]
struct Taken {
    by_user: Counts,
    sockets: u32,
    runs: u32,
}

impl Taken {
    fn of_all(&mut self, kind: Kind) -> &mut u32 {
        match kind {
            Kind::Socket => &mut self.sockets,
            Kind::Run => &mut self.runs,
        }
    }
}

/// The counts of one relay; clones are the same.
#[derive(Clone)]
pub struct Quota(Arc<Shared>);

struct Shared {
    settings: QuotaSettings,
    taken: Mutex<Taken>,
    of_user: Option<DefaultKeyedRateLimiter<User>>,
    of_all: Option<DefaultDirectRateLimiter>,
    checked: AtomicU32,
}

impl Quota {
    pub fn new(settings: QuotaSettings) -> Self {
        let rate = |limit: Option<u32>| limit.and_then(NonZeroU32::new).map(Rate::per_minute);
        Self(Arc::new(Shared {
            settings,
            taken: Mutex::default(),
            of_user: rate(settings.messages_per_minute).map(RateLimiter::keyed),
            of_all: rate(settings.max_messages_per_minute).map(RateLimiter::direct),
            checked: AtomicU32::new(0),
        }))
    }

    /// Takes a slot, if there is one for this user and one among all.
    pub fn take(&self, user: &User, kind: Kind) -> Result<Slot, Exceeded> {
        let settings = &self.0.settings;
        let (of_user, of_all, what) = match kind {
            Kind::Socket => (settings.sockets_per_user, settings.max_sockets, "sockets open"),
            Kind::Run => (settings.runs_per_user, settings.max_runs, "answers under way"),
        };
        let is_full = |taken: u32, limit: Option<u32>| limit.is_some_and(|limit| limit > 0 && taken >= limit);
        let mut taken = self.0.taken();
        let mine = taken.by_user.get(&(user.clone(), kind)).copied().unwrap_or_default();
        if is_full(mine, of_user) {
            return Err(Exceeded {
                what: format!("you have {mine} {what}, and may have no more"),
                retry_after: SLOT_AGAIN,
            });
        }
        if is_full(*taken.of_all(kind), of_all) {
            return Err(Exceeded {
                what: format!("the relay has as many {what} as it takes"),
                retry_after: SLOT_AGAIN,
            });
        }
        *taken.of_all(kind) += 1;
        *taken.by_user.entry((user.clone(), kind)).or_default() += 1;
        Ok(Slot { quota: Arc::clone(&self.0), user: user.clone(), kind })
    }

    /// Counts a message.
    pub fn message(&self, user: &User) -> Result<(), Exceeded> {
        let clock = DefaultClock::default();
        let exceeded = |what: &str, until: governor::NotUntil<_>| Exceeded {
            what: what.to_owned(),
            retry_after: until.wait_time_from(clock.now()).as_secs() + 1,
        };
        if let Some(of_user) = &self.0.of_user {
            if self.0.checked.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
                of_user.retain_recent();
                of_user.shrink_to_fit();
            }
            of_user.check_key(user).map_err(|until| exceeded("you send too fast", until))?;
        }
        if let Some(of_all) = &self.0.of_all {
            of_all.check().map_err(|until| exceeded("the relay takes no more messages for now", until))?;
        }
        Ok(())
    }

    /// How many of a kind there are.
    pub fn taken(&self, kind: Kind) -> u32 {
        *self.0.taken().of_all(kind)
    }
}

impl Shared {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of what there may be only so much of; dropped, it is free again.
#[must_use]
pub struct Slot {
    quota: Arc<Shared>,
    user: User,
    kind: Kind,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.quota.taken();
        let all = taken.of_all(self.kind);
        *all = all.saturating_sub(1);
        let key = (self.user.clone(), self.kind);
        if let Some(mine) = taken.by_user.get_mut(&key) {
            *mine -= 1;
            if *mine == 0 {
                taken.by_user.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_and_all_together_have_so_many_and_what_is_dropped_is_free() {
        let quota = Quota::new(QuotaSettings {
            runs_per_user: Some(2),
            max_runs: Some(3),
            ..QuotaSettings::ANONYMOUS
        });
        let (one, other) = (User::named("one"), User::named("other"));
        let first = quota.take(&one, Kind::Run).expect("a slot");
        let _second = quota.take(&one, Kind::Run).expect("a slot");
        assert!(quota.take(&one, Kind::Run).err().expect("full").what.contains("you have 2 answers"));
        let _third = quota.take(&other, Kind::Run).expect("a slot");
        assert!(quota.take(&other, Kind::Run).err().expect("full").what.contains("the relay has as many"));
        assert_eq!((quota.taken(Kind::Run), quota.taken(Kind::Socket)), (3, 0));
        drop(first);
        let _fourth = quota.take(&other, Kind::Run).expect("it is free again");
        let _socket = quota.take(&one, Kind::Socket).expect("another kind");
    }

    #[test]
    fn a_minute_has_so_many_messages_and_the_next_one_has_a_time() {
        let quota = Quota::new(QuotaSettings { messages_per_minute: Some(2), ..QuotaSettings::ANONYMOUS });
        let (one, other) = (User::named("one"), User::named("other"));
        assert_eq!((quota.message(&one), quota.message(&one)), (Ok(()), Ok(())));
        let exceeded = quota.message(&one).expect_err("too fast");
        assert!((1..=31).contains(&exceeded.retry_after), "{exceeded}");
        assert_eq!(quota.message(&other), Ok(()));
    }
}
