-- Archives of results that are held, the oldest first. The token is what its URL cannot be guessed without.
CREATE TABLE result (
    seq       INTEGER PRIMARY KEY,
    execution TEXT NOT NULL UNIQUE,
    job       TEXT NOT NULL,
    token     BLOB NOT NULL,
    digest    TEXT NOT NULL,
    bytes     INTEGER NOT NULL,
    at        INTEGER NOT NULL
);
CREATE INDEX result_by_job ON result (job);
