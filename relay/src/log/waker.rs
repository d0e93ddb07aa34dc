//! How rooms and lists tell a reader that there is more: something changed, and where. It holds no text.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use riacho_protocol::ConversationId;
use tokio::sync::Notify;

use super::lock;

/// A room that changes a thousand times is one entry.
#[derive(Default)]
pub struct Waker {
    notify: Notify,
    /// A few at most: where a reader is may be looked through.
    rooms: Mutex<Vec<ConversationId>>,
    list: AtomicBool,
}

impl Waker {
    pub fn room_changed(&self, id: &ConversationId) {
        let mut rooms = lock(&self.rooms);
        if !rooms.contains(id) {
            rooms.push(id.clone());
            drop(rooms);
            self.notify.notify_one();
        }
    }

    pub fn list_changed(&self) {
        self.list.store(true, Ordering::Release);
        self.notify.notify_one();
    }

    /// Whether the list has changed since this was last asked.
    pub fn take_list(&self) -> bool {
        self.list.swap(false, Ordering::AcqRel)
    }

    /// Gives out the rooms that have changed since this was last asked.
    pub fn take_rooms(&self, take: impl FnMut(ConversationId)) {
        lock(&self.rooms).drain(..).for_each(take);
    }

    /// Something has changed, or changes now.
    pub async fn woken(&self) {
        self.notify.notified().await;
    }

    /// The next [`woken`](Self::woken) returns at once.
    pub fn wake(&self) {
        self.notify.notify_one();
    }
}
