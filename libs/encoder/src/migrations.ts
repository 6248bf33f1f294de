import type { Migration } from "@kinora/database";
import { storage } from "./migrations/0008_storage.ts";
import { elsewhere } from "./migrations/0009_elsewhere.ts";
import { notice } from "./migrations/0010_notice.ts";
import { lightTurns } from "./migrations/0011_light_turns.ts";
import { pictures } from "./migrations/0012_pictures.ts";
import { crashes } from "./migrations/0013_crashes.ts";
import { editions } from "./migrations/0014_editions.ts";

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
  {
    name: "0002_fleet",
    sql: `
      ALTER TABLE encodes DROP CONSTRAINT encodes_state_check;
      ALTER TABLE encodes ADD CONSTRAINT encodes_state_check CHECK (state IN
        ('queued', 'probing', 'planning', 'planned', 'encoding', 'verifying', 'succeeded', 'failed', 'cancelled'));
      ALTER TABLE encodes
        ADD COLUMN profile text NOT NULL DEFAULT 'h264-web',
        -- Everything that the profile and the request say, together.
        ADD COLUMN settings jsonb,
        -- 1, 0 or -1; higher comes first.
        ADD COLUMN priority smallint NOT NULL DEFAULT 0,
        -- The reservation of quota; the encode's id where there was only one.
        ADD COLUMN reservation_id uuid,
        -- encoder.v1.FrameTable, as binary Protobuf.
        ADD COLUMN frame_table bytea,
        ADD COLUMN verification jsonb,
        -- Track to the SHA-256 of its initialisation segment, in hex: the same in every chunk.
        ADD COLUMN inits jsonb NOT NULL DEFAULT '{}',
        -- Failed by machines' faults, with everything that was done still there.
        ADD COLUMN retryable boolean NOT NULL DEFAULT false,
        -- Made of many tasks, each with a folder of its own; otherwise its files lie below stream_prefix.
        ADD COLUMN chunked boolean NOT NULL DEFAULT false,
        -- When its beginning could be played for the first time.
        ADD COLUMN playable_at timestamptz(3);

      ALTER TABLE tasks DROP CONSTRAINT tasks_kind_check;
      ALTER TABLE tasks ADD CONSTRAINT tasks_kind_check CHECK (kind IN
        ('probe', 'encode', 'analyse', 'encode_chunk', 'audio', 'images', 'trial', 'verify'));
      ALTER TABLE tasks
        -- The message of the work that a worker is given, and that of its result.
        ADD COLUMN work jsonb,
        ADD COLUMN result jsonb,
        -- What attempts at a track of sound have brought so far: [{attempt, track}].
        ADD COLUMN delivered jsonb NOT NULL DEFAULT '[]',
        ADD COLUMN chunk integer,
        -- Which segments of which tracks it makes.
        ADD COLUMN tracks text[] NOT NULL DEFAULT '{}',
        ADD COLUMN first_segment integer NOT NULL DEFAULT 0,
        ADD COLUMN segments integer NOT NULL DEFAULT 0,
        -- Bytes, frames measured and the sum of their XPSNR, for each of the tracks once it is done.
        ADD COLUMN track_bytes double precision[] NOT NULL DEFAULT '{}',
        ADD COLUMN track_measured double precision[] NOT NULL DEFAULT '{}',
        ADD COLUMN track_xpsnr double precision[] NOT NULL DEFAULT '{}',
        -- Its part of the encode's work, in seconds of video.
        ADD COLUMN weight double precision NOT NULL DEFAULT 0,
        -- Its place in the queue (pg-boss's priority): see queue/fair-order.ts.
        ADD COLUMN place integer NOT NULL DEFAULT 0,
        -- Why it was given up.
        ADD COLUMN error text NOT NULL DEFAULT '',
        -- How long the attempt took that succeeded.
        ADD COLUMN seconds double precision,
        ADD COLUMN done_at timestamptz;
      CREATE INDEX tasks_waiting ON tasks (queue, created_at) WHERE state = 'waiting';
      CREATE INDEX tasks_chunks_done ON tasks (done_at DESC) WHERE kind = 'encode_chunk' AND state = 'done';

      -- Workers that have asked for work lately.
      CREATE TABLE workers (
        id text PRIMARY KEY,
        slots integer NOT NULL,
        cores integer NOT NULL,
        memory_bytes bigint NOT NULL,
        encoders text[] NOT NULL,
        seen_at timestamptz NOT NULL
      );

      -- How far each person's work has been given its place in the queues, and how far the queues are: see queue/fair-order.ts.
      CREATE TABLE fair_shares (
        owner_id uuid PRIMARY KEY,
        finish double precision NOT NULL
      );
      CREATE TABLE fair_clock (
        single boolean PRIMARY KEY DEFAULT true CHECK (single),
        reached double precision NOT NULL
      );
      INSERT INTO fair_clock (reached) VALUES (0);
    `,
  },
  {
    name: "0003_uploads",
    sql: `
      -- Uploads into an S3 server. They outlive their video, until what the server has of them is removed.
      CREATE TABLE uploads (
        video_id uuid PRIMARY KEY,
        multipart_id text NOT NULL,
        part_bytes bigint NOT NULL,
        -- Bytes after the parts, kept in an object until they are enough for a part.
        tail_bytes bigint NOT NULL DEFAULT 0,
        touched_at timestamptz(3) NOT NULL DEFAULT now()
      );
      CREATE TABLE upload_parts (
        video_id uuid NOT NULL REFERENCES uploads (video_id) ON DELETE CASCADE,
        number integer NOT NULL,
        bytes bigint NOT NULL,
        etag text NOT NULL,
        PRIMARY KEY (video_id, number)
      );

      -- Who writes an upload at this moment, of all replicas.
      CREATE TABLE upload_locks (
        video_id uuid PRIMARY KEY,
        holder uuid NOT NULL,
        expires_at timestamptz NOT NULL,
        wanted boolean NOT NULL DEFAULT false
      );
    `,
  },
  {
    name: "0004_profiles",
    sql: `
      CREATE TABLE profiles (
        owner_id uuid NOT NULL,
        name text NOT NULL,
        description text NOT NULL,
        -- encoder.v1.EncodeSettings.
        settings jsonb NOT NULL,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        updated_at timestamptz(3) NOT NULL DEFAULT now(),
        PRIMARY KEY (owner_id, name)
      );
    `,
  },
  {
    name: "0005_webhooks",
    sql: `
      CREATE TABLE webhooks (
        id uuid PRIMARY KEY,
        owner_id uuid NOT NULL,
        url text NOT NULL,
        description text NOT NULL,
        -- Types of events; none stands for all.
        events text[] NOT NULL,
        secret text NOT NULL,
        old_secret text,
        old_secret_until timestamptz,
        enabled boolean NOT NULL DEFAULT true,
        disabled_reason text NOT NULL DEFAULT '',
        -- Since when everything sent there has failed.
        failing_since timestamptz(3),
        created_at timestamptz(3) NOT NULL DEFAULT now()
      );
      CREATE INDEX webhooks_by_owner ON webhooks (owner_id, created_at, id);

      -- The outbox: an event on its way to an address, written together with what happened.
      CREATE TABLE webhook_deliveries (
        id uuid PRIMARY KEY,
        webhook_id uuid NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
        event_id uuid NOT NULL,
        type text NOT NULL,
        data jsonb NOT NULL,
        happened_at timestamptz(3) NOT NULL DEFAULT now(),
        state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'succeeded', 'failed')),
        attempts integer NOT NULL DEFAULT 0,
        last_status integer NOT NULL DEFAULT 0,
        last_error text NOT NULL DEFAULT '',
        last_attempt_at timestamptz(3),
        next_attempt_at timestamptz(3),
        created_at timestamptz(3) NOT NULL DEFAULT now()
      );
      CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (webhook_id, created_at DESC, id DESC);
      CREATE INDEX webhook_deliveries_by_time ON webhook_deliveries (created_at);
    `,
  },
  {
    name: "0006_cheap_heartbeats",
    sql: `
      -- A heartbeat changes nothing that is in an index, and finds room on its row's own page: then Postgres touches that page alone.
      DROP INDEX tasks_leased;
      CREATE INDEX tasks_leased ON tasks (id) WHERE state = 'leased';
      ALTER TABLE tasks SET (fillfactor = 60);
    `,
  },
  {
    name: "0007_chunks_made_again",
    sql: `
      -- A chunk that a check of the stream found at fault is made again once.
      ALTER TABLE tasks ADD COLUMN made_again boolean NOT NULL DEFAULT false;
    `,
  },
  storage,
  elsewhere,
  notice,
  lightTurns,
  pictures,
  crashes,
  editions,
];
