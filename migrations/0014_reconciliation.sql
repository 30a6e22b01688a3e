-- Whether each deposit address holds on the chain what the books say (docs/ledger.md).

-- How far the comparison is, by chain. Moved by whoever claims the next check.
CREATE TABLE reconciliations (
    chain_id        bigint PRIMARY KEY CHECK (chain_id > 0),
    next_at         timestamptz NOT NULL,
    checked_above   bigint NOT NULL DEFAULT 0,  -- what moved in blocks above it is asked for next
    -- Where the slow round over all addresses is; null: at its beginning.
    round_merchant  uuid,
    round_payment   uuid,
    round_began_at  timestamptz,
    round_ended_at  timestamptz,  -- of the last one that came to its end
    compared_at     timestamptz,
    compared_block  bigint,
    compared        bigint NOT NULL DEFAULT 0,  -- balances, in the last check
    fault           text NOT NULL DEFAULT ''    -- why some could not be compared
);

-- Found once. While one is open, nothing of its address is cleared or settled. It is closed by a person,
-- who accepts that this much is missing from then on, or by itself where books and chain agree again.
CREATE TABLE balance_differences (
    difference_id uuid PRIMARY KEY,
    merchant_id   uuid NOT NULL,
    payment_id    uuid NOT NULL,
    chain_id      bigint NOT NULL,
    address       bytea NOT NULL CHECK (octet_length(address) = 20),
    token         bytea NOT NULL CHECK (octet_length(token) = 20),
    block_number  bigint NOT NULL,
    block_hash    bytea NOT NULL CHECK (octet_length(block_hash) = 32),
    booked        numeric(39,0) NOT NULL,
    on_chain      numeric(39,0) NOT NULL,
    found_at      timestamptz NOT NULL,
    closed_at     timestamptz,
    closed_reason text,
    accepted      boolean NOT NULL DEFAULT false,
    FOREIGN KEY (merchant_id, payment_id) REFERENCES payments,
    CHECK (booked <> on_chain),
    CHECK ((closed_at IS NULL) = (closed_reason IS NULL))
);
CREATE UNIQUE INDEX balance_differences_open ON balance_differences (chain_id, address, token)
    WHERE closed_at IS NULL;
CREATE INDEX balance_differences_of_merchant ON balance_differences (merchant_id, chain_id)
    WHERE closed_at IS NULL;
CREATE INDEX balance_differences_accepted ON balance_differences (chain_id, address, token)
    WHERE accepted;
-- What was found stays as it was found, and what was closed stays closed.
CREATE TRIGGER keeps_what_was_found BEFORE UPDATE ON balance_differences FOR EACH ROW
    WHEN (OLD.closed_at IS NOT NULL
          OR (OLD.difference_id, OLD.merchant_id, OLD.payment_id, OLD.chain_id, OLD.address, OLD.token,
              OLD.block_number, OLD.block_hash, OLD.booked, OLD.on_chain, OLD.found_at)
             IS DISTINCT FROM
             (NEW.difference_id, NEW.merchant_id, NEW.payment_id, NEW.chain_id, NEW.address, NEW.token,
              NEW.block_number, NEW.block_hash, NEW.booked, NEW.on_chain, NEW.found_at))
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_deleted BEFORE DELETE ON balance_differences
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON balance_differences
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
