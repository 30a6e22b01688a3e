-- A refund may name nobody (twenty zero bytes): the payer then says where it goes, by a link of the merchant's.

ALTER TABLE refunds
    DROP CONSTRAINT refunds_recipient_check,
    ADD CONSTRAINT refunds_recipient_check CHECK (octet_length(recipient) = 20);

-- A recipient is given to a promise that names none, of either book.
DROP TRIGGER refers_to_resolutions ON refund_recipients;
CREATE FUNCTION check_recipient() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM added a
        WHERE NOT EXISTS (SELECT FROM resolutions r
                          WHERE (r.merchant_id, r.chain_id, r.seq) = (a.merchant_id, a.chain_id, a.promise_seq)
                            AND r.kind = 'refund')
          AND NOT EXISTS (SELECT FROM refunds r
                          WHERE (r.merchant_id, r.chain_id, r.seq) = (a.merchant_id, a.chain_id, a.promise_seq)
                            AND r.recipient = decode(repeat('00', 20), 'hex'));
    IF FOUND THEN
        RAISE EXCEPTION 'a recipient is given to no promise that lacks one'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER refers_to_promises AFTER INSERT ON refund_recipients
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_recipient();
