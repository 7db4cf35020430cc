-- What a submission with a token was answered, so that repeating it gives the same answer.
CREATE TABLE submission (
    token   TEXT PRIMARY KEY,
    job     TEXT NOT NULL,
    version INTEGER NOT NULL,
    at      INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX submission_by_time ON submission (at);
