//! The statements: what each change and each question of the log means in the database. No memory, no locks, no readers.

use std::collections::HashMap;

use riacho_protocol::{
    ConversationId, ConversationInfo, ConversationStatus, InterruptReason, MessageId, Role, Status, Usage,
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;

use super::columns::{Metadata, conversation_id, from_json, json, message_id, number, parent, role, status};
use super::live::{Db, live};
use super::text::{Layout, Text};
use super::{
    AnswerBy, Arrived, Ending, Kept, LeftOver, NewTurn, Piece, Refused, Run, Said, Terminal, User, one_line,
    stream_events,
};

/// The title of a conversation that nobody named: so much of its first message.
const DEFAULT_TITLE_CHARS: usize = 60;

/// A message as it is stored, with the text of those that live.
pub struct Stored {
    pub id: MessageId,
    pub role: Role,
    pub parent_id: Option<MessageId>,
    pub answer: Option<AnswerBy>,
    pub epoch: u32,
    pub status: Status,
    pub length: u64,
    pub layout: Layout,
    pub terminal: Option<Terminal>,
    pub text: Option<Text>,
}

/// A turn that was added, or was there before.
pub enum TurnStored {
    /// With the parent it got.
    New(Option<MessageId>),
    Again,
}

/// The owner of a conversation, if it exists.
pub fn owner(db: &Connection, id: &ConversationId) -> Result<Option<User>, Refused> {
    let mut statement = db.prepare_cached("SELECT owner FROM conversations WHERE id = ?1")?;
    Ok(statement.query_row([id.as_str()], |row| row.get(0)).optional()?.map(User))
}

/// The current epoch of a message, and its status.
pub fn newest(db: &Connection, id: &MessageId) -> Result<(u32, Status), Refused> {
    let mut statement = db.prepare_cached("SELECT epoch, streaming_status FROM messages WHERE id = ?1")?;
    let found = statement.query_row([id.as_str()], |row| Ok((row.get(0)?, status(row, 1)?))).optional()?;
    found.ok_or(Refused::UnknownMessage)
}

/// Where a message is.
pub fn place(db: &Connection, id: &MessageId) -> Result<ConversationId, Refused> {
    let mut statement = db.prepare_cached("SELECT conversation_id FROM messages WHERE id = ?1")?;
    let found = statement.query_row([id.as_str()], |row| conversation_id(row, 0)).optional()?;
    found.ok_or(Refused::UnknownMessage)
}

pub fn add_turn(db: &Connection, owner: &User, turn: &NewTurn, now: u64) -> Result<TurnStored, Refused> {
    if turn.message_id == turn.reply_id {
        return Err(Refused::IdTaken);
    }
    let room = turn.conversation_id.as_str();
    let known = |id: &MessageId| -> Result<Option<(String, String, Option<String>)>, Refused> {
        let mut statement =
            db.prepare_cached("SELECT conversation_id, role, parent_id FROM messages WHERE id = ?1")?;
        let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        Ok(statement.query_row([id.as_str()], row).optional()?)
    };
    match (known(&turn.message_id)?, known(&turn.reply_id)?) {
        (None, None) => {}
        (Some((said_in, role, _)), Some((reply_in, _, parent)))
            if said_in == room
                && reply_in == room
                && role == Role::User.as_str()
                && parent.as_deref() == Some(turn.message_id.as_str()) =>
        {
            return Ok(TurnStored::Again);
        }
        _ => return Err(Refused::IdTaken),
    }
    let status: Option<String> = db
        .prepare_cached("SELECT status FROM conversations WHERE id = ?1")?
        .query_row([room], |row| row.get(0))
        .optional()?;
    match status.as_deref() {
        Some("closed") => return Err(Refused::ConversationClosed),
        Some(_) => touch(db, &turn.conversation_id, now)?,
        None => {
            db.prepare_cached(
                "INSERT INTO conversations (id, owner, default_title, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?4)",
            )?
            .execute(params![room, owner.0, one_line(&turn.content, DEFAULT_TITLE_CHARS), number(now)])?;
        }
    }
    // Without a parent it follows the newest message.
    let parent_id = match &turn.parent_id {
        Some(parent) => match known(parent)? {
            Some((parent_in, ..)) if parent_in == room => Some(parent.clone()),
            _ => return Err(Refused::UnknownMessage),
        },
        None => db
            .prepare_cached("SELECT id FROM messages WHERE conversation_id = ?1 ORDER BY seq DESC LIMIT 1")?
            .query_row([room], |row| message_id(row, 0))
            .optional()?,
    };
    let mut text = Text::default();
    text.append(&Piece::Text { part: 0, text: turn.content.clone() });
    let terminal = Terminal { ending: Ending::Completed, ..Terminal::default() };
    db.prepare_cached(
        "INSERT INTO messages (id, conversation_id, role, parent_id, streaming_status, stream_metadata, content, created_at)
         VALUES (?1, ?2, 'user', ?3, 'completed', ?4, ?5, ?6)",
    )?
    .execute(params![
        turn.message_id.as_str(),
        room,
        parent_id.as_ref().map(MessageId::as_str),
        json(&Metadata::new(text.len(), text.layout().clone(), &terminal)),
        turn.content,
        number(now)
    ])?;
    db.prepare_cached(
        "INSERT INTO messages
             (id, conversation_id, role, parent_id, answer, provider_state, streaming_status, created_at)
         VALUES (?1, ?2, 'assistant', ?3, ?4, ?5, 'pending', ?6)",
    )?
    .execute(params![
        turn.reply_id.as_str(),
        room,
        turn.message_id.as_str(),
        json(&turn.answer),
        turn.state,
        number(now)
    ])?;
    Ok(TurnStored::New(parent_id))
}

fn touch(db: &Connection, id: &ConversationId, now: u64) -> Result<(), Refused> {
    db.prepare_cached("UPDATE conversations SET updated_at = max(updated_at, ?2) WHERE id = ?1")?
        .execute(params![id.as_str(), number(now)])?;
    Ok(())
}

/// Can anything be added to this run?
pub fn check_live(db: &Connection, id: &MessageId, epoch: u32) -> Result<(), Refused> {
    live(db, id, epoch).map(|_| ())
}

/// Appends, and notes in the same step where the run can be taken up again behind these pieces. Gives its row.
pub fn append(db: &Db, id: &MessageId, epoch: u32, arrived: &Arrived) -> Result<i64, Refused> {
    let message = db.append(id, epoch, &arrived.pieces)?;
    if let Some(state) = &arrived.state {
        db.prepare_cached("UPDATE messages SET provider_state = ?2 WHERE seq = ?1")?
            .execute(params![message, state])?;
    }
    Ok(message)
}

/// Folds the text, and writes how it ended. Gives whose it is.
pub fn finish(db: &Db, id: &MessageId, epoch: u32, terminal: &Terminal, now: u64) -> Result<User, Refused> {
    let message = live(db, id, epoch)?;
    fold(db, message, db.take(message)?, terminal)?;
    let conversation = place(db, id)?;
    touch(db, &conversation, now)?;
    owner(db, &conversation)?.ok_or(Refused::UnknownConversation)
}

fn fold(db: &Db, message: i64, text: Text, terminal: &Terminal) -> Result<(), Refused> {
    let length = text.len();
    let (content, layout) = text.into_inner();
    db.prepare_cached(
        "UPDATE messages SET streaming_status = ?2, stream_metadata = ?3, provider_state = NULL, content = ?4
         WHERE seq = ?1",
    )?
    .execute(params![
        message,
        terminal.ending.status().as_str(),
        json(&Metadata::new(length, layout, terminal)),
        content,
    ])?;
    db.folded(message)
}

/// The runs that lived when the relay went away, and can be taken up again.
pub fn left_over(db: &Db) -> Result<Vec<LeftOver>, Refused> {
    let mut statement = db.prepare(
        "SELECT seq, conversation_id, id, epoch, answer, provider_state FROM messages
         WHERE streaming_status IN ('pending', 'streaming') AND provider_state IS NOT NULL AND answer IS NOT NULL",
    )?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let Some(answer) = from_json(row, 4)? else { continue };
        let text = db.arrived(row.get(0)?)?;
        all.push(LeftOver {
            run: Run {
                conversation_id: conversation_id(row, 1)?,
                message_id: message_id(row, 2)?,
                epoch: row.get(3)?,
            },
            answer,
            state: row.get(5)?,
            parts: text.layout().parts().iter().map(|info| info.kind).collect(),
            length: text.len(),
        });
    }
    Ok(all)
}

/// Ends every run that lived when the relay went away, and that can't be taken up again. Gives their number.
pub fn interrupt_all(db: &Db) -> Result<usize, Refused> {
    let mut statement = db.prepare(
        "SELECT seq FROM messages WHERE streaming_status IN ('pending', 'streaming') AND provider_state IS NULL",
    )?;
    let messages = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
    for message in &messages {
        // What the provider would have reported is lost; what it sent is not.
        let text = db.arrived(*message)?;
        let usage =
            Usage { output_tokens: Some(text.len().div_ceil(4)), estimated: true, ..Usage::default() };
        let ending = Ending::Interrupted(InterruptReason::Restart);
        fold(db, *message, text, &Terminal { ending, usage, ..Terminal::default() })?;
    }
    Ok(messages.len())
}

/// The status of a run, if `epoch` is the current one.
pub fn current(db: &Connection, id: &MessageId, epoch: u32) -> Result<Status, Refused> {
    let mut statement = db.prepare_cached("SELECT epoch, streaming_status FROM messages WHERE id = ?1")?;
    let found =
        statement.query_row([id.as_str()], |row| Ok((row.get::<_, u32>(0)?, status(row, 1)?))).optional()?;
    match found {
        None => Err(Refused::UnknownMessage),
        Some((current, status)) if current == epoch => Ok(status),
        Some((current, _)) => Err(Refused::StaleEpoch { current }),
    }
}

pub fn next_epoch(db: &Connection, id: &MessageId, epoch: u32, now: u64) -> Result<(u32, AnswerBy), Refused> {
    if !current(db, id, epoch)?.is_terminal() {
        return Err(Refused::BadStatus("it has not ended; stop it before a retry"));
    }
    let room = place(db, id)?;
    let mut closed = db.prepare_cached("SELECT status = 'closed' FROM conversations WHERE id = ?1")?;
    if closed.query_row([room.as_str()], |row| row.get(0))? {
        return Err(Refused::ConversationClosed);
    }
    let mut statement = db.prepare_cached("SELECT seq, answer FROM messages WHERE id = ?1")?;
    let (message, answer) = statement
        .query_row([id.as_str()], |row| Ok((row.get::<_, i64>(0)?, from_json::<AnswerBy>(row, 1)?)))?;
    let answer = answer.ok_or(Refused::BadStatus("only an answer can be tried again"))?;
    db.prepare_cached(
        "INSERT INTO past_epochs SELECT seq, epoch, answer, streaming_status, stream_metadata, content
         FROM messages WHERE seq = ?1",
    )?
    .execute([message])?;
    let next = epoch.saturating_add(1);
    db.prepare_cached(
        "UPDATE messages SET epoch = ?2, streaming_status = 'pending', stream_metadata = NULL, content = NULL WHERE seq = ?1",
    )?
    .execute(params![message, next])?;
    touch(db, &room, now)?;
    Ok((next, answer))
}

/// Who gives an answer, when it is not the one who was asked first.
pub fn set_answer(db: &Connection, id: &MessageId, answer: &AnswerBy) -> Result<(), Refused> {
    db.prepare_cached("UPDATE messages SET answer = ?2, provider_state = NULL WHERE id = ?1")?
        .execute(params![id.as_str(), json(answer)])?;
    Ok(())
}

/// What was said on the way to an answer, oldest first.
pub fn path_to(db: &Db, answer: &MessageId, max_bytes: usize) -> Result<Vec<Said>, Refused> {
    let mut statement = db.prepare_cached("SELECT parent_id FROM messages WHERE id = ?1")?;
    let mut at: Option<String> =
        statement.query_row([answer.as_str()], |row| row.get(0)).optional()?.flatten();
    let mut statement = db.prepare_cached(
        "SELECT seq, role, parent_id, content, stream_metadata, answer FROM messages WHERE id = ?1",
    )?;
    let mut path = Vec::new();
    let mut bytes = 0_usize;
    // A parent was there before its child, so this ends.
    while let Some(id) = at.take().filter(|_| bytes <= max_bytes) {
        let row = statement.query_row([id], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                role(row, 1)?,
                row.get(2)?,
                row.get(3)?,
                from_json::<Metadata>(row, 4)?,
                from_json::<AnswerBy>(row, 5)?,
            ))
        });
        let Some((message, role, parent, content, metadata, answer)) = row.optional()? else { break };
        let content: Option<String> = content;
        let Metadata { layout, kept, .. } = metadata.unwrap_or_default();
        let text = match content {
            Some(content) => Text::new(content, layout),
            None => db.arrived(message)?,
        };
        let text = text.plain();
        bytes = bytes.saturating_add(text.len());
        let kept = answer.zip(kept).map(|(answer, id)| Kept { provider: answer.provider, id });
        path.push(Said { role, text, kept });
        at = parent;
    }
    path.reverse();
    Ok(path)
}

/// Names, closes or opens. `Some(None)` takes a name away.
pub fn update(
    db: &Connection,
    id: &ConversationId,
    title: Option<Option<String>>,
    status: Option<ConversationStatus>,
) -> Result<(), Refused> {
    if let Some(title) = title {
        db.prepare_cached("UPDATE conversations SET title = ?2 WHERE id = ?1")?
            .execute(params![id.as_str(), title])?;
    }
    if let Some(status) = status {
        let status = match status {
            ConversationStatus::Open => "open",
            ConversationStatus::Closed => "closed",
        };
        db.prepare_cached("UPDATE conversations SET status = ?2 WHERE id = ?1")?
            .execute(params![id.as_str(), status])?;
    }
    Ok(())
}

/// Deletes a conversation with all that was said in it.
pub fn delete(db: &Connection, id: &ConversationId) -> Result<(), Refused> {
    let mut live = db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM messages WHERE conversation_id = ?1 AND streaming_status IN ('pending', 'streaming'))",
    )?;
    if live.query_row([id.as_str()], |row| row.get(0))? {
        return Err(Refused::BadStatus("an answer is still coming there; stop it first"));
    }
    db.prepare_cached("DELETE FROM conversations WHERE id = ?1")?.execute([id.as_str()])?;
    Ok(())
}

/// A conversation as one JSON value, with the texts that retries have replaced.
pub fn export(db: &Db, id: &ConversationId) -> Result<Value, Refused> {
    let value = |row: &Row<'_>, column| from_json::<Value>(row, column).map(Option::unwrap_or_default);
    let mut past = db.prepare_cached(
        "SELECT epoch, answer, streaming_status, stream_metadata, content FROM past_epochs WHERE message = ?1 ORDER BY epoch",
    )?;
    let mut messages = Vec::new();
    let mut statement = db.prepare_cached(
        "SELECT seq, id, role, parent_id, created_at, epoch, answer, streaming_status, stream_metadata, content
         FROM messages WHERE conversation_id = ?1 ORDER BY seq",
    )?;
    let mut rows = statement.query([id.as_str()])?;
    while let Some(row) = rows.next()? {
        let seq: i64 = row.get(0)?;
        let content = match row.get::<_, Option<String>>(9)? {
            Some(content) => content,
            None => db.arrived(seq)?.content().to_owned(),
        };
        let past = past.query_map([seq], |row| {
            Ok(serde_json::json!({"epoch": row.get::<_, u32>(0)?, "answer": value(row, 1)?,
                "status": row.get::<_, String>(2)?, "metadata": value(row, 3)?, "content": row.get::<_, Option<String>>(4)?}))
        })?;
        let mut message = serde_json::json!({
            "message_id": row.get::<_, String>(1)?, "role": row.get::<_, String>(2)?,
            "parent_id": row.get::<_, Option<String>>(3)?, "created_at": row.get::<_, i64>(4)?,
            "epoch": row.get::<_, u32>(5)?, "answer": value(row, 6)?, "status": row.get::<_, String>(7)?,
            "metadata": value(row, 8)?, "content": content, "past_epochs": past.collect::<Result<Vec<_>, _>>()?,
        });
        let events = stream_events::of(db, seq)?;
        if let Some(fields) = message.as_object_mut().filter(|_| !events.is_empty()) {
            fields.insert("stream_events".to_owned(), Value::Array(events));
        }
        messages.push(message);
    }
    let mut statement = db.prepare_cached(
        "SELECT ifnull(title, default_title), status, created_at, updated_at FROM conversations WHERE id = ?1",
    )?;
    let found = statement.query_row([id.as_str()], |row| {
        Ok(serde_json::json!({"conversation_id": id, "title": row.get::<_, String>(0)?, "status": row.get::<_, String>(1)?,
            "created_at": row.get::<_, i64>(2)?, "updated_at": row.get::<_, i64>(3)?, "messages": messages}))
    });
    found.optional()?.ok_or(Refused::UnknownConversation)
}

/// The conversations of one user, the last used first.
pub fn list(db: &Connection, owner: &User, limit: usize) -> Result<Vec<ConversationInfo>, Refused> {
    let mut statement = db.prepare_cached(
        "SELECT id, ifnull(title, default_title), status, updated_at,
            EXISTS (SELECT 1 FROM messages WHERE conversation_id = conversations.id
                AND streaming_status IN ('pending', 'streaming'))
         FROM conversations WHERE owner = ?1 ORDER BY updated_at DESC, id DESC LIMIT ?2",
    )?;
    let rows = statement.query_map(params![owner.0, i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
        let closed = row.get_ref(2)?.as_str()? == "closed";
        Ok(ConversationInfo {
            conversation_id: conversation_id(row, 0)?,
            title: row.get(1)?,
            status: if closed { ConversationStatus::Closed } else { ConversationStatus::Open },
            updated_at: row.get::<_, i64>(3)?.unsigned_abs(),
            streaming: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The messages of one conversation, oldest first.
pub fn messages(db: &Db, id: &ConversationId) -> Result<Vec<Stored>, Refused> {
    let mut statement = db.prepare_cached(
        "SELECT seq, id, role, parent_id, answer, epoch, streaming_status, stream_metadata
         FROM messages WHERE conversation_id = ?1 ORDER BY seq",
    )?;
    let mut rows = statement.query([id.as_str()])?;
    let mut messages = Vec::new();
    while let Some(row) = rows.next()? {
        let status = status(row, 6)?;
        let metadata: Metadata = from_json(row, 7)?.unwrap_or_default();
        let text = if status.is_terminal() { None } else { Some(db.arrived(row.get(0)?)?) };
        messages.push(Stored {
            id: message_id(row, 1)?,
            role: role(row, 2)?,
            parent_id: parent(row, 3)?,
            answer: from_json(row, 4)?,
            epoch: row.get(5)?,
            status,
            length: text.as_ref().map_or(metadata.length, Text::len),
            layout: text.as_ref().map_or(metadata.layout.clone(), |text| text.layout().clone()),
            terminal: metadata.terminal(status),
            text,
        });
    }
    Ok(messages)
}

/// The folded texts of some messages.
pub fn texts(db: &Connection, ids: &[MessageId]) -> Result<HashMap<MessageId, (u32, String)>, Refused> {
    let mut statement =
        db.prepare_cached("SELECT epoch, content FROM messages WHERE id = ?1 AND content IS NOT NULL")?;
    let mut texts = HashMap::new();
    for id in ids {
        let found = statement.query_row([id.as_str()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        if let Some(text) = found {
            texts.insert(id.clone(), text);
        }
    }
    Ok(texts)
}
