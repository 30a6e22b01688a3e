-- Payments whose payer decides how much: `price` is then the least that pays them. No other one grows by more than a byte.
ALTER TABLE payments ADD COLUMN open_amount boolean NOT NULL DEFAULT false;

DROP TRIGGER changes_words_alone ON payments;
CREATE TRIGGER changes_words_alone BEFORE UPDATE ON payments FOR EACH ROW
    WHEN ((OLD.merchant_id, OLD.payment_id, OLD.derivation_index, OLD.deposit_address, OLD.currency, OLD.price,
           OLD.options, OLD.reference, OLD.success_url, OLD.created_at, OLD.expires_at, OLD.quote, OLD.open_amount)
          IS DISTINCT FROM
          (NEW.merchant_id, NEW.payment_id, NEW.derivation_index, NEW.deposit_address, NEW.currency, NEW.price,
           NEW.options, NEW.reference, NEW.success_url, NEW.created_at, NEW.expires_at, NEW.quote, NEW.open_amount))
    EXECUTE FUNCTION refuse_other_key();
