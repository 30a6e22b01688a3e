-- Final blocks that a chain took back, and who ordered the books to follow (`sycee chain repair`).

CREATE TABLE chain_repairs (
    chain_id       bigint NOT NULL CHECK (chain_id > 0),
    repaired_at    timestamptz NOT NULL,
    ancestor       bigint NOT NULL,  -- the last block that the chain still had
    from_head      bigint NOT NULL,
    from_finalized bigint NOT NULL,
    ordered_by     text NOT NULL CHECK (ordered_by <> ''),
    approved_by    text NOT NULL CHECK (approved_by <> ''),
    reason         text NOT NULL CHECK (reason <> ''),
    PRIMARY KEY (chain_id, repaired_at),
    CHECK (ordered_by <> approved_by),
    CHECK (ancestor < from_finalized AND from_finalized <= from_head)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON chain_repairs
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON chain_repairs
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
