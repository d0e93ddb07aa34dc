-- What has arrived of live messages: a row a commit, with the pieces of all messages in it, so that a commit writes one page and not one
-- for each message. A line a piece: [message, epoch, part, info, text] as JSON; `part` of a piece of text, `info` of a part that begins.
-- A row goes when the last message that has a piece there has ended.
CREATE TABLE arrived (
    n INTEGER PRIMARY KEY,
    pieces TEXT NOT NULL
) STRICT;

INSERT INTO arrived (pieces)
    SELECT json_array(chunks.message, messages.epoch, chunks.part, json(chunks.info), chunks.content)
    FROM chunks JOIN messages ON messages.seq = chunks.message ORDER BY chunks.message, chunks.n;

DROP TABLE chunks;
