-- A month that was taken out of the database before events were numbered gets the index of the numbers with their
-- column, when it is attached again: without it, the feed reads the whole month for each page.

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
        EXECUTE format('CREATE UNIQUE INDEX ON archive.%I (merchant_id, sequence)', 'outbox_events_' || month);
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
