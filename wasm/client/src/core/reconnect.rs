//! When to try the socket again: exponential backoff with full jitter. The random number is an argument.

use super::Millis;

/// The schedule of one client. Full jitter spreads the pages that a restarted relay lost all at once.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    pub base: Millis,
    pub cap: Millis,
    attempt: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: 250, cap: 20_000, attempt: 0 }
    }
}

impl Backoff {
    /// How long to wait now, with `random` anywhere in `u32`.
    pub fn next_delay(&mut self, random: u32) -> Millis {
        let ceiling = self.base.saturating_mul(1 << self.attempt.min(20)).min(self.cap);
        self.attempt = self.attempt.saturating_add(1);
        // The whole range but for its very start: a delay of 0 in a loop would hammer a dead port.
        let floor = ceiling / 10;
        floor + (ceiling - floor) * Millis::from(random) / Millis::from(u32::MAX)
    }

    /// The line stands: the next loss starts from the beginning.
    pub fn reset(&mut self) {
        self.attempt = 0;
    }

    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_the_cap_jittered_over_the_whole_range() {
        let mut backoff = Backoff::default();
        let tops: Vec<_> = (0..9).map(|_| backoff.next_delay(u32::MAX)).collect();
        assert_eq!(tops, [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
        assert_eq!(backoff.next_delay(0), 2_000);
        for _ in 0..100 {
            assert!(backoff.next_delay(7) <= 20_000);
        }
        backoff.reset();
        assert_eq!(backoff.next_delay(0), 25);
    }
}
