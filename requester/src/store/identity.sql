-- Who may join as a node, and who has. Of a token only the hash is here; one that was revoked stays, so that it is
-- known to have been one.
CREATE TABLE join_token (
    id      TEXT PRIMARY KEY,
    hash    BLOB NOT NULL,
    note    TEXT NOT NULL,
    made    INTEGER NOT NULL,
    expires INTEGER,
    uses    INTEGER,
    used    INTEGER NOT NULL,
    revoked INTEGER NOT NULL
) WITHOUT ROWID;

-- A node by the key it joined with, and the fingerprints of the certificates that speak for it: the newest, and the one
-- before (or nothing). Standing: 1 admitted, 2 rejected, 3 removed. The revision grows with every change.
CREATE TABLE node_identity (
    node        TEXT PRIMARY KEY,
    public_key  BLOB NOT NULL,
    certificate TEXT NOT NULL,
    before      TEXT NOT NULL,
    standing    INTEGER NOT NULL,
    revision    INTEGER NOT NULL
) WITHOUT ROWID;
