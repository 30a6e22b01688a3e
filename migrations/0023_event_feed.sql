-- The events of each merchant are numbered from 1, without a gap, in the order in which they were committed, so that a
-- shop can ask for those after the last one that it has (docs/decisions/0017). A sequence of PostgreSQL would number
-- them in another order than they become visible in, and leave gaps.

-- The number of each merchant's newest event. Whoever writes events raises it in the same transaction, and so holds
-- its row until the commit: the next writer waits for it.
CREATE TABLE event_feeds (
    merchant_id   uuid PRIMARY KEY REFERENCES merchants,
    last_sequence bigint NOT NULL CHECK (last_sequence > 0)
) WITH (fillfactor = 50);

-- Null: of a month that was not in the database when the events were numbered. It is not in the feed.
ALTER TABLE outbox_events ADD COLUMN sequence bigint;
ALTER TABLE archive.outbox_events ADD COLUMN sequence bigint;
CREATE OR REPLACE VIEW all_outbox_events AS
    SELECT * FROM public.outbox_events UNION ALL SELECT * FROM archive.outbox_events;

CREATE TEMPORARY TABLE numbered_events ON COMMIT DROP AS
    SELECT merchant_id, event_id,
           row_number() OVER (PARTITION BY merchant_id ORDER BY created_at, event_id) AS sequence
    FROM all_outbox_events;
UPDATE outbox_events e SET sequence = n.sequence FROM numbered_events n
    WHERE (e.merchant_id, e.event_id) = (n.merchant_id, n.event_id);
UPDATE archive.outbox_events e SET sequence = n.sequence FROM numbered_events n
    WHERE (e.merchant_id, e.event_id) = (n.merchant_id, n.event_id);
INSERT INTO event_feeds (merchant_id, last_sequence)
    SELECT merchant_id, max(sequence) FROM numbered_events GROUP BY merchant_id;

-- In each month by itself. Over all of them it follows from the counter.
DO $$
DECLARE
    p record;
BEGIN
    FOR p IN SELECT n.nspname, c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
             JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE i.inhparent IN ('public.outbox_events'::regclass, 'archive.outbox_events'::regclass) LOOP
        EXECUTE format('CREATE UNIQUE INDEX ON %I.%I (merchant_id, sequence)', p.nspname, p.relname);
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION months.create_partition(book text, name text, key text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE months.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)',
                   name, book);
    EXECUTE format('ALTER TABLE months.%I ADD PRIMARY KEY (%s)', name, key);
    IF book = 'outbox_events' THEN
        EXECUTE format('CREATE UNIQUE INDEX ON months.%I (merchant_id, sequence)', name);
    END IF;
    -- A row's triggers come with the table that it is attached to, a statement's do not.
    IF book NOT IN ('outbox_events', 'webhook_deliveries', 'webhook_attempts') THEN
        EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON months.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change()', name);
    END IF;
END $$;

CREATE OR REPLACE FUNCTION months.attach(month integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    b record;
    name text;
BEGIN
    PERFORM months.renew_events(month);
    -- What was taken out of the database before the events were numbered has no numbers, and needs the column.
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = format('archive.%I', 'outbox_events_' || month)::regclass
                   AND attname = 'sequence' AND NOT attisdropped) THEN
        EXECUTE format('ALTER TABLE archive.%I ADD COLUMN sequence bigint', 'outbox_events_' || month);
    END IF;
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
