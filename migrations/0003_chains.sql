-- Where each chain has been read to. Moved by compare-and-set in the transaction that books the blocks.

CREATE TABLE chain_cursors (
    chain_id         bigint PRIMARY KEY CHECK (chain_id > 0),
    head_number      bigint NOT NULL CHECK (head_number >= 0),
    head_hash        bytea NOT NULL CHECK (octet_length(head_hash) = 32),
    finalized_number bigint NOT NULL CHECK (finalized_number BETWEEN 0 AND head_number),
    processed_at     timestamptz NOT NULL,
    last_reorg_at    timestamptz,
    last_reorg_depth bigint NOT NULL DEFAULT 0,
    stopped_reason   text
);

-- The canonical headers from the newest final block up.
CREATE TABLE chain_blocks (
    chain_id    bigint NOT NULL,
    number      bigint NOT NULL,
    hash        bytea NOT NULL CHECK (octet_length(hash) = 32),
    parent_hash bytea NOT NULL CHECK (octet_length(parent_hash) = 32),
    block_time  timestamptz NOT NULL,
    PRIMARY KEY (chain_id, number)
);
