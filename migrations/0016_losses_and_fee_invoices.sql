-- Losses that wait for a second operator (docs/ledger.md).

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
