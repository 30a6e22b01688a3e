-- Where each chain has been read to. Moved by compare-and-set in the transaction that books the blocks.

CREATE TABLE chain_cursors (
    chain_id         bigint PRIMARY KEY CHECK (chain_id > 0),
    head_number      bigint NOT NULL CHECK (head_number >= 0),
    head_hash        bytea NOT NULL CHECK (octet_length(head_hash) = 32),
    finalized_number bigint NOT NULL CHECK (finalized_number >= 0),
    -- Up to here enough nodes say the same as we processed.
    agreed_number    bigint NOT NULL CHECK (agreed_number BETWEEN finalized_number AND head_number),
    -- No payment has anything left to do in a block below.
    oldest_open      bigint NOT NULL CHECK (oldest_open BETWEEN 0 AND finalized_number + 1),
    processed_at     timestamptz NOT NULL,
    last_reorg_at    timestamptz,
    last_reorg_depth bigint NOT NULL DEFAULT 0,
    stopped_reason   text
);

-- The canonical headers from the newest final block up, and some below it: a repair after a reversed
-- final block looks for the last block that both branches share.
CREATE TABLE chain_blocks (
    chain_id    bigint NOT NULL,
    number      bigint NOT NULL,
    hash        bytea NOT NULL CHECK (octet_length(hash) = 32),
    parent_hash bytea NOT NULL CHECK (octet_length(parent_hash) = 32),
    block_time  timestamptz NOT NULL,
    logs_digest bytea NOT NULL CHECK (octet_length(logs_digest) = 32),  -- of all logs, in order
    PRIMARY KEY (chain_id, number)
);
