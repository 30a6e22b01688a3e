-- The last books: refunds, what an issuer destroyed, and fees that were paid (docs/ledger.md). Records
-- like those of 0004. What they rest on is final, so nothing reverses them.

-- Settled money of a payment, promised back to a payer. The desk promises by a resolution.
CREATE TABLE refunds (
    merchant_id   uuid NOT NULL,
    chain_id      bigint NOT NULL,
    seq           bigint NOT NULL CHECK (seq > 0),
    previous_hash bytea NOT NULL CHECK (octet_length(previous_hash) = 32),
    hash          bytea NOT NULL CHECK (octet_length(hash) = 32),
    booked_at     timestamptz NOT NULL,
    payment_id    uuid NOT NULL,
    token         bytea NOT NULL CHECK (octet_length(token) = 20),
    recipient     bytea NOT NULL
        CHECK (octet_length(recipient) = 20 AND recipient <> '\x0000000000000000000000000000000000000000'),
    amount        numeric(39,0) NOT NULL CHECK (amount > 0),
    decided_by    text NOT NULL CHECK (decided_by <> ''),
    approved_by   text NOT NULL,  -- empty: one was enough
    reason_hash   bytea NOT NULL CHECK (octet_length(reason_hash) = 32),
    PRIMARY KEY (merchant_id, chain_id, seq),
    CHECK (approved_by <> decided_by)
);
CREATE INDEX refunds_by_payment ON refunds (merchant_id, payment_id);

-- A promise was seen kept. "Once" is the primary key of what ends a promise, and one transfer keeps
-- one promise, of whatever merchant.
CREATE TABLE refund_payments (
    merchant_id     uuid NOT NULL,
    chain_id        bigint NOT NULL,
    seq             bigint NOT NULL CHECK (seq > 0),
    previous_hash   bytea NOT NULL CHECK (octet_length(previous_hash) = 32),
    hash            bytea NOT NULL CHECK (octet_length(hash) = 32),
    booked_at       timestamptz NOT NULL,
    payment_id      uuid NOT NULL,
    promise_kind    text NOT NULL CHECK (promise_kind IN ('refund', 'resolution')),
    promise_seq     bigint NOT NULL,
    promise_hash    bytea NOT NULL CHECK (octet_length(promise_hash) = 32),
    tx_hash         bytea NOT NULL CHECK (octet_length(tx_hash) = 32),
    token           bytea NOT NULL CHECK (octet_length(token) = 20),
    ordinal         integer NOT NULL,
    log_index       integer NOT NULL,
    sender          bytea NOT NULL CHECK (octet_length(sender) = 20),
    recipient       bytea NOT NULL CHECK (octet_length(recipient) = 20),
    amount          numeric(39,0) NOT NULL,  -- of the transfer
    block_number    bigint NOT NULL,
    block_hash      bytea NOT NULL CHECK (octet_length(block_hash) = 32),
    block_time      timestamptz NOT NULL,
    promised        numeric(39,0) NOT NULL CHECK (promised > 0 AND promised <= amount),
    finalized_block bigint NOT NULL CHECK (finalized_block >= block_number),
    PRIMARY KEY (merchant_id, chain_id, promise_seq),
    CHECK (seq > promise_seq)
);
CREATE UNIQUE INDEX refund_payments_by_transfer
    ON refund_payments (chain_id, tx_hash, token, ordinal);
CREATE INDEX refund_payments_by_payment ON refund_payments (merchant_id, payment_id);

-- A promise was taken back.
CREATE TABLE refund_cancellations (
    merchant_id   uuid NOT NULL,
    chain_id      bigint NOT NULL,
    seq           bigint NOT NULL CHECK (seq > 0),
    previous_hash bytea NOT NULL CHECK (octet_length(previous_hash) = 32),
    hash          bytea NOT NULL CHECK (octet_length(hash) = 32),
    booked_at     timestamptz NOT NULL,
    payment_id    uuid NOT NULL,
    promise_kind  text NOT NULL CHECK (promise_kind IN ('refund', 'resolution')),
    promise_seq   bigint NOT NULL,
    promise_hash  bytea NOT NULL CHECK (octet_length(promise_hash) = 32),
    token         bytea NOT NULL CHECK (octet_length(token) = 20),
    amount        numeric(39,0) NOT NULL CHECK (amount > 0),
    decided_by    text NOT NULL CHECK (decided_by <> ''),
    approved_by   text NOT NULL,
    reason_hash   bytea NOT NULL CHECK (octet_length(reason_hash) = 32),
    PRIMARY KEY (merchant_id, chain_id, promise_seq),
    CHECK (seq > promise_seq),
    CHECK (approved_by <> decided_by)
);
CREATE INDEX refund_cancellations_by_payment ON refund_cancellations (merchant_id, payment_id);
CREATE UNIQUE INDEX refund_cancellations_by_seq
    ON refund_cancellations (merchant_id, chain_id, seq);

-- The issuer of a token destroyed what lay at a deposit address. A difference is booked once.
CREATE TABLE token_losses (
    merchant_id   uuid NOT NULL,
    chain_id      bigint NOT NULL,
    seq           bigint NOT NULL CHECK (seq > 0),
    previous_hash bytea NOT NULL CHECK (octet_length(previous_hash) = 32),
    hash          bytea NOT NULL CHECK (octet_length(hash) = 32),
    booked_at     timestamptz NOT NULL,
    payment_id    uuid NOT NULL,
    token         bytea NOT NULL CHECK (octet_length(token) = 20),
    amount        numeric(39,0) NOT NULL CHECK (amount > 0),
    difference_id uuid NOT NULL,
    block_number  bigint NOT NULL,
    block_hash    bytea NOT NULL CHECK (octet_length(block_hash) = 32),
    decided_by    text NOT NULL CHECK (decided_by <> ''),
    approved_by   text NOT NULL,
    reason_hash   bytea NOT NULL CHECK (octet_length(reason_hash) = 32),
    PRIMARY KEY (merchant_id, chain_id, seq),
    CHECK (approved_by <> decided_by)
);
CREATE UNIQUE INDEX token_losses_by_difference ON token_losses (difference_id);
CREATE INDEX token_losses_by_payment ON token_losses (merchant_id, payment_id);

-- An invoice over fees was paid: for each token on each chain once.
CREATE TABLE fee_payments (
    merchant_id         uuid NOT NULL,
    chain_id            bigint NOT NULL,
    seq                 bigint NOT NULL CHECK (seq > 0),
    previous_hash       bytea NOT NULL CHECK (octet_length(previous_hash) = 32),
    hash                bytea NOT NULL CHECK (octet_length(hash) = 32),
    booked_at           timestamptz NOT NULL,
    invoice_merchant_id uuid NOT NULL,
    invoice_payment_id  uuid NOT NULL,
    token               bytea NOT NULL CHECK (octet_length(token) = 20),
    amount              numeric(39,0) NOT NULL CHECK (amount > 0),
    settlement_hash     bytea NOT NULL CHECK (octet_length(settlement_hash) = 32),
    PRIMARY KEY (merchant_id, chain_id, seq),
    CHECK (invoice_merchant_id <> merchant_id)
);
CREATE UNIQUE INDEX fee_payments_by_invoice
    ON fee_payments (invoice_merchant_id, invoice_payment_id, chain_id, token);

-- What ends a promise names one that is there, by kind, number and hash, and no other that ends it:
-- of two books, one primary key can't say so. Both wait for the journal's head, so that neither
-- misses the other.
CREATE FUNCTION check_promise() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong bigint;
BEGIN
    EXECUTE format(
        'SELECT a.promise_seq FROM added a WHERE NOT EXISTS (SELECT FROM %1$I.refunds r'
        '  WHERE (r.merchant_id, r.chain_id, r.seq) = (a.merchant_id, a.chain_id, a.promise_seq)'
        '  AND a.promise_kind = ''refund'' AND r.hash = a.promise_hash AND r.token = a.token'
        '  AND r.payment_id = a.payment_id AND r.amount = a.%2$I)'
        ' AND NOT EXISTS (SELECT FROM %1$I.resolutions r'
        '  WHERE (r.merchant_id, r.chain_id, r.seq) = (a.merchant_id, a.chain_id, a.promise_seq)'
        '  AND a.promise_kind = ''resolution'' AND r.hash = a.promise_hash AND r.token = a.token'
        '  AND r.payment_id = a.payment_id AND r.amount = a.%2$I AND r.kind = ''refund'') LIMIT 1',
        TG_TABLE_SCHEMA, TG_ARGV[0])
        INTO wrong;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION '% ends the promise %, which is not there', TG_TABLE_NAME, wrong
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    EXECUTE format('SELECT a.promise_seq FROM added a JOIN %I.%I o'
                   ' USING (merchant_id, chain_id, promise_seq) LIMIT 1',
                   TG_TABLE_SCHEMA, TG_ARGV[1])
        INTO wrong;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION '% ends the promise %, which has ended already', TG_TABLE_NAME, wrong
            USING ERRCODE = 'unique_violation';
    END IF;
    RETURN NULL;
END $$;
-- Arguments: the column with the promise's amount, the other book.
CREATE TRIGGER ends_a_promise AFTER INSERT ON refund_payments
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT
    EXECUTE FUNCTION check_promise('promised', 'refund_cancellations');
CREATE TRIGGER ends_a_promise AFTER INSERT ON refund_cancellations
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT
    EXECUTE FUNCTION check_promise('amount', 'refund_payments');

CREATE TRIGGER refers_to_payments AFTER INSERT ON refunds
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_references(
        'payments', '(r.merchant_id, r.payment_id) = (a.merchant_id, a.payment_id)', 'payment_id');
CREATE TRIGGER refers_to_differences AFTER INSERT ON token_losses
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_references(
        'balance_differences',
        '(r.difference_id, r.merchant_id, r.payment_id, r.chain_id, r.token)'
        ' = (a.difference_id, a.merchant_id, a.payment_id, a.chain_id, a.token)', 'difference_id');
CREATE TRIGGER refers_to_payments AFTER INSERT ON fee_payments
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_references(
        'payments',
        '(r.merchant_id, r.payment_id) = (a.invoice_merchant_id, a.invoice_payment_id)',
        'invoice_payment_id');

-- The words of every decision stand in the one table, whatever book it is in.
ALTER TABLE resolution_reasons DROP CONSTRAINT resolution_reasons_merchant_id_chain_id_seq_fkey;
CREATE FUNCTION check_decision() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    missing bigint;
BEGIN
    EXECUTE format(
        'SELECT a.seq FROM added a WHERE NOT EXISTS ('
        ' SELECT FROM %1$I.resolutions r WHERE (r.merchant_id, r.chain_id, r.seq) = (a.merchant_id, a.chain_id, a.seq)'
        ' UNION ALL SELECT FROM %1$I.refunds r WHERE (r.merchant_id, r.chain_id, r.seq) = (a.merchant_id, a.chain_id, a.seq)'
        ' UNION ALL SELECT FROM %1$I.refund_cancellations r WHERE (r.merchant_id, r.chain_id, r.seq) = (a.merchant_id, a.chain_id, a.seq)'
        ' UNION ALL SELECT FROM %1$I.token_losses r WHERE (r.merchant_id, r.chain_id, r.seq) = (a.merchant_id, a.chain_id, a.seq)'
        ') LIMIT 1', TG_TABLE_SCHEMA)
        INTO missing;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION '% gives the reason of %, which is no decision', TG_TABLE_NAME, missing
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER refers_to_decisions AFTER INSERT ON resolution_reasons
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_decision();

-- To whom the desk's promises go, which name nobody: given once.
CREATE TABLE refund_recipients (
    merchant_id uuid NOT NULL,
    chain_id    bigint NOT NULL,
    promise_seq bigint NOT NULL,
    recipient   bytea NOT NULL CHECK (octet_length(recipient) = 20),
    given_by    text NOT NULL CHECK (given_by <> ''),
    given_at    timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, chain_id, promise_seq)
);
CREATE TRIGGER refers_to_resolutions AFTER INSERT ON refund_recipients
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_references(
        'resolutions',
        '(r.merchant_id, r.chain_id, r.seq) = (a.merchant_id, a.chain_id, a.promise_seq)'
        ' AND r.kind = ''refund''', 'promise_seq');

-- No book: what merchants say they paid, until the chain has answered.
CREATE TABLE refund_reports (
    merchant_id uuid NOT NULL,
    chain_id    bigint NOT NULL,
    promise_seq bigint NOT NULL,
    tx_hash     bytea NOT NULL CHECK (octet_length(tx_hash) = 32),
    reported_by text NOT NULL CHECK (reported_by <> ''),
    reported_at timestamptz NOT NULL,
    checked_at  timestamptz,            -- null: the chain was not asked yet
    answered_at timestamptz,            -- null: is looked for
    problem     text NOT NULL DEFAULT '',  -- why it does not keep the promise; empty: none is known
    PRIMARY KEY (merchant_id, chain_id, promise_seq, tx_hash)
);
CREATE INDEX refund_reports_open ON refund_reports (checked_at NULLS FIRST, reported_at)
    WHERE answered_at IS NULL;

-- Refunds that wait for a second operator.
CREATE TABLE refund_requests (
    merchant_id  uuid NOT NULL REFERENCES merchants,
    request_id   uuid NOT NULL,
    chain_id     bigint NOT NULL,
    payment_id   uuid NOT NULL,
    token        bytea NOT NULL CHECK (octet_length(token) = 20),
    recipient    bytea NOT NULL CHECK (octet_length(recipient) = 20),
    amount       numeric(39,0) NOT NULL CHECK (amount > 0),
    reason       text NOT NULL,
    requested_by text NOT NULL CHECK (requested_by <> ''),
    created_at   timestamptz NOT NULL,
    answered_at  timestamptz,  -- null: waits
    refund_seq   bigint,       -- null: waits, or was withdrawn
    PRIMARY KEY (merchant_id, request_id),
    CHECK (answered_at IS NOT NULL OR refund_seq IS NULL)
);
CREATE UNIQUE INDEX refund_requests_by_id ON refund_requests (request_id);
CREATE INDEX refund_requests_waiting ON refund_requests (created_at) WHERE answered_at IS NULL;

-- Promises are read newest first, for one merchant.
CREATE INDEX refunds_of_merchant ON refunds (merchant_id, booked_at, chain_id, seq);
CREATE INDEX resolutions_refunds_of_merchant ON resolutions (merchant_id, booked_at, chain_id, seq)
    WHERE kind = 'refund';

DO $$
DECLARE
    book text;
BEGIN
    FOREACH book IN ARRAY ARRAY['refund_recipients'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I '
                       'FOR EACH ROW EXECUTE FUNCTION refuse_change()', book);
        EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', book);
    END LOOP;
    FOREACH book IN ARRAY ARRAY['refunds', 'refund_payments', 'refund_cancellations', 'token_losses',
                                'fee_payments'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I '
                       'FOR EACH ROW EXECUTE FUNCTION refuse_change()', book);
        EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', book);
        EXECUTE format('CREATE INDEX %I ON %I USING brin (booked_at)', book || '_by_time', book);
    END LOOP;
END $$;
