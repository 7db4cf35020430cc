-- Lists of jobs by namespace, time of change and label, none of which reads more than it shows.
CREATE INDEX job_by_namespace ON job (namespace);
CREATE INDEX job_by_change ON job_state (modified);

-- Labels of each job's latest version.
CREATE TABLE job_label (
    key   TEXT NOT NULL,
    value TEXT NOT NULL,
    job   INTEGER NOT NULL,
    PRIMARY KEY (key, value, job)
) WITHOUT ROWID;
CREATE INDEX job_label_by_job ON job_label (job, key);
INSERT INTO job_label (key, value, job)
SELECT label.key, label.value, state.job
FROM job_state state
JOIN job_version version ON version.job = state.job AND version.version = state.version,
     json_each(version.spec, '$.Labels') label;

-- The last position whose history entry was removed together with its job; 0 if none was.
ALTER TABLE log ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;

-- What housekeeping may remove, in the order it does. 3 is the largest number of a state that is not an end.
CREATE INDEX job_ended ON job_state (modified) WHERE state > 3;
