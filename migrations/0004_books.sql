-- The books (docs/ledger.md). Records and postings are written once: the database refuses to change
-- or delete them. Each record has its place in the hash chain of (merchant, chain) and is the header
-- of its own journal.

CREATE TYPE ledger_account AS ENUM (
    'coins', 'drawn', 'token_loss', 'payer_pending', 'payer_unapplied', 'merchant_cleared',
    'merchant_settled', 'operator_fee', 'refund_frozen');

CREATE TABLE authorizations (
    merchant_id     uuid NOT NULL,
    chain_id        bigint NOT NULL,
    seq             bigint NOT NULL CHECK (seq > 0),
    previous_hash   bytea NOT NULL CHECK (octet_length(previous_hash) = 32),
    hash            bytea NOT NULL CHECK (octet_length(hash) = 32),
    booked_at       timestamptz NOT NULL,
    payment_id      uuid NOT NULL,
    tx_hash         bytea NOT NULL CHECK (octet_length(tx_hash) = 32),
    token           bytea NOT NULL CHECK (octet_length(token) = 20),
    ordinal         integer NOT NULL,
    log_index       integer NOT NULL,
    sender          bytea NOT NULL CHECK (octet_length(sender) = 20),
    deposit_address bytea NOT NULL CHECK (octet_length(deposit_address) = 20),
    amount          numeric(39,0) NOT NULL CHECK (amount > 0),
    block_number    bigint NOT NULL,
    block_hash      bytea NOT NULL CHECK (octet_length(block_hash) = 32),
    block_time      timestamptz NOT NULL,
    rule_version    bigint NOT NULL,  -- of the chain's finality rule
    PRIMARY KEY (merchant_id, chain_id, seq),
    FOREIGN KEY (merchant_id, payment_id) REFERENCES payments
);
CREATE INDEX authorizations_by_payment ON authorizations (merchant_id, payment_id);
-- What is still open is looked for from the oldest open block up.
CREATE INDEX authorizations_by_block ON authorizations (chain_id, block_number);

-- "Once" is the primary key of what is booked upon an authorization.
CREATE TABLE clearings (
    merchant_id        uuid NOT NULL,
    chain_id           bigint NOT NULL,
    authorization_seq  bigint NOT NULL,
    seq                bigint NOT NULL,
    previous_hash      bytea NOT NULL CHECK (octet_length(previous_hash) = 32),
    hash               bytea NOT NULL CHECK (octet_length(hash) = 32),
    booked_at          timestamptz NOT NULL,
    payment_id         uuid NOT NULL,
    authorization_hash bytea NOT NULL CHECK (octet_length(authorization_hash) = 32),
    token              bytea NOT NULL CHECK (octet_length(token) = 20),
    cleared_at_block   bigint NOT NULL,
    fee_basis_points   integer NOT NULL,
    gross              numeric(39,0) NOT NULL CHECK (gross > 0),
    fee                numeric(39,0) NOT NULL CHECK (fee >= 0),
    net                numeric(39,0) NOT NULL CHECK (net >= 0),
    excess             numeric(39,0) NOT NULL CHECK (excess >= 0),
    shortfall          numeric(39,0) NOT NULL CHECK (shortfall >= 0),
    PRIMARY KEY (merchant_id, chain_id, authorization_seq),
    FOREIGN KEY (merchant_id, chain_id, authorization_seq) REFERENCES authorizations,
    CHECK (gross = fee + net),
    CHECK (excess = 0 OR shortfall = 0),
    CHECK (seq > authorization_seq)
);

CREATE TABLE settlement_batches (
    merchant_id      uuid NOT NULL,
    chain_id         bigint NOT NULL,
    batch_number     bigint NOT NULL CHECK (batch_number > 0),
    seq              bigint NOT NULL,
    previous_hash    bytea NOT NULL CHECK (octet_length(previous_hash) = 32),
    hash             bytea NOT NULL CHECK (octet_length(hash) = 32),
    booked_at        timestamptz NOT NULL,
    token            bytea NOT NULL CHECK (octet_length(token) = 20),
    first_seq        bigint NOT NULL,
    last_seq         bigint NOT NULL,
    settlement_count bigint NOT NULL,
    finalized_block  bigint NOT NULL,
    net              numeric(39,0) NOT NULL CHECK (net >= 0),
    PRIMARY KEY (merchant_id, chain_id, batch_number),
    CHECK (last_seq - first_seq + 1 = settlement_count),
    CHECK (seq = last_seq + 1)
);

CREATE TABLE settlements (
    merchant_id       uuid NOT NULL,
    chain_id          bigint NOT NULL,
    authorization_seq bigint NOT NULL,
    seq               bigint NOT NULL,
    previous_hash     bytea NOT NULL CHECK (octet_length(previous_hash) = 32),
    hash              bytea NOT NULL CHECK (octet_length(hash) = 32),
    booked_at         timestamptz NOT NULL,
    payment_id        uuid NOT NULL,
    clearing_hash     bytea NOT NULL CHECK (octet_length(clearing_hash) = 32),
    batch_number      bigint NOT NULL,
    finalized_block   bigint NOT NULL,
    net               numeric(39,0) NOT NULL CHECK (net >= 0),
    PRIMARY KEY (merchant_id, chain_id, authorization_seq),
    FOREIGN KEY (merchant_id, chain_id, authorization_seq) REFERENCES clearings,
    CHECK (seq > authorization_seq)
);

CREATE TABLE unapplied_receipts (
    merchant_id        uuid NOT NULL,
    chain_id           bigint NOT NULL,
    authorization_seq  bigint NOT NULL,
    seq                bigint NOT NULL,
    previous_hash      bytea NOT NULL CHECK (octet_length(previous_hash) = 32),
    hash               bytea NOT NULL CHECK (octet_length(hash) = 32),
    booked_at          timestamptz NOT NULL,
    payment_id         uuid NOT NULL,
    authorization_hash bytea NOT NULL CHECK (octet_length(authorization_hash) = 32),
    token              bytea NOT NULL CHECK (octet_length(token) = 20),
    reason             text NOT NULL
        CHECK (reason IN ('underpaid', 'late', 'already_paid', 'token_not_offered',
                          'chain_not_offered')),
    amount             numeric(39,0) NOT NULL CHECK (amount > 0),
    PRIMARY KEY (merchant_id, chain_id, authorization_seq),
    FOREIGN KEY (merchant_id, chain_id, authorization_seq) REFERENCES authorizations,
    CHECK (seq > authorization_seq)
);

CREATE TABLE withdrawals (
    merchant_id     uuid NOT NULL,
    chain_id        bigint NOT NULL,
    seq             bigint NOT NULL CHECK (seq > 0),
    previous_hash   bytea NOT NULL CHECK (octet_length(previous_hash) = 32),
    hash            bytea NOT NULL CHECK (octet_length(hash) = 32),
    booked_at       timestamptz NOT NULL,
    payment_id      uuid NOT NULL,
    tx_hash         bytea NOT NULL CHECK (octet_length(tx_hash) = 32),
    token           bytea NOT NULL CHECK (octet_length(token) = 20),
    ordinal         integer NOT NULL,
    log_index       integer NOT NULL,
    deposit_address bytea NOT NULL CHECK (octet_length(deposit_address) = 20),
    recipient       bytea NOT NULL CHECK (octet_length(recipient) = 20),
    amount          numeric(39,0) NOT NULL CHECK (amount > 0),
    unexplained     numeric(39,0) NOT NULL CHECK (unexplained BETWEEN 0 AND amount),
    block_number    bigint NOT NULL,
    block_hash      bytea NOT NULL CHECK (octet_length(block_hash) = 32),
    block_time      timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, chain_id, seq),
    FOREIGN KEY (merchant_id, payment_id) REFERENCES payments
);
CREATE INDEX withdrawals_by_payment ON withdrawals (merchant_id, payment_id);
CREATE INDEX withdrawals_by_block ON withdrawals (chain_id, block_number);

CREATE TABLE reversals (
    merchant_id    uuid NOT NULL,
    chain_id       bigint NOT NULL,
    reversed_seq   bigint NOT NULL,
    seq            bigint NOT NULL,
    previous_hash  bytea NOT NULL CHECK (octet_length(previous_hash) = 32),
    hash           bytea NOT NULL CHECK (octet_length(hash) = 32),
    booked_at      timestamptz NOT NULL,
    payment_id     uuid NOT NULL,
    reversed_kind  text NOT NULL
        CHECK (reversed_kind IN ('authorization', 'clearing', 'settlement', 'unapplied',
                                 'withdrawal')),
    reversed_hash  bytea NOT NULL CHECK (octet_length(reversed_hash) = 32),
    ancestor_block bigint NOT NULL,
    PRIMARY KEY (merchant_id, chain_id, reversed_seq),
    CHECK (seq > reversed_seq)
);

-- One row moves one amount between two accounts: an unbalanced journal can't be written down.
CREATE TABLE postings (
    merchant_id uuid NOT NULL,
    chain_id    bigint NOT NULL,
    seq         bigint NOT NULL,
    line        smallint NOT NULL,
    token       bytea NOT NULL CHECK (octet_length(token) = 20),
    debit       ledger_account NOT NULL,
    credit      ledger_account NOT NULL,
    amount      numeric(39,0) NOT NULL CHECK (amount > 0),
    PRIMARY KEY (merchant_id, chain_id, seq, line),
    CHECK (debit <> credit)
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'append-only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

DO $$
DECLARE
    book text;
BEGIN
    FOREACH book IN ARRAY ARRAY['authorizations', 'clearings', 'settlement_batches', 'settlements',
                                'unapplied_receipts', 'withdrawals', 'reversals', 'postings'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I '
                       'FOR EACH ROW EXECUTE FUNCTION refuse_change()', book);
        EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', book);
    END LOOP;
END $$;

-- Indexes and projections, not books: `sycee verify` rebuilds them from the records and compares.

-- The one live authorization of a transfer. Inserted with it, deleted by its reversal.
CREATE TABLE live_credits (
    merchant_id       uuid NOT NULL,
    chain_id          bigint NOT NULL,
    tx_hash           bytea NOT NULL,
    token             bytea NOT NULL,
    ordinal           integer NOT NULL,
    authorization_seq bigint NOT NULL,
    PRIMARY KEY (merchant_id, chain_id, tx_hash, token, ordinal)
);
-- The same for transfers out: one log may be both.
CREATE TABLE live_withdrawals (
    merchant_id    uuid NOT NULL,
    chain_id       bigint NOT NULL,
    tx_hash        bytea NOT NULL,
    token          bytea NOT NULL,
    ordinal        integer NOT NULL,
    withdrawal_seq bigint NOT NULL,
    PRIMARY KEY (merchant_id, chain_id, tx_hash, token, ordinal)
);

-- The end of each hash chain, moved by compare-and-set.
CREATE TABLE journal_heads (
    merchant_id       uuid NOT NULL REFERENCES merchants,
    chain_id          bigint NOT NULL,
    seq               bigint NOT NULL,
    hash              bytea NOT NULL CHECK (octet_length(hash) = 32),
    last_batch_number bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (merchant_id, chain_id)
);

-- Each account's balance on its own side. Only `drawn` may be below zero.
CREATE TABLE account_balances (
    merchant_id uuid NOT NULL,
    chain_id    bigint NOT NULL,
    token       bytea NOT NULL,
    account     ledger_account NOT NULL,
    balance     numeric(40,0) NOT NULL,
    PRIMARY KEY (merchant_id, chain_id, token, account),
    CONSTRAINT balance_not_below_zero CHECK (balance >= 0 OR account = 'drawn')
);
