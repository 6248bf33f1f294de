import type { Migration } from "@kinora/database";

/**
 * What is stored and what is gone, on its way to the user service. The database notes it itself, so that nothing can forget to: neither a new way to delete something nor the release
 * before, which runs beside this one during an upgrade. A source is known by its video, a stream by the reservation of its encode, as where room for them is set aside.
 */
export const storage: Migration = {
  name: "0008_storage",
  sql: `
    CREATE TABLE storage_changes (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      item_id uuid NOT NULL,
      owner_id uuid NOT NULL,
      -- Empty where it is gone, or will never be.
      bytes bigint
    );

    -- Of all tracks, by encoder.v1.StreamResult; pictures aren't counted. Earlier releases named one track of sound alone.
    CREATE FUNCTION stream_bytes(result jsonb) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
      SELECT coalesce(sum(bytes::bigint), 0)::bigint FROM (
        SELECT jsonb_path_query(result, '$.video[*].segments[*].bytes') AS bytes
        UNION ALL
        SELECT jsonb_path_query(result, CASE WHEN result ? 'audioTracks' THEN '$.audioTracks[*].segments[*].bytes' ELSE '$.audio.segments[*].bytes' END::jsonpath)
      ) AS segments
    $$;

    CREATE FUNCTION note_source() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF tg_op = 'DELETE' THEN
          INSERT INTO storage_changes (item_id, owner_id) VALUES (OLD.id, OLD.owner_id);
        ELSIF NEW.state = 'uploaded' AND OLD.state <> 'uploaded' THEN
          INSERT INTO storage_changes (item_id, owner_id, bytes) VALUES (NEW.id, NEW.owner_id, NEW.size_bytes);
        END IF;
        RETURN NULL;
      END
    $$;
    CREATE TRIGGER note_source AFTER UPDATE OF state OR DELETE ON videos FOR EACH ROW EXECUTE FUNCTION note_source();

    CREATE FUNCTION note_stream() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF tg_op = 'DELETE' THEN
          INSERT INTO storage_changes (item_id, owner_id) VALUES (coalesce(OLD.reservation_id, OLD.id), OLD.owner_id);
        ELSIF NEW.state = 'succeeded' AND OLD.state <> 'succeeded' THEN
          INSERT INTO storage_changes (item_id, owner_id, bytes)
            VALUES (coalesce(NEW.reservation_id, NEW.id), NEW.owner_id, stream_bytes(NEW.result));
        ELSIF NEW.state IN ('failed', 'cancelled') AND OLD.state NOT IN ('failed', 'cancelled') THEN
          INSERT INTO storage_changes (item_id, owner_id) VALUES (coalesce(NEW.reservation_id, NEW.id), NEW.owner_id);
        END IF;
        RETURN NULL;
      END
    $$;
    CREATE TRIGGER note_stream AFTER UPDATE OF state OR DELETE ON encodes FOR EACH ROW EXECUTE FUNCTION note_stream();

    -- What is there already.
    INSERT INTO storage_changes (item_id, owner_id, bytes)
      SELECT id, owner_id, size_bytes FROM videos WHERE state = 'uploaded'
      UNION ALL
      SELECT coalesce(reservation_id, id), owner_id, stream_bytes(result) FROM encodes WHERE state = 'succeeded';
  `,
};
