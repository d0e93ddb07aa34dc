//! Who answers: a request goes in, events come out.

use futures_util::future::BoxFuture;
use riacho_protocol::Failure;

use super::events::Events;
use crate::request::Request;

/// Who answers.
pub trait Provider: Send + Sync {
    /// Gives the answer to a request as events, and says at last whether it is whole. Dropping the future ends the
    /// request to whoever is behind it.
    fn answer(&self, request: Request, events: Events) -> BoxFuture<'static, Result<(), Failure>>;

    /// Does the one behind it keep its answers, and go on with them without us?
    fn keeps(&self) -> bool {
        false
    }

    /// Does it keep threads, so that a request need not hold what was said before?
    fn threads(&self) -> bool {
        false
    }

    /// Takes an answer up again behind the last [`Event::State`], where the provider keeps it.
    fn take_up(&self, state: &str, events: Events) -> Option<BoxFuture<'static, Result<(), Failure>>> {
        let _ = (state, events);
        None
    }

    /// Ends an answer that would go on without us.
    fn cancel(&self, state: &str) -> Option<BoxFuture<'static, ()>> {
        let _ = state;
        None
    }
}
