//! The log: the one place that owns append, read from a cursor, wake, and terminal records.
//!
//! A conversation is a room with an append-only list of runs; a run is one append-only text with a status and exactly one
//! terminal record. A reader is a cursor ([`Subscription`]), not a queue: it takes what lies between its cursor and the
//! end when it can be written to. Nothing here knows a provider, a socket, or the task that writes a run.
//!
//! Nothing is shown before it is stored: each change is a transaction of the store first (`store`, `sql`), and then, in the same
//! order, a change of what readers see (`room`, `text`). Locks are taken in one order, rooms before readers, and never held
//! across an await.

mod access;
mod columns;
mod cursor;
mod live;
mod message;
mod record;
mod room;
#[cfg(test)]
mod simulation;
mod sql;
mod store;
mod stream_events;
mod text;
mod waker;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use riacho_protocol::{ConversationId, ConversationInfo, ConversationStatus, MessageId, Status};
use rusqlite::Connection;

use crate::detail::Detail;
use access::authorise;
pub use access::{User, Verb};
pub use cursor::{Bounds, Subscription};
pub use record::{
    Added, AnswerBy, Arrived, Ending, Kept, LeftOver, NewTurn, Piece, Refused, Run, Said, StreamEvent,
    Terminal,
};
use room::{Room, RoomState};
use sql::TurnStored;
use store::Store;
pub use store::{HandedIn, OpenError, Place};
use waker::Waker;

/// Lines in `conversations`, the last used first.
const MAX_LISTED: usize = 200;
/// The longest title that is kept, in characters.
const MAX_TITLE_CHARS: usize = 200;

/// A handle on the log; clones are the same log.
#[derive(Clone)]
pub struct Log {
    store: Store,
    rooms: Arc<Rooms>,
    /// So many events of streams are kept, the newest ones.
    stream_events: usize,
}

/// What is in memory: the rooms that someone reads. Only the thread of the store adds one or changes what is in it, so
/// what is shown is in the order of what was stored.
#[derive(Default)]
struct Rooms {
    open: Mutex<HashMap<ConversationId, Arc<Room>>>,
    /// Who wants to know when the list of a user's conversations changes.
    listeners: Mutex<HashMap<User, Vec<Weak<Waker>>>>,
}

/// A terminal record that can't be stored is tried again so often, a second apart; then it is shown all the same, since a
/// reader must not be left hanging. After a restart it is an interruption.
const FINISH_TRIES: usize = 5;

impl Log {
    /// Opens the log, which is to keep so many events of streams. What lived when it was left is ended: nobody writes it any
    /// more.
    pub fn open(place: &Place, stream_events: usize) -> Result<Self, OpenError> {
        let store = Store::open(place, |db| {
            let transaction = db.unchecked_transaction()?;
            stream_events::keep(&transaction, stream_events)?;
            match sql::interrupt_all(db) {
                Ok(0) => {}
                Ok(runs) => tracing::info!(runs, "answers that were alive at the last end are interrupted"),
                Err(_) => return Err(rusqlite::Error::InvalidQuery), // The reason is in the log.
            }
            transaction.commit()
        })?;
        Ok(Self { store, rooms: Arc::default(), stream_events })
    }

    /// A reader, with no cursor yet.
    pub fn subscribe(&self, user: User, bounds: Bounds) -> Subscription {
        Subscription::new(self.clone(), user, bounds)
    }

    /// Adds a user's message, whole, and the pending run of its answer, in one step.
    pub async fn add_turn(&self, user: &User, turn: NewTurn) -> Result<Added, Refused> {
        let (user, now, rooms) = (user.clone(), now(), Arc::clone(&self.rooms));
        let (conversation_id, reply_id) = (turn.conversation_id.clone(), turn.reply_id.clone());
        let again = [turn.message_id.clone(), turn.reply_id.clone()];
        let (shown, whose) = (turn.clone(), user.clone());
        let stored = self
            .store
            .write(
                move |db| {
                    let owner = sql::owner(db, &turn.conversation_id)?;
                    authorise(&user, owner.as_ref().unwrap_or(&user), Verb::Send)?;
                    sql::add_turn(db, &user, &turn, now)
                },
                move |stored| {
                    if let TurnStored::New(parent_id) = stored {
                        rooms.change(&shown.conversation_id.clone(), |room| {
                            room.add_turn(shown, parent_id.clone())
                        });
                        rooms.list_changed(&whose);
                    }
                },
            )
            .await?;
        match stored {
            TurnStored::New(_) => Ok(Added::New(Run { conversation_id, message_id: reply_id, epoch: 0 })),
            TurnStored::Again => {
                let room = self.rooms.get(&conversation_id).ok_or(Refused::NotJoined)?;
                let state = room.lock();
                let started = again.map(|id| state.started(&conversation_id, &id));
                let [Some(said), Some(reply)] = started else { return Err(Refused::UnknownMessage) };
                Ok(Added::Again(Box::new([said, reply])))
            }
        }
    }

    /// Appends to a run: stores, then shows it to the readers.
    pub async fn append(&self, run: &Run, arrived: Arrived) -> Result<(), Refused> {
        self.hand_in(run, arrived).await?.settled().await.map(|_| ())
    }

    /// As [`append`](Self::append), for who goes on meanwhile and asks later what came of it.
    pub async fn hand_in(&self, run: &Run, arrived: Arrived) -> Result<HandedIn<Vec<Piece>>, Refused> {
        let (stored, shown, rooms) = (run.clone(), run.clone(), Arc::clone(&self.rooms));
        let (keep, now) = (self.stream_events, now());
        let handed_in = self.store.hand_in(
            move |db| {
                let message = sql::append(db, &stored.message_id, stored.epoch, &arrived)?;
                if keep > 0 && !arrived.events.is_empty() {
                    stream_events::add(db, message, stored.epoch, &arrived.events, now)?;
                    stream_events::keep(db, keep)?;
                }
                Ok(arrived.pieces)
            },
            move |pieces| rooms.change(&shown.conversation_id, |room| room.append(&shown.message_id, pieces)),
        );
        handed_in.await
    }

    /// What can be taken up again. Nobody writes these runs; whoever asks is to do it, or to end them.
    pub async fn left_over(&self) -> Result<Vec<LeftOver>, Refused> {
        self.store.read(sql::left_over).await
    }

    /// Does anyone read this conversation? A paused reader is one.
    pub fn is_read(&self, id: &ConversationId) -> bool {
        // Rooms that nobody reads are not open.
        self.rooms.get(id).is_some()
    }

    /// Says what happens while no text comes. It is not kept.
    pub async fn note(&self, run: &Run, detail: Detail) {
        self.rooms.change(&run.conversation_id, |room| room.note(&run.message_id, run.epoch, detail));
    }

    /// Writes the terminal record, and gives it. The first one stands: none says that there was one. `terminal` is asked for at its turn in
    /// the log, so that it can know of a [`stop`](Self::stop) that came before it.
    pub async fn finish(
        &self,
        run: &Run,
        terminal: impl Fn() -> Terminal + Clone + Send + 'static,
    ) -> Option<Terminal> {
        for _ in 0..FINISH_TRIES {
            let (stored, shown, rooms) = (run.clone(), run.clone(), Arc::clone(&self.rooms));
            let (record, now) = (terminal.clone(), now());
            let finished = self.store.write(
                move |db| {
                    let record = record();
                    let owner = sql::finish(db, &stored.message_id, stored.epoch, &record, now)?;
                    Ok((record, owner))
                },
                move |(record, owner)| {
                    rooms.finish(&shown, record);
                    rooms.list_changed(owner);
                },
            );
            match finished.await {
                Ok((record, _)) => return Some(record),
                Err(Refused::NotStored) => tokio::time::sleep(Duration::from_secs(1)).await,
                Err(_) => return None,
            }
        }
        tracing::error!(message_id = %run.message_id, "a terminal record could not be stored");
        let record = terminal();
        self.rooms.finish(run, &record);
        Some(record)
    }

    /// Has whoever writes a run told to stop, unless it has ended. `tell` has its turn in the log, as any change has: a
    /// terminal record before it stands, and one behind it knows of it. Gives the run if `tell` finds nobody.
    pub async fn stop(
        &self,
        user: &User,
        id: &MessageId,
        epoch: u32,
        tell: impl FnOnce(&Run) -> bool + Send + 'static,
    ) -> Result<Option<Run>, Refused> {
        let (user, message_id) = (user.clone(), id.clone());
        let told = self.store.read(move |db| {
            let (run, status) = current_run(db, &user, Verb::Stop, message_id, epoch)?;
            Ok((!status.is_terminal() && !tell(&run)).then_some(run))
        });
        told.await
    }

    /// The run that `epoch` names, if that is the current one, and its status.
    pub async fn run(
        &self,
        user: &User,
        verb: Verb,
        id: &MessageId,
        epoch: u32,
    ) -> Result<(Run, Status), Refused> {
        let (user, message_id) = (user.clone(), id.clone());
        self.store.read(move |db| current_run(db, &user, verb, message_id, epoch)).await
    }

    /// Where a message stands, whatever its epoch.
    pub async fn find(&self, user: &User, verb: Verb, id: &MessageId) -> Result<(Run, Status), Refused> {
        let (user, message_id) = (user.clone(), id.clone());
        let read = self.store.read(move |db| {
            let conversation_id = sql::place(db, &message_id)?;
            authorise(&user, &sql::owner(db, &conversation_id)?.ok_or(Refused::UnknownMessage)?, verb)?;
            let (epoch, status) = sql::newest(db, &message_id)?;
            Ok((Run { conversation_id, message_id, epoch }, status))
        });
        read.await
    }

    /// Is there a message of this id, whosever it is?
    pub async fn knows(&self, id: &MessageId) -> bool {
        let id = id.clone();
        self.store.read(move |db| sql::place(db, &id)).await.is_ok()
    }

    /// Does the store answer?
    pub async fn is_there(&self) -> bool {
        self.store.read(|_| Ok(())).await.is_ok()
    }

    /// Starts the next epoch of an answer that has ended, and says who is to be asked.
    pub async fn next_epoch(
        &self,
        user: &User,
        id: &MessageId,
        epoch: u32,
    ) -> Result<(Run, AnswerBy), Refused> {
        let (user, message_id, now, rooms) = (user.clone(), id.clone(), now(), Arc::clone(&self.rooms));
        let whose = user.clone();
        let started = self.store.write(
            move |db| {
                let conversation_id = sql::place(db, &message_id)?;
                let owner = sql::owner(db, &conversation_id)?.ok_or(Refused::UnknownMessage)?;
                authorise(&user, &owner, Verb::Retry)?;
                let (epoch, answer) = sql::next_epoch(db, &message_id, epoch, now)?;
                Ok((Run { conversation_id, message_id, epoch }, answer))
            },
            move |(run, _)| {
                rooms.change(&run.conversation_id, |room| room.next_epoch(&run.message_id, run.epoch));
                rooms.list_changed(&whose);
            },
        );
        started.await
    }

    /// Another provider writes this run, of which nothing was written yet.
    pub async fn hand_over(&self, run: &Run, answer: AnswerBy) -> Result<(), Refused> {
        let (stored, shown, rooms) = (run.clone(), run.clone(), Arc::clone(&self.rooms));
        let handed = self.store.write(
            move |db| {
                sql::check_live(db, &stored.message_id, stored.epoch)?;
                sql::set_answer(db, &stored.message_id, &answer).map(|()| answer)
            },
            move |answer| {
                rooms.change(&shown.conversation_id, |room| room.set_answer(&shown.message_id, answer))
            },
        );
        handed.await.map(|_| ())
    }

    /// Ends a run, and starts the next epoch with another provider, in one step: nobody can come between.
    pub async fn start_over(&self, run: &Run, terminal: Terminal, answer: AnswerBy) -> Result<Run, Refused> {
        let (stored, now, rooms) = (run.clone(), now(), Arc::clone(&self.rooms));
        let ended = (run.clone(), terminal.clone(), answer.clone());
        let started = self.store.write(
            move |db| {
                let owner = sql::finish(db, &stored.message_id, stored.epoch, &terminal, now)?;
                let (epoch, _) = sql::next_epoch(db, &stored.message_id, stored.epoch, now)?;
                sql::set_answer(db, &stored.message_id, &answer)?;
                Ok((Run { epoch, ..stored }, owner))
            },
            move |(next, owner)| {
                // In one piece: nobody sees an end after which it goes on.
                let (run, terminal, answer) = &ended;
                rooms.change(&next.conversation_id, |room| {
                    room.finish(&run.message_id, run.epoch, terminal);
                    room.next_epoch(&next.message_id, next.epoch);
                    room.set_answer(&next.message_id, answer);
                });
                rooms.list_changed(owner);
            },
        );
        started.await.map(|(next, _)| next)
    }

    /// What was said on the way to an answer, oldest first and without the answer itself. It goes back no further than
    /// to the message with which `max_bytes` are exceeded.
    pub async fn path_to(&self, run: &Run, max_bytes: usize) -> Result<Vec<Said>, Refused> {
        let message_id = run.message_id.clone();
        self.store.read(move |db| sql::path_to(db, &message_id, max_bytes)).await
    }

    /// Names, closes or opens a conversation. An empty title brings back the default one.
    pub async fn update(
        &self,
        user: &User,
        id: &ConversationId,
        title: Option<String>,
        status: Option<ConversationStatus>,
    ) -> Result<(), Refused> {
        let (user, id, rooms) = (user.clone(), id.clone(), Arc::clone(&self.rooms));
        let whose = user.clone();
        let title = title
            .map(|title| one_line(&title, MAX_TITLE_CHARS))
            .map(|title| Some(title).filter(|t| !t.is_empty()));
        let updated = self.store.write(
            move |db| {
                let owner = sql::owner(db, &id)?.ok_or(Refused::UnknownConversation)?;
                authorise(&user, &owner, Verb::Update)?;
                sql::update(db, &id, title, status)
            },
            move |()| rooms.list_changed(&whose),
        );
        updated.await
    }

    /// A conversation as one JSON value.
    pub async fn export(&self, user: &User, id: &ConversationId) -> Result<serde_json::Value, Refused> {
        let (user, id) = (user.clone(), id.clone());
        let exported = self.store.read(move |db| {
            authorise(&user, &sql::owner(db, &id)?.ok_or(Refused::UnknownConversation)?, Verb::Export)?;
            sql::export(db, &id)
        });
        exported.await
    }

    /// Deletes a conversation. Whoever reads there is let go.
    pub async fn delete(&self, user: &User, id: &ConversationId) -> Result<(), Refused> {
        let (user, id, gone, rooms) = (user.clone(), id.clone(), id.clone(), Arc::clone(&self.rooms));
        let whose = user.clone();
        let deleted = self.store.write(
            move |db| {
                authorise(&user, &sql::owner(db, &id)?.ok_or(Refused::UnknownConversation)?, Verb::Delete)?;
                sql::delete(db, &id)
            },
            move |()| {
                rooms.change(&gone, RoomState::delete);
                lock(&rooms.open).remove(&gone);
                rooms.list_changed(&whose);
            },
        );
        deleted.await
    }

    /// Conversations in which something was said, the last used first.
    pub async fn list(&self, user: &User) -> Result<Vec<ConversationInfo>, Refused> {
        let user = user.clone();
        self.store.read(move |db| sql::list(db, &user, MAX_LISTED)).await
    }

    /// The room, read from the store if nobody else reads it, with this reader in it.
    async fn enter(
        &self,
        user: &User,
        id: &ConversationId,
        waker: &Arc<Waker>,
    ) -> Result<Arc<Room>, Refused> {
        let (user, id, waker, rooms) = (user.clone(), id.clone(), Arc::clone(waker), Arc::clone(&self.rooms));
        let entered = self.store.read(move |db| {
            let mut open = lock(&rooms.open);
            let room = match open.get(&id) {
                Some(room) => Arc::clone(room),
                None => {
                    // Who joins first where nothing is yet, owns it.
                    let owner = sql::owner(db, &id)?.unwrap_or_else(|| user.clone());
                    Arc::new(Room::new(id.clone(), owner, sql::messages(db, &id)?))
                }
            };
            authorise(&user, &room.owner, Verb::Join)?;
            room.lock().add_reader(&waker);
            open.insert(id, Arc::clone(&room));
            Ok(room)
        });
        entered.await
    }

    /// Takes the reader out. A room that nobody reads is in the store only.
    fn exit(&self, room: &Arc<Room>, waker: &Arc<Waker>) {
        let mut open = lock(&self.rooms.open);
        let unread = room.lock().remove_reader(waker);
        if unread && open.get(&room.id).is_some_and(|opened| Arc::ptr_eq(opened, room)) {
            open.remove(&room.id);
        }
    }

    /// Brings texts of a room into memory.
    async fn load(&self, room: &Arc<Room>, ids: Vec<MessageId>) -> Result<(), Refused> {
        let room = Arc::clone(room);
        let loaded = self.store.read(move |db| {
            let texts = sql::texts(db, &ids)?;
            room.lock().set_texts(&ids, texts);
            Ok(())
        });
        loaded.await
    }

    /// Keeps the log from taking anything until what is given back is dropped.
    #[cfg(test)]
    pub async fn hold(&self) -> std::sync::mpsc::Sender<()> {
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let (held, holds) = tokio::sync::oneshot::channel();
        let store = self.store.clone();
        tokio::spawn(async move {
            let hold = store.read(move |_| {
                let _ = held.send(());
                let _ = wait.recv();
                Ok(())
            });
            hold.await
        });
        let _ = holds.await;
        go
    }

    /// Waits until so many wait for their turn in a log that is held.
    #[cfg(test)]
    pub async fn until_waiting(&self, jobs: usize) {
        while self.store.waiting() < jobs {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn listen(&self, user: &User, waker: &Arc<Waker>) {
        let mut listeners = lock(&self.rooms.listeners);
        let of_user = listeners.entry(user.clone()).or_default();
        of_user.retain(|listener| listener.strong_count() > 0);
        of_user.push(Arc::downgrade(waker));
    }

    /// This reader listens no more.
    fn listen_no_more(&self, user: &User, waker: &Arc<Waker>) {
        let mut listeners = lock(&self.rooms.listeners);
        let Some(of_user) = listeners.get_mut(user) else { return };
        of_user.retain(|listener| !std::ptr::eq(listener.as_ptr(), Arc::as_ptr(waker)));
        if of_user.is_empty() {
            listeners.remove(user);
        }
    }
}

/// The run that `epoch` names, if that is the current one and the user may, and its status.
fn current_run(
    db: &Connection,
    user: &User,
    verb: Verb,
    message_id: MessageId,
    epoch: u32,
) -> Result<(Run, Status), Refused> {
    let conversation_id = sql::place(db, &message_id)?;
    authorise(user, &sql::owner(db, &conversation_id)?.ok_or(Refused::UnknownMessage)?, verb)?;
    let status = sql::current(db, &message_id, epoch)?;
    Ok((Run { conversation_id, message_id, epoch }, status))
}

impl Rooms {
    fn get(&self, id: &ConversationId) -> Option<Arc<Room>> {
        lock(&self.open).get(id).cloned()
    }

    /// Changes a room, if anyone reads it, and wakes its readers.
    fn change(&self, id: &ConversationId, change: impl FnOnce(&mut RoomState)) {
        if let Some(room) = self.get(id) {
            let mut state = room.lock();
            change(&mut state);
            state.wake(id);
        }
    }

    fn finish(&self, run: &Run, terminal: &Terminal) {
        self.change(&run.conversation_id, |room| room.finish(&run.message_id, run.epoch, terminal));
    }

    /// Wakes those who listen to the list of this user.
    fn list_changed(&self, user: &User) {
        let listeners = lock(&self.listeners);
        listeners
            .get(user)
            .into_iter()
            .flatten()
            .filter_map(Weak::upgrade)
            .for_each(|waker| waker.list_changed());
    }
}

/// A panic elsewhere does not take the data down with it: each change is made in one piece.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Milliseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The first line that says something, cut to a length.
fn one_line(text: &str, max_chars: usize) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let mut cut: String = line.chars().filter(|c| !c.is_control()).take(max_chars).collect();
    cut.truncate(cut.trim_end().len());
    cut
}
