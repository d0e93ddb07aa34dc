//! How values stand in the columns of the database, and are read from there.

use riacho_protocol::{ConversationId, Failure, InterruptReason, MessageId, Metrics, Role, Status, Usage};
use rusqlite::Row;
use rusqlite::types::{Type, ValueRef};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::text::Layout;
use super::{Ending, Terminal};

/// `stream_metadata`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Metadata {
    pub length: u64,
    pub layout: Layout,
    pub usage: Usage,
    pub metrics: Metrics,
    /// Of an answer that its provider keeps: what it is called there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<InterruptReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
}

impl Metadata {
    pub fn new(length: u64, layout: Layout, terminal: &Terminal) -> Self {
        let (reason, error) = match &terminal.ending {
            Ending::Completed => (None, None),
            Ending::Interrupted(reason) => (Some(*reason), None),
            Ending::Failed(failure) => (None, Some(failure.clone())),
        };
        Self {
            length,
            layout,
            usage: terminal.usage,
            metrics: terminal.metrics.clone(),
            kept: terminal.kept.clone(),
            reason,
            error,
        }
    }

    pub fn terminal(self, status: Status) -> Option<Terminal> {
        let ending = match (status, self.reason, self.error) {
            (Status::Pending | Status::Streaming, ..) => return None,
            (Status::Interrupted, reason, _) => {
                Ending::Interrupted(reason.unwrap_or(InterruptReason::Restart))
            }
            (Status::Error, _, Some(failure)) => Ending::Failed(failure),
            (Status::Completed | Status::Error, ..) => Ending::Completed,
        };
        Some(Terminal { ending, usage: self.usage, metrics: self.metrics, kept: self.kept })
    }
}

pub fn json(value: &impl Serialize) -> String {
    // Plain data: this can't fail.
    serde_json::to_string(value).unwrap_or_default()
}

pub fn bad_column(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}

pub fn from_json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    let text = row.get_ref(column)?.as_str_or_null()?;
    text.map(|text| serde_json::from_str(text).map_err(|error| bad_column(column, error))).transpose()
}

pub fn message_id(row: &Row<'_>, column: usize) -> rusqlite::Result<MessageId> {
    MessageId::new(row.get_ref(column)?.as_str()?).map_err(|error| bad_column(column, error))
}

pub fn parent(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<MessageId>> {
    let absent = row.get_ref(column)? == ValueRef::Null;
    if absent { Ok(None) } else { message_id(row, column).map(Some) }
}

pub fn conversation_id(row: &Row<'_>, column: usize) -> rusqlite::Result<ConversationId> {
    ConversationId::new(row.get_ref(column)?.as_str()?).map_err(|error| bad_column(column, error))
}

pub fn role(row: &Row<'_>, column: usize) -> rusqlite::Result<Role> {
    // The table's own CHECK allows nothing else.
    Ok(if row.get_ref(column)?.as_str()? == Role::User.as_str() { Role::User } else { Role::Assistant })
}

pub fn status(row: &Row<'_>, column: usize) -> rusqlite::Result<Status> {
    let text = row.get_ref(column)?.as_str()?;
    let all = [Status::Pending, Status::Streaming, Status::Completed, Status::Interrupted, Status::Error];
    Ok(all.into_iter().find(|status| status.as_str() == text).unwrap_or(Status::Error))
}

pub fn number(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}
