-- Signed checkpoints of all journals (docs/decisions/0012): what a receipt's path leads to, and what a copy outside of
-- the database is compared with.

-- The public parts only. A retired key has signed what it has signed: it stays published.
CREATE TABLE signing_keys (
    public_key bytea PRIMARY KEY CHECK (octet_length(public_key) = 33),
    created_at timestamptz NOT NULL,
    retired_at timestamptz,  -- NULL: the one in use
    CHECK (retired_at >= created_at)
);
CREATE UNIQUE INDEX one_signing_key_in_use ON signing_keys ((true)) WHERE retired_at IS NULL;
CREATE TRIGGER never_deleted BEFORE DELETE ON signing_keys
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON signing_keys
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keeps_its_key BEFORE UPDATE ON signing_keys FOR EACH ROW
    WHEN ((OLD.public_key, OLD.created_at) IS DISTINCT FROM (NEW.public_key, NEW.created_at)
          OR OLD.retired_at IS NOT NULL)
    EXECUTE FUNCTION refuse_change();

CREATE TABLE checkpoints (
    number        bigint PRIMARY KEY CHECK (number > 0),
    made_at       timestamptz NOT NULL,
    previous_hash bytea NOT NULL CHECK (octet_length(previous_hash) = 32),
    hash          bytea NOT NULL CHECK (octet_length(hash) = 32),
    journal_count bigint NOT NULL CHECK (journal_count >= 0),
    root          bytea NOT NULL CHECK (octet_length(root) = 32),
    part_roots    bytea NOT NULL,  -- of every 1024 leaves, one after the other: short cuts to a path
    public_key    bytea NOT NULL REFERENCES signing_keys,
    signature     bytea NOT NULL CHECK (octet_length(signature) = 64)
);

-- The records that a checkpoint has of each journal that had moved.
CREATE TABLE checkpoint_journals (
    merchant_id       uuid NOT NULL,
    chain_id          bigint NOT NULL,
    last_seq          bigint NOT NULL,
    first_seq         bigint NOT NULL CHECK (first_seq > 0),
    checkpoint_number bigint NOT NULL REFERENCES checkpoints,
    leaf_index        bigint NOT NULL CHECK (leaf_index >= 0),
    head              bytea NOT NULL CHECK (octet_length(head) = 32),
    root              bytea NOT NULL CHECK (octet_length(root) = 32),
    part_roots        bytea NOT NULL,
    PRIMARY KEY (merchant_id, chain_id, last_seq),
    UNIQUE (checkpoint_number, leaf_index),
    CHECK (last_seq >= first_seq)
);

DO $$
DECLARE
    book text;
BEGIN
    FOREACH book IN ARRAY ARRAY['checkpoints', 'checkpoint_journals'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I '
                       'FOR EACH ROW EXECUTE FUNCTION refuse_change()', book);
        EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', book);
    END LOOP;
    -- What was booked lately is looked for by time: rows stand in the order in which they were written, so that an
    -- index of a few pages is enough, and costs nothing where they are written.
    FOREACH book IN ARRAY ARRAY['authorizations', 'clearings', 'settlement_batches', 'settlements',
                                'unapplied_receipts', 'withdrawals', 'reversals', 'resolutions'] LOOP
        EXECUTE format('CREATE INDEX %I ON %I USING brin (booked_at)', book || '_by_time', book);
    END LOOP;
END $$;
