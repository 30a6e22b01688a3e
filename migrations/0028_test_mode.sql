-- Test mode: merchants of their own whose payments are paid on a chain that is made of the time and
-- of the transfers below.

-- A test merchant is the twin of a live one, and has everything of its own: nothing joins the two.
ALTER TABLE merchants
    ADD COLUMN mode text NOT NULL DEFAULT 'live' CHECK (mode IN ('live', 'test')),
    ADD COLUMN live_merchant_id uuid UNIQUE REFERENCES merchants,
    ADD CHECK ((mode = 'test') = (live_merchant_id IS NOT NULL));

CREATE TABLE test_chain (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    seed    bytea NOT NULL CHECK (octet_length(seed) = 32),
    genesis timestamptz NOT NULL,
    -- The newest block that anybody was told of. Whoever adds a transfer holds this row, so that it
    -- comes into a later block.
    head    bigint NOT NULL CHECK (head >= 0)
);

CREATE TABLE test_chain_transfers (
    merchant_id      uuid NOT NULL REFERENCES merchants,
    transaction_hash bytea NOT NULL CHECK (octet_length(transaction_hash) = 32),
    number           bigint NOT NULL GENERATED ALWAYS AS IDENTITY,  -- the order within a block
    token            bytea NOT NULL CHECK (octet_length(token) = 20),
    sender           bytea NOT NULL CHECK (octet_length(sender) = 20),
    recipient        bytea NOT NULL CHECK (octet_length(recipient) = 20),
    amount           numeric(39, 0) NOT NULL CHECK (amount > 0),
    block_number     bigint NOT NULL CHECK (block_number > 0),
    -- From this block on, a reorg has taken the transfer away.
    gone_at          bigint CHECK (gone_at > block_number AND gone_at <= block_number + 4),
    PRIMARY KEY (merchant_id, transaction_hash)
);
CREATE INDEX test_chain_transfers_by_hash ON test_chain_transfers (transaction_hash);
CREATE INDEX test_chain_transfers_by_block ON test_chain_transfers (block_number);
CREATE INDEX test_chain_transfers_by_sender ON test_chain_transfers (sender);
CREATE INDEX test_chain_transfers_by_recipient ON test_chain_transfers (recipient);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON test_chain_transfers
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON test_chain_transfers
    EXECUTE FUNCTION refuse_change();
