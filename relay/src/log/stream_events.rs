//! Events of provider streams as they came, for whoever debugs a provider. Only the newest are kept, and they go with their
//! conversation.

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::StreamEvent;

/// So much of one event is kept. Images come whole in one.
const MAX_DATA: usize = 64 * 1024;

/// Adds what came of one run.
pub fn add(
    db: &Connection,
    message: i64,
    epoch: u32,
    events: &[StreamEvent],
    now: u64,
) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO stream_events (message, epoch, at, name, data, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for StreamEvent { name, data } in events {
        let kept = data.get(..data.floor_char_boundary(MAX_DATA)).unwrap_or_default();
        let (now, bytes) =
            (i64::try_from(now).unwrap_or(i64::MAX), i64::try_from(data.len()).unwrap_or(i64::MAX));
        insert.execute(params![message, epoch, now, name, kept, bytes])?;
    }
    Ok(())
}

/// Leaves so many, the newest.
pub fn keep(db: &Connection, newest: usize) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM stream_events WHERE seq <= (SELECT max(seq) FROM stream_events) - ?1")?
        .execute([i64::try_from(newest).unwrap_or(i64::MAX)])?;
    Ok(())
}

/// What is kept of one message, for its export.
pub fn of(db: &Connection, message: i64) -> rusqlite::Result<Vec<Value>> {
    let mut statement = db.prepare_cached(
        "SELECT epoch, at, name, data, bytes FROM stream_events WHERE message = ?1 ORDER BY seq",
    )?;
    let rows = statement.query_map([message], |row| {
        Ok(json!({"epoch": row.get::<_, u32>(0)?, "at": row.get::<_, i64>(1)?, "name": row.get::<_, String>(2)?,
            "data": row.get::<_, String>(3)?, "bytes": row.get::<_, i64>(4)?}))
    })?;
    rows.collect()
}
