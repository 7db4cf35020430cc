-- How a version of a job stood when a later one took its place. Null: it is the latest, or was replaced before this was kept.
ALTER TABLE job_version ADD COLUMN state INTEGER;
ALTER TABLE job_version ADD COLUMN message TEXT;
ALTER TABLE job_version ADD COLUMN revision INTEGER;
