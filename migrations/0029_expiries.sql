-- Shops are told when a payment ran out. Nothing is booked by it, so what each chain has passed is remembered here, in the
-- order of all payments by their expiry. What had expired when a chain got its place is not told.

CREATE TABLE expiry_places (
    chain_id   bigint PRIMARY KEY,
    expires_at timestamptz NOT NULL,
    payment_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000'
);

CREATE INDEX payments_by_expiry ON payments (expires_at, payment_id);

COMMENT ON COLUMN outbox_events.record_seq IS 'of the record that it is about; 0: of none, and so is chain_id';
