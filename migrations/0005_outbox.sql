-- What shops are told: one row for each state change, written in the same transaction. `payload` is
-- sent byte for byte on every attempt.

CREATE TABLE outbox_events (
    merchant_id     uuid NOT NULL REFERENCES merchants,
    event_id        uuid NOT NULL,
    payment_id      uuid NOT NULL,
    type            text NOT NULL,
    payload         text NOT NULL,
    created_at      timestamptz NOT NULL,
    attempts        smallint NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,  -- null: delivered, given up, or nobody to tell
    delivered_at    timestamptz,
    PRIMARY KEY (merchant_id, event_id)
);
CREATE INDEX outbox_events_due ON outbox_events (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX outbox_events_by_payment ON outbox_events (merchant_id, payment_id);

CREATE TABLE webhook_attempts (
    merchant_id  uuid NOT NULL,
    event_id     uuid NOT NULL,
    attempt      smallint NOT NULL,
    attempted_at timestamptz NOT NULL,
    status       smallint NOT NULL,  -- of the answer; 0: none came
    error        text NOT NULL DEFAULT '',
    PRIMARY KEY (merchant_id, event_id, attempt),
    FOREIGN KEY (merchant_id, event_id) REFERENCES outbox_events
);
