-- What grows with each payment stands in partitions by month (docs/scale.md): a month can be detached, kept elsewhere
-- and attached again. The month is that in which the payment was created, which its id begins with (UUIDv7), so that
-- all of a payment stands together and nothing has to be looked up: a row whose payment is known is in one partition.
-- An event's month is that of its own id.

-- The partitions. Nobody but the owner of the tables reaches them other than through their tables.
CREATE SCHEMA months;
-- What was detached: tables of the same names. Reading goes by the views all_..., which look into both.
CREATE SCHEMA archive;

-- The month of an id, as 202611.
CREATE FUNCTION month_of(id uuid) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT (date_part('year', made.at) * 100 + date_part('month', made.at))::integer
    FROM (SELECT to_timestamp((('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000)::double precision)
                 AT TIME ZONE 'UTC' AS at) AS made
$$;

CREATE FUNCTION months.of_moment(moment timestamptz) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT (date_part('year', moment AT TIME ZONE 'UTC') * 100
            + date_part('month', moment AT TIME ZONE 'UTC'))::integer
$$;
CREATE FUNCTION months.next_of(month integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE WHEN month % 100 = 12 THEN month + 89 ELSE month + 1 END
$$;
-- The smallest id that can be made in the month.
CREATE FUNCTION months.first_id(month integer) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT (lpad(to_hex((date_part('epoch', make_timestamptz(month / 100, month % 100, 1, 0, 0, 0, 'UTC'))
                         * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- The tables, what each is partitioned by, and what is unique within a partition. A clearing and a settlement have
-- their authorization's payment, and so its partition: once within it is once.
-- Ids of events rise: with them first, the index grows at its end, and its pages are full.
CREATE FUNCTION months.books() RETURNS TABLE (book text, partitioned_by text, key text)
LANGUAGE sql IMMUTABLE AS $$
    VALUES ('authorizations', 'payment_id', 'merchant_id, chain_id, seq'),
           ('clearings', 'payment_id', 'merchant_id, chain_id, authorization_seq'),
           ('settlements', 'payment_id', 'merchant_id, chain_id, authorization_seq'),
           ('unapplied_receipts', 'payment_id', 'merchant_id, chain_id, authorization_seq'),
           ('postings', 'month', 'merchant_id, chain_id, seq, line'),
           ('outbox_events', 'event_id', 'event_id, merchant_id'),
           ('webhook_attempts', 'event_id', 'event_id, merchant_id, attempt')
$$;
CREATE FUNCTION months.bounds(partitioned_by text, month integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN partitioned_by = 'month' THEN format('FROM (%s) TO (%s)', month, months.next_of(month))
                ELSE format('FROM (%L) TO (%L)', months.first_id(month), months.first_id(months.next_of(month))) END
$$;

CREATE FUNCTION months.condition(partitioned_by text, month integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN partitioned_by = 'month' THEN format('month = %s', month)
                ELSE format('%1$I >= %2$L AND %1$I < %3$L', partitioned_by, months.first_id(month),
                            months.first_id(months.next_of(month))) END
$$;

-- An empty table like the book's others, not attached yet.
CREATE FUNCTION months.create_partition(book text, name text, key text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE months.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)',
                   name, book);
    EXECUTE format('ALTER TABLE months.%I ADD PRIMARY KEY (%s)', name, key);
    -- A row's triggers come with the table that it is attached to, a statement's do not.
    IF book NOT IN ('outbox_events', 'webhook_attempts') THEN
        EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON months.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change()', name);
    END IF;
END $$;

-- Attaches a month's table to its book. Rows of the month that came while it had none stand among those of no month,
-- and move: they are not changed, the same rows are in the books before and after.
CREATE FUNCTION months.attach_partition(book text, partitioned_by text, month integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    name text := book || '_' || month;
    rest text := book || '_rest';
    found bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM (SELECT FROM months.%I WHERE %s LIMIT 1) AS one', rest,
                   months.condition(partitioned_by, month)) INTO found;
    IF found > 0 THEN
        EXECUTE format('ALTER TABLE months.%I DISABLE TRIGGER USER', rest);
        EXECUTE format('WITH gone AS (DELETE FROM months.%I WHERE %s RETURNING *) INSERT INTO months.%I SELECT * FROM gone',
                       rest, months.condition(partitioned_by, month), name);
        EXECUTE format('ALTER TABLE months.%I ENABLE TRIGGER USER', rest);
    END IF;
    EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION months.%I FOR VALUES %s', book, name,
                   months.bounds(partitioned_by, month));
END $$;

-- Makes the partitions of one month where there are none.
CREATE FUNCTION months.make(month integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    b record;
    name text;
    made integer := 0;
BEGIN
    IF EXISTS (SELECT FROM public.archived_months a WHERE a.month = make.month) THEN RETURN 0; END IF;
    FOR b IN SELECT * FROM months.books() LOOP
        name := b.book || '_' || month;
        CONTINUE WHEN to_regclass(format('months.%I', name)) IS NOT NULL;
        PERFORM months.create_partition(b.book, name, b.key);
        -- With it, nothing has to be read when it is attached, here and elsewhere.
        EXECUTE format('ALTER TABLE months.%I ADD CONSTRAINT %I CHECK (%s)', name, name || '_is_of_its_month',
                       months.condition(b.partitioned_by, month));
        PERFORM months.attach_partition(b.book, b.partitioned_by, month);
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;

-- Whoever writes is kept out for as long as these take, which is not long: no row is read but those that move.
CREATE FUNCTION months.detach(month integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    b record;
    name text;
BEGIN
    FOR b IN SELECT * FROM months.books() LOOP
        name := b.book || '_' || month;
        EXECUTE format('ALTER TABLE public.%I DETACH PARTITION months.%I', b.book, name);
        EXECUTE format('ALTER TABLE months.%I SET SCHEMA archive', name);
        EXECUTE format('ALTER TABLE archive.%I ATTACH PARTITION archive.%I FOR VALUES %s', b.book, name,
                       months.bounds(b.partitioned_by, month));
    END LOOP;
END $$;
CREATE FUNCTION months.attach(month integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    b record;
    name text;
BEGIN
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

-- For the service, which owns no table: the partitions of this moment's month and of the next one. How many it made.
CREATE FUNCTION make_months(moment timestamptz) RETURNS integer LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(5910736);
    IF moment < '2020-01-01Z' OR moment > clock_timestamp() + interval '1 year' THEN
        RAISE EXCEPTION 'no partitions are made for %', moment USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN months.make(months.of_moment(moment)) + months.make(months.next_of(months.of_moment(moment)));
END $$;
REVOKE ALL ON FUNCTION make_months(timestamptz) FROM PUBLIC;

-- What was detached. A month that is neither in `months` nor in `archive` was taken out of the database.
CREATE TABLE archived_months (
    month             integer PRIMARY KEY CHECK (month BETWEEN 202001 AND 999912 AND month % 100 BETWEEN 1 AND 12),
    detached_at       timestamptz NOT NULL,
    checkpoint_number bigint NOT NULL REFERENCES checkpoints,  -- has every record of it
    last_booked_at    timestamptz,  -- of its records; null: none
    authorizations    bigint NOT NULL,
    events            bigint NOT NULL
);

-- Where one of its tables is gone, it can't be read. What rests on its records counts as its own, also when it was
-- booked after it was detached.
CREATE VIEW missing_months AS
    SELECT a.month, greatest(a.last_booked_at, (
        SELECT max(r.booked_at) FROM (
            SELECT payment_id, booked_at FROM resolutions
            UNION ALL SELECT target_payment_id, booked_at FROM resolutions
            UNION ALL SELECT payment_id, booked_at FROM reversals
            UNION ALL SELECT payment_id, booked_at FROM refunds
            UNION ALL SELECT payment_id, booked_at FROM refund_payments
            UNION ALL SELECT payment_id, booked_at FROM refund_cancellations
            UNION ALL SELECT payment_id, booked_at FROM token_losses
        ) r WHERE r.payment_id >= months.first_id(a.month)
            AND r.payment_id < months.first_id(months.next_of(a.month))
    )) AS last_booked_at
    FROM archived_months a
    WHERE EXISTS (SELECT FROM months.books() b WHERE NOT EXISTS (
        SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'archive' AND c.relname = b.book || '_' || a.month));

-- The tables as they were, until their rows have been copied.
CREATE SCHEMA before_months;

DO $$
DECLARE
    b record;
    d record;
    m integer;
BEGIN
    FOR b IN SELECT * FROM months.books() LOOP
        EXECUTE format('ALTER TABLE public.%I SET SCHEMA before_months', b.book);
        IF b.book = 'postings' THEN
            -- In the order that leaves no gaps between them.
            CREATE TABLE public.postings (
                merchant_id uuid NOT NULL,
                chain_id    bigint NOT NULL,
                seq         bigint NOT NULL,
                -- Of the payment, where the record is in a table by months; 0: stays where it is.
                month       integer NOT NULL,
                debit       ledger_account NOT NULL,
                credit      ledger_account NOT NULL,
                line        smallint NOT NULL,
                token       bytea NOT NULL CHECK (octet_length(token) = 20),
                amount      numeric(39,0) NOT NULL CHECK (amount > 0),
                CHECK (debit <> credit)
            ) PARTITION BY RANGE (month);
        ELSE
            EXECUTE format('CREATE TABLE public.%1$I (LIKE before_months.%1$I INCLUDING DEFAULTS INCLUDING CONSTRAINTS'
                           ' INCLUDING STORAGE) PARTITION BY RANGE (%2$I)', b.book, b.partitioned_by);
        END IF;
        PERFORM months.create_partition(b.book, b.book || '_rest', b.key);
        EXECUTE format('ALTER TABLE public.%1$I ATTACH PARTITION months.%2$I DEFAULT', b.book, b.book || '_rest');
    END LOOP;
    -- Booking goes on in these even where nobody makes the next month's.
    FOR m IN SELECT DISTINCT month_of(payment_id) FROM public.payments
             WHERE payment_id >= months.first_id(202001) AND payment_id < months.first_id(210001)
             UNION SELECT DISTINCT month_of(event_id) FROM before_months.outbox_events
             WHERE event_id >= months.first_id(202001) AND event_id < months.first_id(210001)
             UNION SELECT months.of_moment(now()) UNION SELECT months.next_of(months.of_moment(now())) LOOP
        PERFORM months.make(m);
    END LOOP;

    FOR b IN SELECT * FROM months.books() LOOP
        IF b.book <> 'postings' THEN
            EXECUTE format('INSERT INTO public.%1$I SELECT * FROM before_months.%1$I', b.book);
        END IF;
    END LOOP;
    INSERT INTO public.postings (merchant_id, chain_id, seq, month, debit, credit, line, token, amount)
    SELECT p.merchant_id, p.chain_id, p.seq, coalesce(month_of(r.payment_id), 0), p.debit, p.credit, p.line, p.token,
           p.amount
    FROM before_months.postings p LEFT JOIN (
        SELECT merchant_id, chain_id, seq, payment_id FROM before_months.authorizations
        UNION ALL SELECT merchant_id, chain_id, seq, payment_id FROM before_months.clearings
        UNION ALL SELECT merchant_id, chain_id, seq, payment_id FROM before_months.unapplied_receipts
    ) r USING (merchant_id, chain_id, seq);

    -- Their indexes and triggers, on the whole table and so on each of its partitions. What is unique is so within a
    -- partition, by its primary key.
    FOR d IN SELECT pg_get_indexdef(i.indexrelid) AS definition FROM pg_index i
             JOIN pg_class c ON c.oid = i.indrelid AND c.relnamespace = 'before_months'::regnamespace
             WHERE NOT i.indisunique LOOP
        EXECUTE replace(d.definition, ' ON before_months.', ' ON public.');
    END LOOP;
    FOR d IN SELECT pg_get_triggerdef(t.oid) AS definition FROM pg_trigger t
             JOIN pg_class c ON c.oid = t.tgrelid AND c.relnamespace = 'before_months'::regnamespace
             WHERE NOT t.tgisinternal AND t.tgname NOT IN ('refers_to_authorizations', 'refers_to_clearings') LOOP
        EXECUTE replace(d.definition, ' ON before_months.', ' ON public.');
    END LOOP;

    -- The payment alone is enough to find them, and half as large.
    DROP INDEX public.outbox_events_by_payment;
    CREATE INDEX outbox_events_by_payment ON public.outbox_events (payment_id);

    -- The same once more, for what is detached.
    FOR b IN SELECT * FROM months.books() LOOP
        EXECUTE format('CREATE TABLE archive.%1$I (LIKE public.%1$I INCLUDING DEFAULTS INCLUDING CONSTRAINTS'
                       ' INCLUDING STORAGE) PARTITION BY RANGE (%2$I)', b.book, b.partitioned_by);
        EXECUTE format('CREATE VIEW public.%2$I AS SELECT * FROM public.%1$I UNION ALL SELECT * FROM archive.%1$I',
                       b.book, 'all_' || b.book);
        CONTINUE WHEN b.book IN ('outbox_events', 'webhook_attempts');
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON archive.%I '
                       'FOR EACH ROW EXECUTE FUNCTION public.refuse_change()', b.book);
        EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON archive.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change()', b.book);
    END LOOP;
END $$;

DROP SCHEMA before_months CASCADE;

-- What a record refers to has to be there, of the same payment: that is what makes "once" within a partition be once.
-- A further argument names the column by which the table referred to is partitioned: the ids that are added bound the
-- partitions that are looked into. Of few rows, as a block's, each is looked for in an index: a join would read the
-- whole table for as long as that is not large. (OFFSET 0 keeps it from becoming one.)
CREATE OR REPLACE FUNCTION check_references() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    missing text;
    ids text := '';
    lookup text := '';
    first_id uuid;
    last_id uuid;
    rows_added bigint;
BEGIN
    IF TG_NARGS > 3 THEN
        EXECUTE format('SELECT a.%I FROM added a ORDER BY 1 LIMIT 1', TG_ARGV[3]) INTO first_id;
        IF first_id IS NULL THEN RETURN NULL; END IF;
        EXECUTE format('SELECT a.%I FROM added a ORDER BY 1 DESC LIMIT 1', TG_ARGV[3]) INTO last_id;
        ids := format(' AND r.%1$I = a.%1$I AND r.%1$I BETWEEN %2$L AND %3$L', TG_ARGV[3], first_id, last_id);
    END IF;
    EXECUTE 'SELECT count(*) FROM (SELECT FROM added LIMIT 20001) AS beginning' INTO rows_added;
    IF rows_added <= 20000 THEN lookup := ' OFFSET 0'; END IF;
    EXECUTE format('SELECT a.%I FROM added a WHERE NOT EXISTS (SELECT FROM %I.%I r WHERE %s%s%s) LIMIT 1',
                   TG_ARGV[2], TG_TABLE_SCHEMA, TG_ARGV[0], TG_ARGV[1], ids, lookup)
        INTO missing;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION '% refers to % of %, which is not there', TG_TABLE_NAME, missing, TG_ARGV[0]
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER refers_to_authorizations AFTER INSERT ON clearings
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_references(
        'authorizations',
        '(r.merchant_id, r.chain_id, r.seq) = (a.merchant_id, a.chain_id, a.authorization_seq)',
        'authorization_seq', 'payment_id');
CREATE TRIGGER refers_to_authorizations AFTER INSERT ON unapplied_receipts
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_references(
        'authorizations',
        '(r.merchant_id, r.chain_id, r.seq) = (a.merchant_id, a.chain_id, a.authorization_seq)',
        'authorization_seq', 'payment_id');
CREATE TRIGGER refers_to_clearings AFTER INSERT ON settlements
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_references(
        'clearings',
        '(r.merchant_id, r.chain_id, r.authorization_seq) = (a.merchant_id, a.chain_id, a.authorization_seq)',
        'authorization_seq', 'payment_id');
CREATE TRIGGER refers_to_events AFTER INSERT ON webhook_attempts
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_references(
        'outbox_events', 'r.merchant_id = a.merchant_id', 'event_id', 'event_id');
