-- What a record refers to has to be there. A foreign key looks for it row by row, and locks each row
-- that it finds against a deletion that these tables refuse anyway; here one query looks for all
-- rows of a statement (docs/decisions/0011).

ALTER TABLE authorizations     DROP CONSTRAINT authorizations_merchant_id_payment_id_fkey;
ALTER TABLE withdrawals        DROP CONSTRAINT withdrawals_merchant_id_payment_id_fkey;
ALTER TABLE clearings          DROP CONSTRAINT clearings_merchant_id_chain_id_authorization_seq_fkey;
ALTER TABLE settlements        DROP CONSTRAINT settlements_merchant_id_chain_id_authorization_seq_fkey;
ALTER TABLE unapplied_receipts DROP CONSTRAINT unapplied_receipts_merchant_id_chain_id_authorization_seq_fkey;
ALTER TABLE payments           DROP CONSTRAINT payments_merchant_id_fkey;

-- Nor is a merchant deleted.
CREATE TRIGGER never_deleted BEFORE DELETE ON merchants
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON merchants
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A payment is never deleted, nor does it get another id: records refer to it.
CREATE FUNCTION refuse_other_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a payment keeps its merchant, its id and its address'
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER never_deleted BEFORE DELETE ON payments
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON payments
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keeps_its_key BEFORE UPDATE ON payments FOR EACH ROW
    WHEN ((OLD.merchant_id, OLD.payment_id, OLD.derivation_index, OLD.deposit_address)
          IS DISTINCT FROM
          (NEW.merchant_id, NEW.payment_id, NEW.derivation_index, NEW.deposit_address))
    EXECUTE FUNCTION refuse_other_key();

-- Arguments: the table that is referred to, the columns of both (r: that table, a: the rows added), and
-- the column of ours that the message names. By EXECUTE, which plans anew each time: a plan that was
-- made while the table was empty may go by the wrong index for as long as the session lasts. By the
-- table's own schema: no temporary table may stand in for it.
CREATE FUNCTION check_references() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    missing text;
BEGIN
    EXECUTE format('SELECT a.%I FROM added a WHERE NOT EXISTS (SELECT FROM %I.%I r WHERE %s) LIMIT 1',
                   TG_ARGV[2], TG_TABLE_SCHEMA, TG_ARGV[0], TG_ARGV[1])
        INTO missing;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION '% refers to % of %, which is not there', TG_TABLE_NAME, missing, TG_ARGV[0]
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER refers_to_merchants AFTER INSERT ON payments
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_references(
        'merchants', 'r.merchant_id = a.merchant_id', 'merchant_id');
CREATE TRIGGER refers_to_payments AFTER INSERT ON authorizations
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_references(
        'payments', '(r.merchant_id, r.payment_id) = (a.merchant_id, a.payment_id)', 'payment_id');
CREATE TRIGGER refers_to_payments AFTER INSERT ON withdrawals
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_references(
        'payments', '(r.merchant_id, r.payment_id) = (a.merchant_id, a.payment_id)', 'payment_id');
CREATE TRIGGER refers_to_authorizations AFTER INSERT ON clearings
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_references(
        'authorizations',
        '(r.merchant_id, r.chain_id, r.seq) = (a.merchant_id, a.chain_id, a.authorization_seq)',
        'authorization_seq');
CREATE TRIGGER refers_to_authorizations AFTER INSERT ON unapplied_receipts
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_references(
        'authorizations',
        '(r.merchant_id, r.chain_id, r.seq) = (a.merchant_id, a.chain_id, a.authorization_seq)',
        'authorization_seq');
CREATE TRIGGER refers_to_clearings AFTER INSERT ON settlements
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_references(
        'clearings',
        '(r.merchant_id, r.chain_id, r.authorization_seq) = (a.merchant_id, a.chain_id, a.authorization_seq)',
        'authorization_seq');
