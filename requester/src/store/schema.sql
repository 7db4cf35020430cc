-- What was decided, as it stands now, and the history of how it came to stand so.
-- A job's document is written once per version and apart from its narrow, changing state. Random keys are indexed
-- only where they must be: each such index costs a page of its own per row.

CREATE TABLE log (only INTEGER PRIMARY KEY CHECK (only = 1), position INTEGER NOT NULL);
INSERT INTO log (only, position) VALUES (1, 0);

CREATE TABLE job (
    seq       INTEGER PRIMARY KEY,
    id        TEXT NOT NULL UNIQUE,
    namespace TEXT NOT NULL,
    name      TEXT NOT NULL,
    created   INTEGER NOT NULL
);
-- A job without a name is called by its id, and found by that.
CREATE UNIQUE INDEX job_by_name ON job (namespace, name) WHERE name <> id;

CREATE TABLE job_version (
    seq       INTEGER PRIMARY KEY,
    job       INTEGER NOT NULL,
    version   INTEGER NOT NULL,
    submitted INTEGER NOT NULL,
    spec      TEXT NOT NULL,
    UNIQUE (job, version)
);

CREATE TABLE job_state (
    job      INTEGER PRIMARY KEY,
    version  INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    state    INTEGER NOT NULL,
    message  TEXT NOT NULL,
    modified INTEGER NOT NULL
);
CREATE INDEX job_by_state ON job_state (state, job);

CREATE TABLE execution (
    seq       INTEGER PRIMARY KEY,
    id        TEXT NOT NULL,
    job       INTEGER NOT NULL,
    version   INTEGER NOT NULL,
    node      TEXT NOT NULL,
    partition INTEGER NOT NULL,
    attempt   INTEGER NOT NULL,
    created   INTEGER NOT NULL,
    UNIQUE (job, id)
);

CREATE TABLE execution_state (
    execution INTEGER PRIMARY KEY,
    revision  INTEGER NOT NULL,
    state     TEXT NOT NULL,
    modified  INTEGER NOT NULL
);

CREATE TABLE history (
    position INTEGER PRIMARY KEY,
    job      INTEGER NOT NULL,
    number   INTEGER NOT NULL,
    entry    TEXT NOT NULL
);
CREATE UNIQUE INDEX history_by_job ON history (job, number);

CREATE TABLE node (
    id   TEXT PRIMARY KEY,
    node TEXT NOT NULL
) WITHOUT ROWID;
