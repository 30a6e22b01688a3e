-- What the operator is due, by merchant, in versions that are never changed: each clearing names its
-- own (docs/ledger.md). Parts in minor units of the payment's currency.

CREATE TABLE fee_schedules (
    merchant_id  uuid NOT NULL REFERENCES merchants,
    version      bigint NOT NULL CHECK (version > 0),
    basis_points integer NOT NULL CHECK (basis_points BETWEEN 0 AND 10000),
    rounding     text NOT NULL CHECK (rounding IN ('down', 'half_up', 'up')),
    fixed        numeric(39,0) NOT NULL CHECK (fixed >= 0),
    minimum      numeric(39,0) NOT NULL CHECK (minimum >= 0),
    maximum      numeric(39,0) CHECK (maximum >= minimum),  -- null: none
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, version)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON fee_schedules
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON fee_schedules
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

INSERT INTO fee_schedules
SELECT merchant_id, 1, fee_basis_points, 'down', 0, 0, NULL, created_at FROM merchants;
ALTER TABLE merchants DROP COLUMN fee_basis_points;

-- 0: booked before there were versions.
ALTER TABLE clearings ADD COLUMN fee_version bigint NOT NULL DEFAULT 0;
ALTER TABLE resolutions ADD COLUMN fee_version bigint NOT NULL DEFAULT 0;
