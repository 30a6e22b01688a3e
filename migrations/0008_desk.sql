-- The exceptions desk: what is decided about money that belongs to no payment (docs/ledger.md).

-- A book like the others of 0004.
CREATE TABLE resolutions (
    merchant_id       uuid NOT NULL,
    chain_id          bigint NOT NULL,
    seq               bigint NOT NULL CHECK (seq > 0),
    previous_hash     bytea NOT NULL CHECK (octet_length(previous_hash) = 32),
    hash              bytea NOT NULL CHECK (octet_length(hash) = 32),
    booked_at         timestamptz NOT NULL,
    payment_id        uuid NOT NULL,    -- at whose address the money came in
    exception_seq     bigint NOT NULL,  -- the unapplied receipt, clearing or withdrawal
    exception_hash    bytea NOT NULL CHECK (octet_length(exception_hash) = 32),
    token             bytea NOT NULL CHECK (octet_length(token) = 20),
    kind              text NOT NULL CHECK (kind IN ('accept', 'credit', 'write_off', 'refund')),
    target_payment_id uuid NOT NULL,    -- the payment that it pays
    fee_basis_points  integer NOT NULL,
    amount            numeric(39,0) NOT NULL CHECK (amount > 0),
    fee               numeric(39,0) NOT NULL CHECK (fee BETWEEN 0 AND amount),
    decided_by        text NOT NULL CHECK (decided_by <> ''),  -- the id of an operator or an API key
    approved_by       text NOT NULL DEFAULT '',  -- empty: one was enough
    reason_hash       bytea NOT NULL CHECK (octet_length(reason_hash) = 32),
    PRIMARY KEY (merchant_id, chain_id, seq),
    FOREIGN KEY (merchant_id, payment_id) REFERENCES payments,
    FOREIGN KEY (merchant_id, target_payment_id) REFERENCES payments,
    CHECK (seq > exception_seq),
    CHECK (kind IN ('accept', 'credit') OR fee = 0),
    CHECK (kind = 'credit' OR target_payment_id = payment_id),
    CHECK (approved_by <> decided_by)
);
CREATE INDEX resolutions_by_exception ON resolutions (merchant_id, chain_id, exception_seq);
CREATE INDEX resolutions_by_payment ON resolutions (merchant_id, payment_id);
CREATE INDEX resolutions_by_target ON resolutions (merchant_id, target_payment_id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON resolutions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON resolutions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Words of a person, and perhaps about one: outside the books, which hold their hash.
CREATE TABLE resolution_reasons (
    merchant_id uuid NOT NULL,
    chain_id    bigint NOT NULL,
    seq         bigint NOT NULL,
    reason      text NOT NULL,
    PRIMARY KEY (merchant_id, chain_id, seq),
    FOREIGN KEY (merchant_id, chain_id, seq) REFERENCES resolutions
);

-- Decisions that wait for a second operator.
CREATE TABLE resolution_requests (
    merchant_id       uuid NOT NULL REFERENCES merchants,
    request_id        uuid NOT NULL,
    chain_id          bigint NOT NULL,
    exception_seq     bigint NOT NULL,
    kind              text NOT NULL CHECK (kind IN ('accept', 'credit', 'write_off', 'refund')),
    target_payment_id uuid,
    amount            numeric(39,0) NOT NULL CHECK (amount > 0),
    reason            text NOT NULL,
    requested_by      text NOT NULL CHECK (requested_by <> ''),
    created_at        timestamptz NOT NULL,
    answered_at       timestamptz,  -- null: waits
    resolution_seq    bigint,       -- null: waits, or was withdrawn
    PRIMARY KEY (merchant_id, request_id),
    CHECK (answered_at IS NOT NULL OR resolution_seq IS NULL)
);
CREATE UNIQUE INDEX resolution_requests_by_id ON resolution_requests (request_id);
CREATE INDEX resolution_requests_waiting ON resolution_requests (created_at)
    WHERE answered_at IS NULL;

-- The desk is read newest first, for one merchant or for all. Few records are on it.
CREATE INDEX unapplied_receipts_on_desk
    ON unapplied_receipts (booked_at, merchant_id, chain_id, seq);
CREATE INDEX unapplied_receipts_of_merchant
    ON unapplied_receipts (merchant_id, booked_at, chain_id, seq);
CREATE INDEX clearings_on_desk
    ON clearings (booked_at, merchant_id, chain_id, seq) WHERE excess > 0;
CREATE INDEX clearings_on_desk_of_merchant
    ON clearings (merchant_id, booked_at, chain_id, seq) WHERE excess > 0;
CREATE INDEX withdrawals_on_desk
    ON withdrawals (booked_at, merchant_id, chain_id, seq) WHERE unexplained > 0;
CREATE INDEX withdrawals_on_desk_of_merchant
    ON withdrawals (merchant_id, booked_at, chain_id, seq) WHERE unexplained > 0;
