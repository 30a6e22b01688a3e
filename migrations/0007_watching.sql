-- Who follows a chain, and by which rule its transfers clear.

-- The right to follow a chain, for a time by this server's clock. `token` rises with each new holder,
-- and whenever a lease had run out: every write to the chain's books shows it, and an older one is
-- refused. The row stays when a lease is given back, so that a token is never given twice.
CREATE TABLE chain_leases (
    chain_id   bigint PRIMARY KEY CHECK (chain_id > 0),
    holder     text NOT NULL CHECK (length(holder) BETWEEN 1 AND 200),
    token      bigint NOT NULL CHECK (token > 0),
    expires_at timestamptz NOT NULL
);

-- Each authorization says by which version it was booked; a version is never changed.
CREATE TABLE finality_rules (
    chain_id       bigint NOT NULL CHECK (chain_id > 0),
    version        bigint NOT NULL CHECK (version > 0),
    bands          text NOT NULL,   -- "100:1,10000:12,finalized"
    most_not_final numeric(39,0),   -- value, six decimals; null: no cap
    created_at     timestamptz NOT NULL,
    PRIMARY KEY (chain_id, version)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON finality_rules
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON finality_rules
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
