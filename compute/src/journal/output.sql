-- Output is kept by a rule of its own, also when its execution is forgotten. `at` is when that ended, in seconds since the
-- epoch; `dropped` is how many bytes there were, once they are gone.
CREATE TABLE output (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    id      TEXT NOT NULL UNIQUE,
    at      INTEGER NOT NULL,
    bytes   INTEGER NOT NULL,
    dropped INTEGER NOT NULL DEFAULT 0,
    content BLOB NOT NULL
);
CREATE INDEX output_kept ON output (seq, at, bytes) WHERE dropped = 0;
INSERT INTO output (id, at, bytes, content)
SELECT execution.id, unixepoch(), log.bytes, log.content
FROM log JOIN execution ON execution.seq = log.execution
ORDER BY log.execution;
DROP TABLE log;
