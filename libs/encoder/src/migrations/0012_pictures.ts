import type { Migration } from "@kinora/database";

/** Poster and storyboard count as stored, too, from now on: what was encoded before keeps the sum that it has. */
export const pictures: Migration = {
  name: "0012_pictures",
  sql: `
    ALTER TABLE encodes ADD COLUMN picture_bytes bigint NOT NULL DEFAULT 0;

    CREATE OR REPLACE FUNCTION note_stream() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF tg_op = 'DELETE' THEN
          INSERT INTO storage_changes (item_id, owner_id) VALUES (coalesce(OLD.reservation_id, OLD.id), OLD.owner_id);
        ELSIF NEW.state = 'succeeded' AND OLD.state <> 'succeeded' THEN
          INSERT INTO storage_changes (item_id, owner_id, bytes)
            VALUES (coalesce(NEW.reservation_id, NEW.id), NEW.owner_id, stream_bytes(NEW.result) + NEW.picture_bytes);
        ELSIF NEW.state IN ('failed', 'cancelled') AND OLD.state NOT IN ('failed', 'cancelled') THEN
          INSERT INTO storage_changes (item_id, owner_id) VALUES (coalesce(NEW.reservation_id, NEW.id), NEW.owner_id);
        END IF;
        RETURN NULL;
      END
    $$;
  `,
};
