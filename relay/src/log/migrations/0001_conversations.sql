-- Conversations, their messages, and the text that is still coming.

CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    title TEXT,                     -- as someone named it
    default_title TEXT NOT NULL,    -- the first line of its first message
    status TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed')),
    created_at INTEGER NOT NULL,    -- milliseconds since 1970, as all times here
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX conversations_by_use ON conversations (owner, updated_at DESC);

CREATE TABLE messages (
    seq INTEGER PRIMARY KEY,        -- the order in which they started
    id TEXT NOT NULL UNIQUE,
    conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
    parent_id TEXT,
    answer TEXT,                    -- of an answer: provider, model and options, as JSON
    epoch INTEGER NOT NULL DEFAULT 0,
    streaming_status TEXT NOT NULL
        CHECK (streaming_status IN ('pending', 'streaming', 'completed', 'interrupted', 'error')),
    stream_metadata TEXT,           -- once it has ended: parts, usage, metrics, how it ended, as JSON
    content TEXT,                   -- once it has ended; until then its text is in chunks
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX messages_of_conversation ON messages (conversation_id, seq);
CREATE INDEX messages_live ON messages (conversation_id) WHERE streaming_status IN ('pending', 'streaming');

-- What has arrived of a live message. A row is written once and never changed; all go when the text is folded.
CREATE TABLE chunks (
    message INTEGER NOT NULL REFERENCES messages (seq) ON DELETE CASCADE,
    n INTEGER NOT NULL,
    part INTEGER,                   -- of a piece of text
    info TEXT,                      -- of a part that begins: kind, id and name, as JSON
    content TEXT NOT NULL,
    PRIMARY KEY (message, n)
) STRICT, WITHOUT ROWID;

-- The texts that a retry has replaced: who wrote what stays on record.
CREATE TABLE past_epochs (
    message INTEGER NOT NULL REFERENCES messages (seq) ON DELETE CASCADE,
    epoch INTEGER NOT NULL,
    answer TEXT,
    streaming_status TEXT NOT NULL,
    stream_metadata TEXT,
    content TEXT,
    PRIMARY KEY (message, epoch)
) STRICT, WITHOUT ROWID;
