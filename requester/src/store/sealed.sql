-- What clients sealed for nodes themselves: envelopes as JSON, an empty list once they were removed. Null: locked, or stored.
ALTER TABLE secret_grant ADD COLUMN sealed TEXT;
