-- What each API key may do, from where and for how long, when it was used last, and by which key it
-- was replaced. A key that exists already may do everything, from anywhere, as before.

ALTER TABLE api_keys
    -- '*' alone: everything, also what comes later. Otherwise the names of scopes.
    ADD COLUMN scopes            text[] NOT NULL DEFAULT '{*}'
        CHECK (cardinality(scopes) BETWEEN 1 AND 100 AND array_position(scopes, NULL) IS NULL
               AND ('*' <> ALL (scopes) OR cardinality(scopes) = 1)),
    -- Empty: from anywhere.
    ADD COLUMN allowed_addresses cidr[] NOT NULL DEFAULT '{}'
        CHECK (cardinality(allowed_addresses) <= 50
               AND array_position(allowed_addresses, NULL) IS NULL),
    ADD COLUMN expires_at        timestamptz,
    ADD COLUMN last_used_at      timestamptz,
    ADD COLUMN replaced_by       uuid,
    ADD FOREIGN KEY (merchant_id, replaced_by) REFERENCES api_keys;

-- Whoever can change a key's row can take from it what it may do, and never give: what is revoked
-- stays so, an end comes earlier only, and a wider key is another key.
CREATE FUNCTION refuse_wider_api_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.merchant_id, NEW.key_id, NEW.secret_hash, NEW.created_at, NEW.scopes, NEW.allowed_addresses)
       IS DISTINCT FROM
       (OLD.merchant_id, OLD.key_id, OLD.secret_hash, OLD.created_at, OLD.scopes, OLD.allowed_addresses)
       OR (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at)
       OR (OLD.replaced_by IS NOT NULL AND NEW.replaced_by IS DISTINCT FROM OLD.replaced_by)
       OR (OLD.expires_at IS NOT NULL
           AND (NEW.expires_at IS NULL OR NEW.expires_at > OLD.expires_at)) THEN
        RAISE EXCEPTION 'an API key can be narrowed, never widened' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER never_wider BEFORE UPDATE ON api_keys
    FOR EACH ROW EXECUTE FUNCTION refuse_wider_api_key();
