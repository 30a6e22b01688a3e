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
    goods_may_be_released = coalesce((payload::json -> 'data' ->> 'goods_may_be_released')::boolean,
                                     false);

-- What had been booked of the payment when the event was written, on each chain. Of what its own
-- commit booked after it, an arrival tells nothing.
WITH records AS (
    SELECT merchant_id, payment_id, chain_id, seq, booked_at FROM authorizations
    UNION ALL SELECT merchant_id, payment_id, chain_id, seq, booked_at FROM clearings
    UNION ALL SELECT merchant_id, payment_id, chain_id, seq, booked_at FROM settlements
    UNION ALL SELECT merchant_id, payment_id, chain_id, seq, booked_at FROM unapplied_receipts
    UNION ALL SELECT merchant_id, payment_id, chain_id, seq, booked_at FROM withdrawals
    UNION ALL SELECT merchant_id, payment_id, chain_id, seq, booked_at FROM reversals
    UNION ALL SELECT merchant_id, payment_id, chain_id, seq, booked_at FROM resolutions
    UNION ALL SELECT merchant_id, target_payment_id, chain_id, seq, booked_at FROM resolutions),
reached AS (
    SELECT e.merchant_id, e.event_id, r.chain_id,
           CASE WHEN r.chain_id = e.chain_id
                 AND e.type IN ('payment.authorized', 'payment.partially_paid')
                THEN e.record_seq ELSE max(r.seq) END AS seq
    FROM outbox_events e JOIN records r USING (merchant_id, payment_id)
    WHERE r.booked_at <= e.created_at
    GROUP BY e.merchant_id, e.event_id, r.chain_id),
pairs AS (
    SELECT r.merchant_id, r.event_id, array_agg(v.number ORDER BY r.chain_id, v.place) AS journals
    FROM reached r CROSS JOIN LATERAL (VALUES (1, r.chain_id), (2, r.seq)) AS v(place, number)
    GROUP BY r.merchant_id, r.event_id)
UPDATE outbox_events e SET journals = p.journals FROM pairs p
    WHERE (p.merchant_id, p.event_id) = (e.merchant_id, e.event_id);
UPDATE outbox_events SET journals = ARRAY[chain_id, record_seq] WHERE journals IS NULL;

ALTER TABLE outbox_events
    ALTER COLUMN status SET NOT NULL,
    ALTER COLUMN chain_id SET NOT NULL,
    ALTER COLUMN record_seq SET NOT NULL,
    ALTER COLUMN journals SET NOT NULL,
    DROP COLUMN payload,
    -- Locking the merchant's row once for each event buys nothing: the record has been checked.
    DROP CONSTRAINT outbox_events_merchant_id_fkey;

CREATE INDEX reversals_by_payment ON reversals (merchant_id, payment_id);
