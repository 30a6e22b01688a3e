-- Payments that a shop gave up (docs/ledger.md): a record like those of 0004, without postings. It brings the end of the
-- payment forward: once, whichever of its journals it stands in.
CREATE TABLE cancellations (
    merchant_id   uuid NOT NULL,
    chain_id      bigint NOT NULL,
    seq           bigint NOT NULL CHECK (seq > 0),
    previous_hash bytea NOT NULL CHECK (octet_length(previous_hash) = 32),
    hash          bytea NOT NULL CHECK (octet_length(hash) = 32),
    booked_at     timestamptz NOT NULL,
    payment_id    uuid NOT NULL,
    ends_at       timestamptz NOT NULL CHECK (ends_at = date_trunc('second', ends_at)),  -- by chain time
    decided_by    text NOT NULL CHECK (decided_by <> ''),
    approved_by   text NOT NULL,  -- empty: one was enough
    reason_hash   bytea NOT NULL CHECK (octet_length(reason_hash) = 32),
    PRIMARY KEY (merchant_id, chain_id, seq),
    CHECK (approved_by <> decided_by)
);
CREATE UNIQUE INDEX cancellations_by_payment ON cancellations (merchant_id, payment_id);
CREATE INDEX cancellations_by_time ON cancellations USING brin (booked_at);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON cancellations
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON cancellations
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- Of a payment that ends later, on a chain that it offers.
CREATE TRIGGER refers_to_payments AFTER INSERT ON cancellations
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_references(
        'payments',
        '(r.merchant_id, r.payment_id) = (a.merchant_id, a.payment_id) AND a.ends_at < r.expires_at'
        ' AND r.options @> jsonb_build_array(jsonb_build_object(''chain_id'', a.chain_id))', 'payment_id');

-- The words of a cancellation stand with those of all decisions.
CREATE OR REPLACE FUNCTION check_decision() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    missing bigint;
BEGIN
    EXECUTE format(
        'SELECT a.seq FROM added a WHERE NOT EXISTS ('
        ' SELECT FROM %1$I.resolutions r WHERE (r.merchant_id, r.chain_id, r.seq) = (a.merchant_id, a.chain_id, a.seq)'
        ' UNION ALL SELECT FROM %1$I.refunds r WHERE (r.merchant_id, r.chain_id, r.seq) = (a.merchant_id, a.chain_id, a.seq)'
        ' UNION ALL SELECT FROM %1$I.refund_cancellations r WHERE (r.merchant_id, r.chain_id, r.seq) = (a.merchant_id, a.chain_id, a.seq)'
        ' UNION ALL SELECT FROM %1$I.token_losses r WHERE (r.merchant_id, r.chain_id, r.seq) = (a.merchant_id, a.chain_id, a.seq)'
        ' UNION ALL SELECT FROM %1$I.cancellations r WHERE (r.merchant_id, r.chain_id, r.seq) = (a.merchant_id, a.chain_id, a.seq)'
        ') LIMIT 1', TG_TABLE_SCHEMA)
        INTO missing;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION '% gives the reason of %, which is no decision', TG_TABLE_NAME, missing
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
