-- Losses that wait for a second operator, and the invoices by which merchants pay the operator's fees
-- (docs/ledger.md).

CREATE TABLE loss_requests (
    merchant_id   uuid NOT NULL REFERENCES merchants,
    request_id    uuid NOT NULL,
    difference_id uuid NOT NULL REFERENCES balance_differences,
    reason        text NOT NULL,
    requested_by  text NOT NULL CHECK (requested_by <> ''),
    created_at    timestamptz NOT NULL,
    answered_at   timestamptz,  -- null: waits
    loss_seq      bigint,       -- null: waits, or was withdrawn
    PRIMARY KEY (merchant_id, request_id),
    CHECK (answered_at IS NOT NULL OR loss_seq IS NULL)
);
CREATE INDEX loss_requests_waiting ON loss_requests (created_at) WHERE answered_at IS NULL;

-- The merchant to whom fees are paid, the operator's own. The newest row counts.
CREATE TABLE fee_recipients (
    number      bigint PRIMARY KEY CHECK (number > 0),
    merchant_id uuid NOT NULL REFERENCES merchants,
    created_at  timestamptz NOT NULL
);

-- Fees that a merchant was asked for, in one token of one chain. The invoice is an ordinary payment
-- of another merchant, the operator's: whether it is open, paid or expired is that payment's status.
CREATE TABLE fee_invoices (
    merchant_id         uuid NOT NULL,  -- who owes
    invoice_payment_id  uuid NOT NULL,
    invoice_merchant_id uuid NOT NULL CHECK (invoice_merchant_id <> merchant_id),
    chain_id            bigint NOT NULL,
    token               bytea NOT NULL CHECK (octet_length(token) = 20),
    amount              numeric(39,0) NOT NULL CHECK (amount > 0),
    created_at          timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, invoice_payment_id)
);
CREATE INDEX fee_invoices_by_token ON fee_invoices (merchant_id, chain_id, token);
CREATE TRIGGER refers_to_merchants AFTER INSERT ON fee_invoices
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_references(
        'merchants', 'r.merchant_id = a.merchant_id', 'merchant_id');

DO $$
DECLARE
    book text;
BEGIN
    FOREACH book IN ARRAY ARRAY['fee_recipients', 'fee_invoices'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I '
                       'FOR EACH ROW EXECUTE FUNCTION refuse_change()', book);
        EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', book);
    END LOOP;
END $$;
