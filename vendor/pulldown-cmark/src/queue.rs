//! Delimiters that wait for each other, by a number that they share. This file is riacho's: ../README.md.

use crate::tree::TreeIndex;

/// A delimiter's place, and what its users know about it.
pub(crate) type Delim = (TreeIndex, bool, bool);

/// A queue for each number, sorted by it. There are few: 256 contexts of braces; as many lengths of runs of backticks as
/// have room beside each other, which in *n* bytes is √2*n*.
#[derive(Default)]
pub(crate) struct Queues(Vec<(usize, Queue)>);

#[derive(Default)]
pub(crate) struct Queue {
    delims: Vec<Delim>,
    /// So many are gone.
    gone: usize,
}

impl Queues {
    pub(crate) fn push(&mut self, number: usize, delim: Delim) {
        let place = self.0.partition_point(|queue| queue.0 < number);
        if self.0.get(place).map_or(true, |queue| queue.0 != number) {
            self.0.insert(place, (number, Queue::default()));
        }
        self.0[place].1.delims.push(delim);
    }

    pub(crate) fn get_mut(&mut self, number: usize) -> Option<&mut Queue> {
        let place = self.0.partition_point(|queue| queue.0 < number);
        self.0.get_mut(place).filter(|queue| queue.0 == number).map(|queue| &mut queue.1)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

impl Queue {
    pub(crate) fn pop_front(&mut self) -> Option<Delim> {
        let delim = self.delims.get(self.gone).copied()?;
        self.gone += 1;
        Some(delim)
    }

    /// Only behind a [`pop_front`](Queue::pop_front) that gave something back.
    pub(crate) fn push_front(&mut self, delim: Delim) {
        self.gone -= 1;
        self.delims[self.gone] = delim;
    }
}
