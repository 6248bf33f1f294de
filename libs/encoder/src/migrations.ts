import type { Migration } from "@kinora/database";

/** The encoder's tables. The task queue's own (pg-boss) are in the schema `encoder_queue`. */
export const migrations: readonly Migration[] = [
  {
    name: "0001_videos_encodes_tasks",
    sql: `
      -- Times of creation have the precision of a JavaScript Date, so that page tokens can name them.
      CREATE TABLE videos (
        id uuid PRIMARY KEY,
        owner_id uuid NOT NULL,
        name text NOT NULL,
        size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
        state text NOT NULL CHECK (state IN ('uploading', 'uploaded')),
        -- The encode whose stream plays under the video's own addresses.
        published_encode_id uuid,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        uploaded_at timestamptz(3)
      );
      CREATE INDEX videos_by_owner ON videos (owner_id, created_at DESC, id DESC);
      CREATE INDEX videos_uploading ON videos (created_at) WHERE state = 'uploading';

      CREATE TABLE encodes (
        id uuid PRIMARY KEY,
        video_id uuid NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
        owner_id uuid NOT NULL,
        state text NOT NULL CHECK (state IN
          ('queued', 'probing', 'planning', 'planned', 'encoding', 'succeeded', 'failed', 'cancelled')),
        error text NOT NULL DEFAULT '',
        duration_seconds double precision NOT NULL DEFAULT 0,
        media jsonb,
        plan jsonb,
        result jsonb,
        -- Where the finished stream lies among the objects.
        stream_prefix text,
        has_poster boolean NOT NULL DEFAULT false,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        probed_at timestamptz(3),
        finished_at timestamptz(3)
      );
      -- One encode of a video at a time, whoever asks at the same moment.
      CREATE UNIQUE INDEX encodes_under_way ON encodes (video_id) WHERE state NOT IN ('succeeded', 'failed', 'cancelled');
      CREATE INDEX encodes_by_owner ON encodes (owner_id, created_at DESC, id DESC);
      CREATE INDEX encodes_by_video ON encodes (video_id, created_at DESC, id DESC);

      CREATE TABLE tasks (
        id uuid PRIMARY KEY,
        encode_id uuid NOT NULL REFERENCES encodes (id) ON DELETE CASCADE,
        kind text NOT NULL CHECK (kind IN ('probe', 'encode')),
        queue text NOT NULL,
        state text NOT NULL CHECK (state IN ('waiting', 'leased', 'done', 'failed', 'cancelled')),
        -- Counts the leases: the fencing token.
        attempt integer NOT NULL DEFAULT 0,
        -- Counts the leases that ended by a machine's fault.
        faults integer NOT NULL DEFAULT 0,
        worker_id text,
        leased_at timestamptz,
        lease_expires_at timestamptz,
        frames bigint NOT NULL DEFAULT 0,
        fraction double precision NOT NULL DEFAULT 0,
        speed double precision NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX tasks_by_encode ON tasks (encode_id, created_at DESC);
      CREATE INDEX tasks_leased ON tasks (lease_expires_at) WHERE state = 'leased';

      -- What was deleted, for a while: deleting it again is no error for its owner.
      CREATE TABLE deleted (
        id uuid PRIMARY KEY,
        owner_id uuid NOT NULL,
        deleted_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX deleted_by_time ON deleted (deleted_at);

      -- Accounts that were deleted: an access token outlives its account by minutes and must make nothing new.
      CREATE TABLE closed_accounts (
        owner_id uuid PRIMARY KEY,
        closed_at timestamptz NOT NULL DEFAULT now()
      );
    `,
  },
];
