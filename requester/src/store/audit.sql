-- Who was to change what, from where, and how it ended. No status: it was not answered.
CREATE TABLE audit (
    number  INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    user    TEXT NOT NULL,
    method  TEXT NOT NULL,
    address TEXT NOT NULL,
    action  TEXT NOT NULL,
    path    TEXT NOT NULL,
    request TEXT NOT NULL,
    subject TEXT NOT NULL DEFAULT '',
    status  INTEGER
);
