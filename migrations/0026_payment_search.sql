-- Shops find a payment by their own order's number, most of all after a request that got no answer. Empty ones are in no
-- index, so that only who uses references pays for it: 60 to 90 bytes a payment that has one, and an insertion.
CREATE INDEX payments_by_reference ON payments (merchant_id, reference) WHERE reference <> '';

-- Of a payment, only its words may change: what was asked for, and where, is what the books rest on.
DROP TRIGGER keeps_its_key ON payments;
CREATE OR REPLACE FUNCTION refuse_other_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'of a payment, only the description and the metadata change'
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER changes_words_alone BEFORE UPDATE ON payments FOR EACH ROW
    WHEN ((OLD.merchant_id, OLD.payment_id, OLD.derivation_index, OLD.deposit_address, OLD.currency, OLD.price,
           OLD.options, OLD.reference, OLD.success_url, OLD.created_at, OLD.expires_at, OLD.quote)
          IS DISTINCT FROM
          (NEW.merchant_id, NEW.payment_id, NEW.derivation_index, NEW.deposit_address, NEW.currency, NEW.price,
           NEW.options, NEW.reference, NEW.success_url, NEW.created_at, NEW.expires_at, NEW.quote))
    EXECUTE FUNCTION refuse_other_key();
