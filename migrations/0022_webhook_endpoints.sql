-- Webhook endpoints: several of a merchant's, each with its own choice of events, secret and deliveries. An event is
-- still one row of outbox_events, written with its record; deliveries of it are made in a transaction of their own.

CREATE TABLE webhook_endpoints (
    merchant_id            uuid NOT NULL REFERENCES merchants,
    endpoint_id            uuid NOT NULL,
    url                    text NOT NULL CHECK (length(url) BETWEEN 1 AND 2000),
    event_types            text[] NOT NULL CHECK (cardinality(event_types) BETWEEN 1 AND 50),  -- {*}: all
    description            text NOT NULL DEFAULT '' CHECK (length(description) <= 500),
    -- Sealed under the key file of the program: a dump of the database does not give them away.
    secret_sealed          bytea NOT NULL,
    previous_secret_sealed bytea,
    previous_secret_until  timestamptz,
    disabled_at            timestamptz,
    disabled_reason        text CHECK (disabled_reason IN ('merchant', 'gone')),
    created_at             timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, endpoint_id),
    CHECK ((previous_secret_sealed IS NULL) = (previous_secret_until IS NULL)),
    CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL))
);

-- One for each event and endpoint that wants it. An event of type webhook.test is in no outbox.
CREATE TABLE webhook_deliveries (
    merchant_id     uuid NOT NULL,
    endpoint_id     uuid NOT NULL,
    event_id        uuid NOT NULL,
    event_type      text NOT NULL,
    created_at      timestamptz NOT NULL,        -- of the event
    attempts        integer NOT NULL DEFAULT 0,  -- all of them
    failures        integer NOT NULL DEFAULT 0,  -- since it was asked for, first or again
    next_attempt_at timestamptz,                 -- null: delivered, given up, or the endpoint was disabled
    delivered_at    timestamptz
) PARTITION BY RANGE (event_id);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX webhook_deliveries_by_endpoint ON webhook_deliveries (endpoint_id, event_id);
CREATE TABLE archive.webhook_deliveries (LIKE webhook_deliveries INCLUDING DEFAULTS INCLUDING CONSTRAINTS
                                         INCLUDING STORAGE) PARTITION BY RANGE (event_id);
CREATE VIEW all_webhook_deliveries AS
    SELECT * FROM public.webhook_deliveries UNION ALL SELECT * FROM archive.webhook_deliveries;

CREATE OR REPLACE FUNCTION months.books() RETURNS TABLE (book text, partitioned_by text, key text)
LANGUAGE sql IMMUTABLE AS $$
    VALUES ('authorizations', 'payment_id', 'merchant_id, chain_id, seq'),
           ('clearings', 'payment_id', 'merchant_id, chain_id, authorization_seq'),
           ('settlements', 'payment_id', 'merchant_id, chain_id, authorization_seq'),
           ('unapplied_receipts', 'payment_id', 'merchant_id, chain_id, authorization_seq'),
           ('postings', 'month', 'merchant_id, chain_id, seq, line'),
           ('outbox_events', 'event_id', 'event_id, merchant_id'),
           ('webhook_deliveries', 'event_id', 'event_id, merchant_id, endpoint_id'),
           ('webhook_attempts', 'event_id', 'event_id, merchant_id, endpoint_id, attempt')
$$;

CREATE OR REPLACE FUNCTION months.create_partition(book text, name text, key text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE months.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)',
                   name, book);
    EXECUTE format('ALTER TABLE months.%I ADD PRIMARY KEY (%s)', name, key);
    -- A row's triggers come with the table that it is attached to, a statement's do not.
    IF book NOT IN ('outbox_events', 'webhook_deliveries', 'webhook_attempts') THEN
        EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON months.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change()', name);
    END IF;
END $$;

-- Its primary key, from now on.
CREATE FUNCTION months.replace_key(relation regclass, key text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE (SELECT format('ALTER TABLE %s DROP CONSTRAINT %I, ADD PRIMARY KEY (%s)', relation, c.conname, key)
             FROM pg_constraint c WHERE c.conrelid = relation AND c.contype = 'p');
END $$;

-- The one endpoint that a merchant had has the merchant's id.
INSERT INTO webhook_endpoints (merchant_id, endpoint_id, url, event_types, secret_sealed, created_at)
    SELECT merchant_id, merchant_id, webhook_url, '{*}', webhook_secret_sealed, created_at FROM merchants
    WHERE webhook_url IS NOT NULL;
ALTER TABLE merchants DROP COLUMN webhook_url, DROP COLUMN webhook_secret_sealed;

DROP TRIGGER refers_to_events ON webhook_attempts;
DROP VIEW all_outbox_events, all_webhook_attempts;

DO $$
DECLARE
    key text := (SELECT b.key FROM months.books() b WHERE b.book = 'webhook_deliveries');
    name text;
    place text;
    m integer;
    partition regclass;
BEGIN
    PERFORM months.create_partition('webhook_deliveries', 'webhook_deliveries_rest', key);
    ALTER TABLE public.webhook_deliveries ATTACH PARTITION months.webhook_deliveries_rest DEFAULT;
    FOR m IN SELECT substring(c.relname FROM '_([0-9]+)$')::integer FROM pg_class c
             WHERE c.relnamespace = 'months'::regnamespace AND c.relkind = 'r' AND c.relname ~ '^outbox_events_[0-9]+$' LOOP
        PERFORM months.make(m);
    END LOOP;
    -- Also of a month that was taken out of the database: whoever kept its tables does not have this one.
    FOR m IN SELECT month FROM archived_months LOOP
        name := 'webhook_deliveries_' || m;
        PERFORM months.create_partition('webhook_deliveries', name, key);
        EXECUTE format('ALTER TABLE months.%I ADD CONSTRAINT %I CHECK (%s)', name, name || '_is_of_its_month',
                       months.condition('event_id', m));
        EXECUTE format('ALTER TABLE months.%I SET SCHEMA archive', name);
        EXECUTE format('ALTER TABLE archive.webhook_deliveries ATTACH PARTITION archive.%I FOR VALUES %s', name,
                       months.bounds('event_id', m));
    END LOOP;

    FOREACH place IN ARRAY ARRAY['public', 'archive'] LOOP
        EXECUTE format('INSERT INTO %1$I.webhook_deliveries (merchant_id, endpoint_id, event_id, event_type, created_at,'
                       ' attempts, failures, next_attempt_at, delivered_at)'
                       ' SELECT merchant_id, merchant_id, event_id, type, created_at, attempts, attempts,'
                       ' next_attempt_at, delivered_at FROM %1$I.outbox_events'
                       ' WHERE attempts > 0 OR next_attempt_at IS NOT NULL', place);
        EXECUTE format('UPDATE %I.outbox_events SET next_attempt_at = NULL WHERE next_attempt_at IS NOT NULL', place);
        EXECUTE format('ALTER TABLE %I.outbox_events DROP COLUMN attempts, DROP COLUMN delivered_at', place);
        EXECUTE format('ALTER TABLE %I.webhook_attempts ADD COLUMN endpoint_id uuid,'
                       ' ADD COLUMN duration_ms integer NOT NULL DEFAULT 0, ADD COLUMN answer text NOT NULL DEFAULT ''''',
                       place);
        EXECUTE format('UPDATE %I.webhook_attempts SET endpoint_id = merchant_id', place);
        EXECUTE format('ALTER TABLE %I.webhook_attempts ALTER COLUMN endpoint_id SET NOT NULL', place);
        FOR partition IN SELECT inhrelid FROM pg_inherits
                         WHERE inhparent = format('%I.webhook_attempts', place)::regclass LOOP
            PERFORM months.replace_key(partition, 'event_id, merchant_id, endpoint_id, attempt');
        END LOOP;
    END LOOP;
END $$;

CREATE VIEW all_outbox_events AS
    SELECT * FROM public.outbox_events UNION ALL SELECT * FROM archive.outbox_events;
CREATE VIEW all_webhook_attempts AS
    SELECT * FROM public.webhook_attempts UNION ALL SELECT * FROM archive.webhook_attempts;

CREATE TRIGGER refers_to_deliveries AFTER INSERT ON webhook_attempts
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_references(
        'webhook_deliveries', '(r.merchant_id, r.endpoint_id) = (a.merchant_id, a.endpoint_id)', 'event_id', 'event_id');

COMMENT ON COLUMN outbox_events.next_attempt_at IS
    'When deliveries of it are to be made; null: they were, or nobody was there to be told';

-- Tables of a month that were taken out of the database before there were endpoints, and have been read back.
CREATE FUNCTION months.renew_events(month integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    events text := 'outbox_events_' || month;
    attempts text := 'webhook_attempts_' || month;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = format('archive.%I', events)::regclass
                   AND attname = 'delivered_at' AND NOT attisdropped) THEN RETURN; END IF;
    EXECUTE format('INSERT INTO archive.%I (merchant_id, endpoint_id, event_id, event_type, created_at, attempts,'
                   ' failures, delivered_at) SELECT merchant_id, merchant_id, event_id, type, created_at, attempts,'
                   ' attempts, delivered_at FROM archive.%I WHERE attempts > 0', 'webhook_deliveries_' || month, events);
    EXECUTE format('ALTER TABLE archive.%I DROP COLUMN attempts, DROP COLUMN delivered_at', events);
    EXECUTE format('ALTER TABLE archive.%I ADD COLUMN endpoint_id uuid,'
                   ' ADD COLUMN duration_ms integer NOT NULL DEFAULT 0, ADD COLUMN answer text NOT NULL DEFAULT ''''',
                   attempts);
    EXECUTE format('UPDATE archive.%I SET endpoint_id = merchant_id', attempts);
    EXECUTE format('ALTER TABLE archive.%I ALTER COLUMN endpoint_id SET NOT NULL', attempts);
    PERFORM months.replace_key(format('archive.%I', attempts)::regclass, 'event_id, merchant_id, endpoint_id, attempt');
END $$;

CREATE OR REPLACE FUNCTION months.attach(month integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    b record;
    name text;
BEGIN
    PERFORM months.renew_events(month);
    FOR b IN SELECT * FROM months.books() LOOP
        name := b.book || '_' || month;
        -- One that was read back from a file may stand by itself.
        IF EXISTS (SELECT FROM pg_inherits WHERE inhrelid = format('archive.%I', name)::regclass) THEN
            EXECUTE format('ALTER TABLE archive.%I DETACH PARTITION archive.%I', b.book, name);
        END IF;
        EXECUTE format('ALTER TABLE archive.%I SET SCHEMA months', name);
        PERFORM months.attach_partition(b.book, b.partitioned_by, month);
    END LOOP;
END $$;
