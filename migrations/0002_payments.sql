-- What shops asked for. Never updated by a stage: a payment's status is computed from the records.

CREATE TABLE payments (
    merchant_id      uuid NOT NULL REFERENCES merchants,
    payment_id       uuid NOT NULL,
    derivation_index bigint NOT NULL,
    deposit_address  bytea NOT NULL CHECK (octet_length(deposit_address) = 20),
    currency         text NOT NULL,
    price            numeric(39,0) NOT NULL CHECK (price > 0),  -- minor units
    -- [{"chain_id", "token", "amount", "tolerance"}]: the locked price in each token
    options          jsonb NOT NULL,
    reference        text NOT NULL DEFAULT '',
    description      text NOT NULL DEFAULT '',
    metadata         jsonb NOT NULL DEFAULT '{}',
    success_url      text NOT NULL DEFAULT '',
    created_at       timestamptz NOT NULL,
    expires_at       timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, payment_id),
    -- One index, one address, one payment.
    UNIQUE (merchant_id, derivation_index)
);
-- The checkout page knows the payment alone. Ids rise with time, so the index grows at its end.
CREATE INDEX payments_by_id ON payments (payment_id);
-- A transfer knows the address alone.
CREATE INDEX payments_by_address ON payments (deposit_address);
