//! Which messages of the conversation on screen have an element: a range of its order, or all of it.
//!
//! A long conversation has more messages than a page can carry as elements. The client keeps the newest; where the reader
//! goes from there the page says, since only it knows what is near the view.

use std::ops::Range;

use riacho_protocol::MessageId;

use super::{Client, Output};
use crate::core::Millis;
use crate::core::message::Origin;

/// A range of the order of one conversation. Nothing here knows a message.
#[derive(Debug, Clone, Default)]
pub(super) struct Window {
    range: Range<usize>,
    /// So many at first; `None`: always all of them.
    most: Option<usize>,
    /// Where the page has said what is near: it grows so far at its end before the page says so again.
    limit: Option<usize>,
}

/// What a new message is to the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    Inside,
    /// It is in, and the first one goes for it.
    InsteadOfFirst,
    Outside,
}

impl Window {
    pub(super) fn of(most: Option<usize>) -> Self {
        Self { most: most.map(|most| most.max(1)), ..Self::default() }
    }

    pub(super) fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    pub(super) fn contains(&self, index: usize) -> bool {
        self.range.contains(&index)
    }

    /// The newest of another conversation.
    fn open(&mut self, count: usize) {
        self.range = count - self.most.map_or(count, |most| most.min(count))..count;
        self.limit = None;
    }

    fn set(&mut self, range: Range<usize>) {
        self.limit = self.most.map(|most| range.len() + most);
        self.range = range;
    }

    /// A message came to be at `index`, where there were `count` before.
    pub(super) fn insert(&mut self, index: usize, count: usize) -> Entry {
        let Range { start, end } = &mut self.range;
        let Some(most) = self.most else {
            *end += 1;
            return Entry::Inside;
        };
        if index <= *start && start < end {
            // Older ones stand before it, until the reader goes there.
            *start += 1;
            *end += 1;
            return Entry::Outside;
        }
        if index < *end {
            *end += 1;
            return Entry::Inside;
        }
        if index > *end || *end < count {
            return Entry::Outside;
        }
        match self.limit {
            Some(limit) if *end - *start >= limit => Entry::Outside,
            None if *end - *start >= most => {
                *start += 1;
                *end += 1;
                Entry::InsteadOfFirst
            }
            _ => {
                *end += 1;
                Entry::Inside
            }
        }
    }
}

impl Client {
    /// The window, and how many messages the conversation on screen has.
    #[must_use]
    pub fn window(&self) -> (Range<usize>, usize) {
        let count = self.router.on_screen().map_or(0, |conversation| self.registry.order(conversation).len());
        (self.window.range(), count)
    }

    /// The page says what is near the view. Its work is that of the messages that come and go, however many there are.
    /// Nothing happens where all messages have an element.
    pub fn set_window(&mut self, range: Range<usize>, now: Millis) {
        let Some(conversation) = self.router.on_screen().filter(|_| self.window.most.is_some()) else {
            return;
        };
        let order = self.registry.order(conversation);
        let end = range.end.min(order.len());
        let range = range.start.min(end)..end;
        let before = self.window.range();
        let mut gone = Vec::new();
        for index in before.clone() {
            gone.extend(order.get(index).filter(|_| !range.contains(&index)).cloned());
        }
        self.window.set(range.clone());
        for id in gone {
            self.unmount(id);
        }
        for index in range {
            if !before.contains(&index) {
                self.mount_at(index, now);
            }
        }
    }

    /// Those of the conversation that comes on screen.
    pub(super) fn open_window(&mut self, now: Millis) {
        let (_, count) = self.window();
        self.window.open(count);
        for index in self.window.range() {
            self.mount_at(index, now);
        }
    }

    fn mount_at(&mut self, index: usize, now: Millis) {
        let id = self.router.on_screen().and_then(|room| self.registry.order(room).get(index)).cloned();
        if let Some(id) = id.filter(|id| !self.is_swept(id, now)) {
            self.mount(&id, index);
        }
    }

    pub(super) fn unmount(&mut self, id: MessageId) {
        self.views.remove(&id);
        self.outputs.push_back(Output::Unmount(id));
    }

    /// The nearest before it that has an element.
    pub(super) fn neighbour(&self, index: usize) -> Option<MessageId> {
        let order = self.registry.order(self.router.on_screen()?);
        let before = order.get(self.window.range.start..index)?;
        let on_page = |id: &&MessageId| {
            self.views.contains_key(id)
                || self.registry.get(id).is_some_and(|message| message.origin == Origin::Page)
        };
        before.iter().rev().find(on_page).cloned()
    }

    /// It is in the conversation on screen, and in the window there.
    pub(super) fn is_in_window(&self, id: &MessageId) -> bool {
        self.registry.get(id).is_some_and(|message| self.router.is_on_screen(&message.conversation))
            && self.registry.index(id).is_some_and(|index| self.window.contains(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The same tests natively and in the browser.
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn window(most: usize, range: Range<usize>) -> Window {
        Window { range, most: Some(most), limit: None }
    }

    #[test]
    fn without_a_limit_all_of_it_is_in() {
        let mut window = Window::of(None);
        window.open(3);
        assert_eq!(window.insert(0, 3), Entry::Inside);
        assert_eq!(window.insert(4, 4), Entry::Inside);
        assert_eq!(window.range(), 0..5);
    }

    #[test]
    fn the_newest_are_in_and_roll_until_the_page_says_otherwise() {
        let mut window = Window::of(Some(2));
        assert_eq!(window.insert(0, 0), Entry::Inside);
        assert_eq!(window.insert(1, 1), Entry::Inside);
        assert_eq!(window.insert(2, 2), Entry::InsteadOfFirst);
        assert_eq!(window.range(), 1..3);
        window.set(0..3);
        assert_eq!(window.insert(3, 3), Entry::Inside);
        assert_eq!(window.insert(4, 4), Entry::Inside);
        assert_eq!(window.insert(5, 5), Entry::Outside);
        assert_eq!(window.range(), 0..5);
    }

    #[test]
    fn what_comes_before_moves_it_and_what_comes_behind_leaves_it() {
        let mut older = window(4, 0..4);
        assert_eq!(older.insert(0, 4), Entry::Outside);
        assert_eq!(older.insert(1, 5), Entry::Outside);
        assert_eq!(older.range(), 2..6);
        let mut behind = window(4, 2..6);
        assert_eq!(behind.insert(9, 9), Entry::Outside);
        assert_eq!(behind.insert(6, 10), Entry::Outside);
        assert_eq!(behind.insert(4, 11), Entry::Inside);
        assert_eq!(behind.range(), 2..7);
    }
}
