//! The store: one thread that owns the database. It commits what has come in meanwhile as one transaction, and only then are
//! the changes shown to readers, by the same thread and in the same order.
//!
//! What comes after a silence is committed at once. A file is written no more than a thousand times a second: what comes sooner
//! goes with the next commit, and so does all that came with it. So many runs cost one commit, and a run that is faster than
//! anyone reads costs its readers fewer frames. Nothing waits longer than for [`BREATH`].

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::Refused;
use super::live::Db;

/// Jobs that may wait. Whoever comes when it is full, waits.
const JOBS: usize = 1024;
/// Changes in one transaction.
const MAX_BATCH: usize = 512;
/// From the start of one commit to a file to the next.
const BREATH: Duration = Duration::from_millis(1);
/// How long a relay that is just ending may still hold the file.
const BUSY: Duration = Duration::from_secs(3);

/// Each step once, in order; `user_version` counts those that were taken. A step that was released is never edited.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_conversations.sql"),
    include_str!("migrations/0002_provider_state.sql"),
    include_str!("migrations/0003_stream_events.sql"),
    include_str!("migrations/0004_arrived.sql"),
];

/// Why the store can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the store {path} can't be opened: {error}")]
    Sqlite { path: String, error: rusqlite::Error },
    #[error("the store {0} is in use by another relay; give each its own with --store")]
    InUse(String),
    #[error("the folder of the store {path} can't be made: {error}")]
    Folder { path: String, error: std::io::Error },
    #[error("the store {path} was written by a newer relay (version {found}, this one knows {known})")]
    Newer { path: String, found: i64, known: i64 },
}

/// Where the log is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Place {
    /// As long as the process lasts.
    #[default]
    Memory,
    File(PathBuf),
}

/// Shows a change to readers, if it was committed, and answers whoever asked for it.
type Settle = Box<dyn FnOnce(bool) + Send>;
type Change = Box<dyn FnOnce(&Db) -> Settle + Send>;

enum Job {
    Write(Change),
    Read(Box<dyn FnOnce(&Db) + Send>),
}

/// A change that is on its way into the store.
pub struct HandedIn<T>(oneshot::Receiver<Result<T, Refused>>);

impl<T> HandedIn<T> {
    /// It was stored and shown, or why not.
    pub async fn settled(self) -> Result<T, Refused> {
        self.0.await.unwrap_or(Err(Refused::NotStored))
    }
}

#[derive(Clone)]
pub struct Store {
    jobs: mpsc::Sender<Job>,
    #[cfg(test)]
    commits: Arc<AtomicU64>,
}

impl Store {
    /// Opens the database, brings it up to date, and starts its thread. The thread ends when the last handle is gone.
    pub fn open(place: &Place, first: impl FnOnce(&Db) -> rusqlite::Result<()>) -> Result<Self, OpenError> {
        let path = match place {
            Place::Memory => ":memory:".to_owned(),
            Place::File(path) => path.display().to_string(),
        };
        let sqlite = |error: rusqlite::Error| match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::InUse(path.clone()),
            _ => OpenError::Sqlite { path: path.clone(), error },
        };
        let mut connection = match place {
            Place::Memory => Connection::open_in_memory(),
            Place::File(file) => {
                let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
                folder
                    .map_or(Ok(()), private_folder)
                    .map_err(|error| OpenError::Folder { path: path.clone(), error })?;
                Connection::open(file)
            }
        }
        .map_err(sqlite)?;
        prepare(&connection).map_err(sqlite)?;
        let found = migrate(&mut connection).map_err(sqlite)?;
        let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        if found > known {
            return Err(OpenError::Newer { path, found, known });
        }
        let db = Db::new(connection);
        first(&db).map_err(sqlite)?;
        // The first write takes the lock, also where `first` had nothing to do.
        db.execute_batch("BEGIN IMMEDIATE; COMMIT").map_err(sqlite)?;

        // A commit to memory costs nothing that is worth a wait.
        let breath = if *place == Place::Memory { Duration::ZERO } else { BREATH };
        let (jobs, waiting) = mpsc::channel(JOBS);
        let commits = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&commits);
        let named = std::thread::Builder::new().name("riacho-store".to_owned());
        named
            .spawn(move || work(&db, waiting, breath, &counted))
            .map_err(|error| OpenError::Folder { path, error })?;
        Ok(Self {
            jobs,
            #[cfg(test)]
            commits,
        })
    }

    /// Jobs that wait.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.jobs.max_capacity() - self.jobs.capacity()
    }

    /// Transactions so far.
    #[cfg(test)]
    fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Makes a change: `change` runs inside a transaction with whatever else came, `show` after that is committed.
    /// What `change` refuses is undone, and touches nobody else.
    pub async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Db) -> Result<T, Refused> + Send + 'static,
        show: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, Refused> {
        self.add(move |db| in_savepoint(db, change), show).await
    }

    /// Makes a change, as [`hand_in`](Self::hand_in) does, and waits for what comes of it.
    async fn add<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Db) -> Result<T, Refused> + Send + 'static,
        show: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, Refused> {
        self.hand_in(change, show).await?.settled().await
    }

    /// Takes in a change that refuses before it has changed anything: nothing has to be undone for it alone, which would cost more than
    /// the change itself. Whoever hands it in need not wait until it is stored: what is shown is shown then, whoever waits.
    pub async fn hand_in<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Db) -> Result<T, Refused> + Send + 'static,
        show: impl FnOnce(&T) + Send + 'static,
    ) -> Result<HandedIn<T>, Refused> {
        let (answer, answered) = oneshot::channel();
        let write = move |db: &Db| -> Settle {
            let changed = change(db);
            Box::new(move |committed| {
                let result = if committed { changed } else { changed.and(Err(Refused::NotStored)) };
                if let Ok(changed) = &result {
                    show(changed);
                }
                let _ = answer.send(result);
            })
        };
        self.jobs.send(Job::Write(Box::new(write))).await.map_err(|_| Refused::NotStored)?;
        Ok(HandedIn(answered))
    }

    /// Reads, between two transactions. What it sees is what was shown.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Db) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        let (answer, answered) = oneshot::channel();
        let read = move |db: &Db| {
            let _ = answer.send(read(db));
        };
        self.jobs.send(Job::Read(Box::new(read))).await.map_err(|_| Refused::NotStored)?;
        answered.await.unwrap_or(Err(Refused::NotStored))
    }
}

/// One change of several: all of it, or nothing.
fn in_savepoint<T>(db: &Db, change: impl FnOnce(&Db) -> Result<T, Refused>) -> Result<T, Refused> {
    // What was appended before is none of this change, which may have to see it.
    db.seal()?;
    db.mark();
    control(db, "SAVEPOINT one")?;
    let changed = change(db);
    if changed.is_err() {
        db.undone();
        control(db, "ROLLBACK TO one")?;
    }
    control(db, "RELEASE one")?;
    changed
}

/// A statement about transactions. It is parsed once, and not for each of them.
fn control(connection: &Connection, statement: &'static str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(|_| ())
}

fn work(db: &Db, mut waiting: mpsc::Receiver<Job>, breath: Duration, commits: &AtomicU64) {
    let mut next = waiting.blocking_recv();
    let mut last: Option<Instant> = None;
    while let Some(job) = next.take() {
        match job {
            Job::Read(read) => read(db),
            Job::Write(write) => {
                let left = last.map(|last| breath.saturating_sub(last.elapsed()));
                if let Some(left) = left.filter(|left| !left.is_zero()) {
                    std::thread::sleep(left);
                }
                last = Some(Instant::now());
                next = batch(db, write, &mut waiting, commits);
            }
        }
        next = next.or_else(|| waiting.blocking_recv());
    }
    tracing::debug!(transactions = commits.load(Ordering::Relaxed), "the store is closed");
}

/// One transaction, with all the changes that are waiting. Gives back the job that ended it, if one did.
fn batch(db: &Db, first: Change, waiting: &mut mpsc::Receiver<Job>, commits: &AtomicU64) -> Option<Job> {
    let mut settled: Vec<Settle> = Vec::new();
    let mut next = None;
    let committed = control(db, "BEGIN IMMEDIATE").map_err(Refused::from).and_then(|()| {
        settled.push(first(db));
        // An error may have undone the transaction: what came behind it would be stored alone.
        while settled.len() < MAX_BATCH && !db.is_autocommit() {
            match waiting.try_recv() {
                Ok(Job::Write(write)) => settled.push(write(db)),
                Ok(read) => {
                    next = Some(read);
                    break;
                }
                Err(_) => break,
            }
        }
        if db.is_autocommit() {
            return Err(Refused::NotStored);
        }
        db.seal()?;
        Ok(control(db, "COMMIT")?)
    });
    // Who asked first is told of a transaction that did not begin, since its answer is dropped.
    if committed.is_err() {
        db.forget();
        if !db.is_autocommit() {
            let _ = control(db, "ROLLBACK");
        }
    }
    commits.fetch_add(1, Ordering::Relaxed);
    settled.into_iter().for_each(|settle| settle(committed.is_ok()));
    next
}

/// What was said is nobody else's business on a shared machine.
fn private_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    // One relay at a time: another would end the runs of this one, taking them for left over.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.set_prepared_statement_cache_capacity(64);
    // In WAL mode a commit is safe from a killed process at once; `NORMAL` leaves the disk its own time, so that only a power cut can
    // take the last commits.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)
}

/// Takes the steps that are missing. Gives the version that was found.
fn migrate(connection: &mut Connection) -> rusqlite::Result<i64> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for (version, step) in (1_i64..).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(connection: &Db) -> Result<i64, Refused> {
        Ok(connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0))?)
    }

    fn table(connection: &Db) -> rusqlite::Result<()> {
        connection.execute_batch("CREATE TABLE t (n INTEGER)")
    }

    #[tokio::test]
    async fn what_comes_meanwhile_is_one_transaction() {
        let store = Store::open(&Place::Memory, table).expect("a store");
        // While this reads, the others gather.
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let slow = store.read(move |_| {
            let _ = wait.recv();
            Ok(())
        });
        let writes = futures_util::future::join_all((0..100).map(|n| {
            store.write(move |connection| Ok(connection.execute("INSERT INTO t VALUES (?1)", [n])?), |_| {})
        }));
        let release = async {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            drop(go);
        };
        let (_, written, ()) = tokio::join!(slow, writes, release);
        assert!(written.iter().all(|result| *result == Ok(1)));
        assert_eq!(store.read(count).await, Ok(100));
        assert_eq!(store.commits(), 1);
    }

    #[tokio::test]
    async fn what_is_refused_is_undone_alone() {
        let store = Store::open(&Place::Memory, table).expect("a store");
        let bad = store.write(
            |connection| {
                connection.execute("INSERT INTO t VALUES (1)", [])?;
                Err::<(), Refused>(Refused::IdTaken)
            },
            |()| panic!("it was not stored"),
        );
        let good = store.write(|connection| Ok(connection.execute("INSERT INTO t VALUES (2)", [])?), |_| {});
        let (bad, good) = tokio::join!(bad, good);
        assert_eq!((bad, good), (Err(Refused::IdTaken), Ok(1)));
        assert_eq!(store.read(count).await, Ok(1));
    }

    #[test]
    fn a_store_of_a_newer_relay_is_left_alone() {
        let file = std::env::temp_dir().join(format!("riacho-newer-{}.db", std::process::id()));
        Connection::open(&file).and_then(|db| db.pragma_update(None, "user_version", 999)).expect("a file");
        let opened = Store::open(&Place::File(file.clone()), |_| Ok(()));
        assert!(matches!(opened, Err(OpenError::Newer { found: 999, .. })));
        std::fs::remove_file(file).expect("removed");
    }
}
