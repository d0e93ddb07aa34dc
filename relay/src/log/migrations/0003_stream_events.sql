-- Events of provider streams as they came, for debugging: none, unless the operator asks for some. Only the newest are kept.
CREATE TABLE stream_events (
    seq INTEGER PRIMARY KEY,
    message INTEGER NOT NULL REFERENCES messages (seq) ON DELETE CASCADE,
    epoch INTEGER NOT NULL,
    at INTEGER NOT NULL,            -- when it was stored
    name TEXT NOT NULL,             -- its `event:` line
    data TEXT NOT NULL,             -- its `data:` lines, cut where they are very long
    bytes INTEGER NOT NULL          -- as long as `data` was
) STRICT;

CREATE INDEX stream_events_of_message ON stream_events (message, seq);
