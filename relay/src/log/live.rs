//! What has arrived of the messages that live. In the database it is a row a commit, with the pieces of all messages in it; in memory is
//! which rows hold pieces of which message, and the texts of those that began since. The rows are the truth: what is in memory is read
//! from them at the start, and anew whenever a change that touched it was undone.

use std::cell::{RefCell, RefMut};
use std::collections::HashMap;
use std::ops::Deref;

use riacho_protocol::{MessageId, PartInfo, Status};
use rusqlite::{Connection, OptionalExtension, params};

use super::columns::status;
use super::text::Text;
use super::{Piece, Refused};

/// The database, and what is known of the live messages in it.
pub struct Db {
    connection: Connection,
    live: RefCell<Live>,
}

#[derive(Default)]
struct Live {
    /// It was read from the rows, and nothing was undone since.
    known: bool,
    /// A change touched it that may yet be undone.
    touched: bool,
    /// Those that were appended to.
    runs: HashMap<MessageId, LiveRun>,
    /// The texts of those that began since it was read from the rows. What ends is written from here: its pieces stand in as many rows as
    /// it had commits, and those who began together end together.
    texts: HashMap<i64, Text>,
    /// The rows with pieces of a message, in order.
    rows: HashMap<i64, Vec<i64>>,
    /// How many live messages have pieces in a row.
    shared: HashMap<i64, u32>,
    next_row: i64,
    /// The next row, so far: lines, and whose they are.
    gathered: Vec<u8>,
    gathered_of: Vec<i64>,
}

#[derive(Clone, Copy)]
struct LiveRun {
    message: i64,
    epoch: u32,
    status: Status,
}

/// A line of a row: message, epoch, part, info, text.
type Line<Info, Content> = (i64, u32, Option<u32>, Option<Info>, Content);

impl Deref for Db {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl Db {
    pub fn new(connection: Connection) -> Self {
        Self { connection, live: RefCell::default() }
    }

    /// Gathers pieces for the next row, and gives the row of their message in its table.
    pub fn append(&self, id: &MessageId, epoch: u32, pieces: &[Piece]) -> Result<i64, Refused> {
        let mut live = self.live()?;
        let run = live.runs.get(id).copied().filter(|run| run.epoch == epoch);
        let run = run.map_or_else(|| live_run(self, id, epoch), Ok)?;
        let message = run.message;
        let status = match run.status {
            Status::Pending if !pieces.is_empty() => {
                self.prepare_cached("UPDATE messages SET streaming_status = 'streaming' WHERE seq = ?1")?
                    .execute([message])?;
                Status::Streaming
            }
            status => status,
        };
        if live.runs.insert(id.clone(), LiveRun { status, ..run }).is_none()
            && !live.rows.contains_key(&message)
        {
            live.texts.entry(message).or_default();
        }
        if let Some(text) = live.texts.get_mut(&message) {
            pieces.iter().for_each(|piece| text.append(piece));
        }
        for piece in pieces {
            live.gather(match piece {
                Piece::Part(info) => (message, epoch, None, Some(info), ""),
                Piece::Text { part, text } => (message, epoch, Some(*part), None, text),
            });
        }
        Ok(message)
    }

    /// Writes what was gathered: it belongs to the changes before, and the next ones may ask for it.
    pub fn seal(&self) -> Result<(), Refused> {
        let mut live = self.live.borrow_mut();
        if live.gathered.is_empty() {
            return Ok(());
        }
        let row = live.next_row;
        let lines = std::str::from_utf8(&live.gathered).unwrap_or_default(); // It is JSON.
        self.prepare_cached("INSERT INTO arrived (n, pieces) VALUES (?1, ?2)")?
            .execute(params![row, lines])?;
        live.next_row += 1;
        live.gathered.clear();
        let mut messages = std::mem::take(&mut live.gathered_of);
        messages.sort_unstable();
        messages.dedup();
        for message in &messages {
            live.note(*message, row);
        }
        messages.clear();
        live.gathered_of = messages;
        Ok(())
    }

    /// What has arrived of a live message.
    pub fn arrived(&self, message: i64) -> Result<Text, Refused> {
        let live = self.live()?;
        if let Some(text) = live.texts.get(&message) {
            return Ok(text.clone());
        }
        let mut text = Text::default();
        let Some(rows) = live.rows.get(&message) else { return Ok(text) };
        let mut epoch = self.prepare_cached("SELECT epoch FROM messages WHERE seq = ?1")?;
        let epoch: u32 = epoch.query_row([message], |row| row.get(0))?;
        let of_message = format!("[{message},{epoch},");
        let mut statement = self.prepare_cached("SELECT pieces FROM arrived WHERE n = ?1")?;
        for row in rows {
            let mut rows = statement.query([row])?;
            let Some(row) = rows.next()? else { continue };
            for line in row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?.lines() {
                if line.starts_with(&of_message) {
                    text.append(&piece(line)?);
                }
            }
        }
        Ok(text)
    }

    /// What has arrived of a message that ends.
    pub fn take(&self, message: i64) -> Result<Text, Refused> {
        let taken = {
            let mut live = self.live()?;
            live.touched = true;
            live.texts.remove(&message)
        };
        taken.map_or_else(|| self.arrived(message), Ok)
    }

    /// The text of a message has become one: its pieces go.
    pub fn folded(&self, message: i64) -> Result<(), Refused> {
        let mut live = self.live()?;
        live.touched = true;
        live.runs.retain(|_, run| run.message != message);
        live.texts.remove(&message);
        let mut delete = self.prepare_cached("DELETE FROM arrived WHERE n = ?1")?;
        for row in live.rows.remove(&message).unwrap_or_default() {
            let left = live.shared.get(&row).map_or(0, |shared| shared.saturating_sub(1));
            if left > 0 {
                live.shared.insert(row, left);
            } else {
                live.shared.remove(&row);
                delete.execute([row])?;
            }
        }
        Ok(())
    }

    /// What comes now is undone alone, or not at all.
    pub fn mark(&self) {
        self.live.borrow_mut().touched = false;
    }

    /// What came since the mark was undone.
    pub fn undone(&self) {
        let mut live = self.live.borrow_mut();
        live.known &= !live.touched;
    }

    /// A whole transaction was undone.
    pub fn forget(&self) {
        *self.live.borrow_mut() = Live::default();
    }

    fn live(&self) -> Result<RefMut<'_, Live>, Refused> {
        let mut live = self.live.borrow_mut();
        if !live.known {
            *live = read(self)?;
        }
        Ok(live)
    }
}

impl Live {
    fn gather(&mut self, line: Line<&PartInfo, &str>) {
        self.gathered_of.push(line.0);
        // Plain data into memory: this can't fail.
        let _ = serde_json::to_writer(&mut self.gathered, &line);
        self.gathered.push(b'\n');
    }

    /// A message has pieces in a row.
    fn note(&mut self, message: i64, row: i64) {
        let rows = self.rows.entry(message).or_default();
        if rows.last() != Some(&row) {
            rows.push(row);
            *self.shared.entry(row).or_default() += 1;
        }
    }
}

/// From the rows. Those that hold nothing of a message that lives are left from a relay that was killed, and go.
fn read(db: &Connection) -> Result<Live, Refused> {
    let mut live = Live { known: true, ..Live::default() };
    let mut living = db.prepare_cached(
        "SELECT seq, epoch FROM messages WHERE streaming_status IN ('pending', 'streaming')",
    )?;
    let living: HashMap<i64, u32> =
        living.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    let mut orphans = Vec::new();
    let mut statement = db.prepare_cached("SELECT n, pieces FROM arrived ORDER BY n")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let n: i64 = row.get(0)?;
        live.next_row = n + 1;
        for line in row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?.lines() {
            let mut numbers = line.trim_start_matches('[').split(',');
            let message = numbers.next().and_then(|number| number.parse().ok());
            let epoch = numbers.next().and_then(|number| number.parse().ok());
            if let Some(message) = message.filter(|_| epoch.is_some())
                && living.get(&message).copied() == epoch
            {
                live.note(message, n);
            }
        }
        if !live.shared.contains_key(&n) {
            orphans.push(n);
        }
    }
    let mut delete = db.prepare_cached("DELETE FROM arrived WHERE n = ?1")?;
    for n in orphans {
        delete.execute([n])?;
    }
    Ok(live)
}

fn piece(line: &str) -> Result<Piece, Refused> {
    let (_, _, part, info, text): Line<PartInfo, String> = serde_json::from_str(line).map_err(|error| {
        tracing::error!(%error, "a piece in the store can't be read");
        Refused::NotStored
    })?;
    Ok(match part {
        Some(part) => Piece::Text { part, text },
        None => Piece::Part(info.unwrap_or_default()),
    })
}

fn live_run(db: &Connection, id: &MessageId, epoch: u32) -> Result<LiveRun, Refused> {
    let mut statement = db.prepare_cached(
        "SELECT seq, streaming_status FROM messages
         WHERE id = ?1 AND epoch = ?2 AND streaming_status IN ('pending', 'streaming')",
    )?;
    let found = statement.query_row(params![id.as_str(), epoch], |row| {
        Ok(LiveRun { message: row.get(0)?, epoch, status: status(row, 1)? })
    });
    found.optional()?.ok_or(Refused::Ended)
}

/// The row of a live run.
pub fn live(db: &Connection, id: &MessageId, epoch: u32) -> Result<i64, Refused> {
    live_run(db, id, epoch).map(|run| run.message)
}

#[cfg(test)]
mod tests {
    use riacho_protocol::{ConversationId, Options, PartKind};

    use super::*;
    use crate::log::record::{AnswerBy, Arrived, NewTurn, Terminal};
    use crate::log::store::{Place, Store};
    use crate::log::{User, sql};

    fn id<T: TryFrom<String>>(n: u32) -> T {
        let id = T::try_from(format!("019e0000-0000-7000-8000-{n:012}"));
        id.unwrap_or_else(|_| panic!("an id"))
    }

    fn say(db: &Db, n: u32) -> MessageId {
        let turn = NewTurn {
            conversation_id: id::<ConversationId>(n),
            message_id: id(n + 1),
            reply_id: id(n + 2),
            parent_id: None,
            content: "?".into(),
            answer: AnswerBy { provider: "p".into(), model: None, options: Options::default() },
            state: None,
        };
        sql::add_turn(db, &User::local(), &turn, 0).expect("a turn");
        id(n + 2)
    }

    fn append(db: &Db, id: &MessageId, epoch: u32, text: &str) -> Result<i64, Refused> {
        let pieces = vec![Piece::Text { part: 0, text: text.into() }];
        sql::append(db, id, epoch, &Arrived { pieces, ..Arrived::default() })
    }

    fn rows(db: &Db) -> i64 {
        db.query_row("SELECT count(*) FROM arrived", [], |row| row.get(0)).expect("a count")
    }

    fn store(place: &Place) -> Store {
        Store::open(place, |_| Ok(())).expect("a store")
    }

    async fn add<T: Send + 'static>(
        store: &Store,
        change: impl FnOnce(&Db) -> Result<T, Refused> + Send + 'static,
        show: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, Refused> {
        store.hand_in(change, show).await?.settled().await
    }

    /// Everything that is asked about at once, from memory and then from the rows alone.
    fn both(db: &Db, messages: &[(i64, &str)]) {
        for _ in 0..2 {
            for (message, text) in messages {
                assert_eq!(db.arrived(*message).expect("a text").content(), *text);
            }
            db.forget();
        }
    }

    #[tokio::test]
    async fn what_comes_together_is_one_row_and_goes_with_the_last_of_its_messages() {
        let store = store(&Place::Memory);
        let read = store.read(|db| {
            let (one, two) = (say(db, 10), say(db, 20));
            let first = append(db, &one, 0, "o\n\"🌊")?;
            let second = append(db, &two, 0, "t")?;
            append(db, &one, 0, "ne")?;
            db.seal()?;
            append(db, &two, 0, "wo")?;
            db.seal()?;
            assert_eq!(rows(db), 2);
            both(db, &[(first, "o\n\"🌊ne"), (second, "two")]);

            sql::finish(db, &one, 0, &Terminal::default(), 0)?;
            assert_eq!(append(db, &one, 0, "more"), Err(Refused::Ended));
            assert_eq!(rows(db), 2, "the other one has a piece in each");
            // Its next epoch holds nothing of the one before, whose pieces are still there.
            sql::next_epoch(db, &one, 0, 0)?;
            assert_eq!(append(db, &one, 0, "late"), Err(Refused::Ended));
            both(db, &[(first, ""), (second, "two")]);
            append(db, &one, 1, "again")?;
            db.seal()?;
            both(db, &[(first, "again"), (second, "two")]);

            sql::finish(db, &two, 0, &Terminal::default(), 0)?;
            assert_eq!(rows(db), 1);
            sql::finish(db, &one, 1, &Terminal::default(), 0)?;
            assert_eq!(rows(db), 0);
            Ok(())
        });
        assert_eq!(read.await, Ok(()));
    }

    #[tokio::test]
    async fn a_change_that_is_undone_takes_nothing_with_it() {
        let store = store(&Place::Memory);
        let said = store.write(|db| Ok(say(db, 10)), |_| {}).await.expect("a turn");
        // All of it waits while this reads, and is one transaction.
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let hold = store.read(move |_| {
            let _ = wait.recv();
            Ok(())
        });
        let (before, ends, after) = (said.clone(), said.clone(), said.clone());
        let before = add(&store, move |db| append(db, &before, 0, "a"), |_| {});
        let undone = store.write(
            move |db| {
                sql::finish(db, &ends, 0, &Terminal::default(), 0)?;
                Err::<(), _>(Refused::IdTaken)
            },
            |()| panic!("it was undone"),
        );
        let after = add(&store, move |db| append(db, &after, 0, "b"), |_| {});
        let release = async {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            drop(go);
        };
        let (_, message, undone, again, ()) = tokio::join!(hold, before, undone, after, release);
        assert_eq!((undone, again), (Err(Refused::IdTaken), message.clone()));
        let message = message.expect("it lives");
        let read = store.read(move |db| {
            both(db, &[(message, "ab")]);
            Ok(())
        });
        assert_eq!(read.await, Ok(()));
    }

    #[tokio::test]
    async fn a_transaction_that_fails_leaves_nothing_behind() {
        let store = store(&Place::Memory);
        let said = store.write(|db| Ok(say(db, 10)), |_| {}).await.expect("a turn");
        let (failing, after) = (said.clone(), said.clone());
        let failed = add(
            &store,
            move |db| {
                let message = append(db, &failing, 0, "lost");
                // As a full disk does it.
                db.execute_batch("ROLLBACK")?;
                message
            },
            |_| panic!("it was not stored"),
        );
        assert_eq!(failed.await, Err(Refused::NotStored));
        let message = add(&store, move |db| append(db, &after, 0, "kept"), |_| {}).await.expect("it lives");
        let read = store.read(move |db| {
            both(db, &[(message, "kept")]);
            Ok(())
        });
        assert_eq!(read.await, Ok(()));
    }

    #[tokio::test]
    async fn pieces_of_an_older_relay_are_taken_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("relay.db");
        let old = Connection::open(&file).expect("a database");
        for step in [
            include_str!("migrations/0001_conversations.sql"),
            include_str!("migrations/0002_provider_state.sql"),
            include_str!("migrations/0003_stream_events.sql"),
            "PRAGMA user_version = 3;
             INSERT INTO conversations VALUES ('c', 'o', NULL, 't', 'open', 0, 0);
             INSERT INTO messages (seq, id, conversation_id, role, epoch, streaming_status, created_at)
                VALUES (1, 'm', 'c', 'assistant', 2, 'streaming', 0), (2, 'n', 'c', 'assistant', 0, 'streaming', 0);
             INSERT INTO chunks VALUES (1, 7, NULL, '{\"kind\":\"reasoning\"}', ''), (1, 9, 0, NULL, 'h' || char(10) || '\"'),
                (1, 10, 1, NULL, 'Olá'), (2, 8, 0, NULL, 'two');",
        ] {
            old.execute_batch(step).expect("a step");
        }
        drop(old);
        let store = store(&Place::File(file));
        let read = store.read(|db| {
            both(db, &[(1, "h\n\"Olá"), (2, "two")]);
            let kinds = |text: &Text| text.layout().parts().iter().map(|part| part.kind).collect::<Vec<_>>();
            assert_eq!(kinds(&db.arrived(1)?), [PartKind::Reasoning, PartKind::Text]);
            assert_eq!(rows(db), 4);
            Ok(())
        });
        assert_eq!(read.await, Ok(()));
    }
}
