import type { DescMethod } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import type { Database } from "@kinora/database";
import type { Authenticate, HttpRoute, Logger, Routes } from "@kinora/rpc";
import type { S3Settings } from "@kinora/storage";
import type { PlaybackFrom } from "./playback/segment-source.ts";
import type { WebhookTargets } from "./webhook/webhook-url.ts";

/** What the encoder service needs. */
export type EncoderServiceDeps = {
  /** Opened with this package's `migrations`. */
  database: Database;
  /** KINORA_DATA; objects, uploads and the secret for signed addresses lie in its folder `encoder`, unless `s3` says otherwise. */
  dataDir: string;
  /** The bucket for objects and uploads; without it they are in a folder. */
  s3?: S3Settings | undefined;
  /** Where players get segments; without it, through this service. */
  playbackFrom?: PlaybackFrom | undefined;
  /** Where webhooks may go; without it, to the public internet alone. */
  webhookTargets?: WebhookTargets | undefined;
  /** Seals the secrets of webhooks in the database; all replicas share it. Without it they are kept as they are. */
  sealingSecret?: string | undefined;
  logger: Logger;
  /** Leads to `user.v1.QuotaService`, with the service credential. It may be unreachable for hours. */
  userTransport: Transport;
  /** Checks access tokens of uploads; the same that the server checks calls with. */
  authenticate: Authenticate;
  /** How players and browsers reach this service, such as `https://video.example.org`. */
  publicUrl: () => string;
  /** How workers reach this service, such as `http://127.0.0.1:8082`. Asked for at each use, since the port may be known only once the server listens. */
  internalUrl: () => string;
  /** Tasks of one queue that one person has in the hands of workers at a time, at most; 500 unless given. */
  perPersonCap?: number | undefined;
  /** How long an address is good that a worker reads a source by, in seconds; an hour unless given. Longer work gets new ones. */
  sourceUrlSeconds?: number | undefined;
  /** How often each replica looks for tasks that it wasn't told of, in milliseconds; a second unless given. */
  taskPollMs?: number | undefined;
  /** Whether a task that failed at a worker's hands waits half a minute for another worker, if there is one; it does unless given. */
  triesElsewhere?: boolean | undefined;
  /** How long encodes wait for a GPU's workers that are gone before they begin anew on the CPU, in seconds; for ever unless given. */
  gpuPatienceSeconds?: number | undefined;
  /** The credential of whoever scales the workers by `/metrics/queue`; without it there is no such route. */
  metricsToken?: string | undefined;
};

/** The encoder service as a value. */
export type EncoderService = {
  routes: Routes;
  /** Methods that wait until there is something to say. */
  longPolls: DescMethod[];
  /** Methods that must be answered when everything else is refused: a worker's result is hours of somebody's machine. */
  steadfast: DescMethod[];
  /** Uploads, objects for workers, playback. */
  http: HttpRoute[];
  /** Ends what waits: long polls for tasks come back empty, watch streams end as `unavailable` so that clients reconnect elsewhere. Call it before the server's `close`. */
  drain(): void;
  /** Stops background work; after the server's `close`, before the database's. Drains first if that hasn't happened. */
  close(): Promise<void>;
};
