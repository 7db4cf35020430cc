-- Who did what is asked for by user.
CREATE INDEX audit_by_user ON audit (user COLLATE NOCASE, number);
