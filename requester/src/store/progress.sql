-- How far the latest version has come over its fleet, as far as its executions do not tell; empty if there is
-- nothing to say.
ALTER TABLE job_state ADD COLUMN progress TEXT NOT NULL DEFAULT '';
