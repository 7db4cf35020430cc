-- Outcomes of guests that are done, as long as their results are on their way; the outcome is reported when those have
-- arrived.
CREATE TABLE held (execution TEXT PRIMARY KEY, parcel TEXT NOT NULL, state TEXT NOT NULL) WITHOUT ROWID;
