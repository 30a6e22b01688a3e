-- Of a request whose answer is not written with its work: what it made, so that the answer can be told later. Its
-- status is 0 until then.

ALTER TABLE idempotency_keys
    ADD COLUMN subject text NOT NULL DEFAULT '',
    DROP CONSTRAINT idempotency_keys_status_check,
    ADD CONSTRAINT idempotency_keys_status_check CHECK (status = 0 OR status BETWEEN 200 AND 299);
