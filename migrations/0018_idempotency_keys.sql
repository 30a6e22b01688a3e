-- What was answered to a request that a shop gave a key of its own (Idempotency-Key). The row is written in the
-- transaction of what the request did, so that neither is ever there without the other, and is forgotten after 30 days.

CREATE TABLE idempotency_keys (
    merchant_id  uuid NOT NULL,
    key          text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request_hash bytea NOT NULL CHECK (octet_length(request_hash) = 32),
    status       smallint NOT NULL CHECK (status BETWEEN 200 AND 299),
    location     text NOT NULL,  -- empty: none
    answer       text NOT NULL,  -- the body, byte for byte
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, key)
);
-- Rows stand in the order in which they were written.
CREATE INDEX idempotency_keys_by_time ON idempotency_keys USING brin (created_at);
