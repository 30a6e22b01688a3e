-- Merchants, what they may call with, and whose deposit addresses are derived from which key.

CREATE TABLE merchants (
    merchant_id           uuid PRIMARY KEY,
    name                  text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    extended_public_key   text NOT NULL,
    next_derivation_index bigint NOT NULL DEFAULT 0 CHECK (next_derivation_index BETWEEN 0 AND 2147483648),
    fee_basis_points      integer NOT NULL DEFAULT 0 CHECK (fee_basis_points BETWEEN 0 AND 10000),
    webhook_url           text,
    -- Sealed under the key file of the program: a dump of the database does not give it away.
    webhook_secret_sealed bytea,
    created_at            timestamptz NOT NULL,
    CHECK ((webhook_url IS NULL) = (webhook_secret_sealed IS NULL))
);

-- An extended key belongs to one merchant only, and so do its parent and its children 0 and 1: two
-- merchants must never derive the same address. claim: SHA-256 over key and chain code.
CREATE TABLE extended_key_claims (
    claim       bytea PRIMARY KEY CHECK (octet_length(claim) = 32),
    merchant_id uuid NOT NULL REFERENCES merchants
);

CREATE TABLE api_keys (
    merchant_id uuid NOT NULL REFERENCES merchants,
    key_id      uuid NOT NULL,
    label       text NOT NULL DEFAULT '',
    secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    created_at  timestamptz NOT NULL,
    revoked_at  timestamptz,
    PRIMARY KEY (merchant_id, key_id)
);
CREATE INDEX api_keys_by_id ON api_keys (key_id);
