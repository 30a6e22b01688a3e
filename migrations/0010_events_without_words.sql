-- An event names its record and how far the merchant's journals were; its words are made of the
-- records when it is sent (docs/decisions/0011).

ALTER TABLE outbox_events
    ADD COLUMN status                text,    -- of the payment, when it was told
    ADD COLUMN chain_id              bigint,  -- of the record that it is about
    ADD COLUMN record_seq            bigint,
    ADD COLUMN journals              bigint[],  -- {chain, seq, chain, seq, ...}
    ADD COLUMN goods_may_be_released boolean NOT NULL DEFAULT false;

UPDATE outbox_events SET
    status = payload::json -> 'data' ->> 'status',
    chain_id = (payload::json -> 'data' -> 'record' ->> 'chain_id')::bigint,
    record_seq = (payload::json -> 'data' -> 'record' ->> 'sequence')::bigint,
    journals = ARRAY[(payload::json -> 'data' -> 'record' ->> 'chain_id')::bigint,
                     (payload::json -> 'data' -> 'record' ->> 'sequence')::bigint],
    goods_may_be_released = coalesce((payload::json -> 'data' ->> 'goods_may_be_released')::boolean,
                                     false);

ALTER TABLE outbox_events
    ALTER COLUMN status SET NOT NULL,
    ALTER COLUMN chain_id SET NOT NULL,
    ALTER COLUMN record_seq SET NOT NULL,
    ALTER COLUMN journals SET NOT NULL,
    DROP COLUMN payload,
    -- Locking the merchant's row once for each event buys nothing: the record has been checked.
    DROP CONSTRAINT outbox_events_merchant_id_fkey;

CREATE INDEX reversals_by_payment ON reversals (merchant_id, payment_id);
