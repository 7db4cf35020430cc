-- Secrets of namespaces. Nothing here tells a value without the key file.
CREATE TABLE secret (
    namespace   TEXT NOT NULL,
    name        TEXT NOT NULL,
    version     INTEGER NOT NULL,
    locked      BLOB NOT NULL,
    fingerprint TEXT NOT NULL,
    scope       TEXT NOT NULL,
    created     INTEGER NOT NULL,
    modified    INTEGER NOT NULL,
    PRIMARY KEY (namespace, name)
) WITHOUT ROWID;

-- Which version of which job may have which secret. What was given with the version is here, until it has ended.
CREATE TABLE secret_grant (
    job         TEXT NOT NULL,
    version     INTEGER NOT NULL,
    name        TEXT NOT NULL,
    given       INTEGER NOT NULL,
    locked      BLOB,
    fingerprint TEXT NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (job, version, name)
) WITHOUT ROWID;
