import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { playerRoute } from "@kinora/player";
import { WorkerService } from "@kinora/proto-encoder";
import { QuotaService } from "@kinora/proto-user";
import { createSeal } from "@kinora/service";
import { objectRoute, openStorage } from "@kinora/storage";
import { backlogRoute } from "./backlog/backlog-route.ts";
import type { Context } from "./context.ts";
import type { EncoderService, EncoderServiceDeps } from "./deps.ts";
import { cleanUp } from "./encode/cleanup.ts";
import { expireEncode } from "./encode/expire-encode.ts";
import { leaveGoneFamilies } from "./encode/leave-family.ts";
import { makePlan, releaseQuota, settleQuota } from "./encode/plan-encode.ts";
import { playbackRoute } from "./playback/playback-route.ts";
import { createSegmentSource } from "./playback/segment-source.ts";
import { openQueue } from "./queue/queue.ts";
import { createTaskSignal } from "./queue/task-signal.ts";
import { extendQuota } from "./quota/extend-quota.ts";
import { tellStorage } from "./quota/tell-storage.ts";
import { accountRoutes } from "./rpc/account-routes.ts";
import { encoderRoutes } from "./rpc/encoder-routes.ts";
import { profileRoutes } from "./rpc/profile-routes.ts";
import { uploadRoutes } from "./rpc/upload-routes.ts";
import { webhookRoutes } from "./rpc/webhook-routes.ts";
import { workerRoutes } from "./rpc/worker-routes.ts";
import { createDb } from "./store/db.ts";
import { domainStorage } from "./store/domain-storage.ts";
import { openTaskChannel } from "./store/task-channel.store.ts";
import { createStreams } from "./stream/streams.ts";
import { lookAfterUploads } from "./upload/abandoned-uploads.ts";
import { createDirectUpload } from "./upload/direct-upload.ts";
import { openUploads } from "./upload/open-uploads.ts";
import { uploadRoute } from "./upload/upload-route.ts";
import { createWakeups } from "./wakeups.ts";
import { deliverWebhook, type WebhookSender } from "./webhook/deliver-webhook.ts";
import { createWebhookSecrets, sealStoredSecrets } from "./webhook/webhook-secrets.ts";
import { createDispatcher } from "./worker/dispatcher.ts";
import { createFleetRegister } from "./worker/fleet-register.ts";
import { createHeartbeats } from "./worker/heartbeats.ts";
import { createSettleTurns } from "./worker/settle-turns.ts";
import { sweepLeases } from "./worker/sweep.ts";

/** Results of tasks that are written at a time, of the ten connections that the pool has. */
const settlings = 5;

/** Starts the encoder service: its queues, its background work, and what a server needs to serve it. */
export async function createEncoderService(deps: EncoderServiceDeps): Promise<EncoderService> {
  const { database, logger, publicUrl } = deps;
  const folder = join(deps.dataDir, "encoder");
  const db = createDb(database.pool);
  const opened = await openStorage({
    s3: deps.s3,
    folder: {
      folder: join(folder, "objects"),
      secretFile: join(folder, "signing-secret"),
      baseUrl: deps.internalUrl,
    },
  });
  const segments = await createSegmentSource(opened, deps.playbackFrom ?? "encoder");
  const { uploads, s3 } = await openUploads(opened, { db, folder: join(folder, "uploads"), logger });
  const storage = domainStorage(opened.store);
  const queue = await openQueue({ url: database.url, logger });
  const stopping = new AbortController();
  const taskSignal = createTaskSignal(() => channel.send());
  const channel = openTaskChannel({ url: database.url, db, logger, heard: taskSignal.wake });
  const context: Context = {
    db,
    queue,
    storage,
    logger,
    encodeChanged: createWakeups(),
    taskSignal,
    taskPollMs: deps.taskPollMs ?? 1_000,
    triesElsewhere: deps.triesElsewhere ?? true,
    gpuPatienceSeconds: deps.gpuPatienceSeconds ?? 0,
    streams: createStreams(db),
    internalUrl: deps.internalUrl,
    sourceUrlSeconds: deps.sourceUrlSeconds ?? 3600,
    perPersonCap: deps.perPersonCap ?? 500,
    settleTurns: createSettleTurns(settlings),
    publications: new Map(),
    stopping: stopping.signal,
  };
  const quota = createClient(QuotaService, deps.userTransport);
  const draining = new AbortController();
  const seal = deps.sealingSecret === undefined ? undefined : createSeal(deps.sealingSecret, "webhook secrets");
  const secrets = createWebhookSecrets(seal);
  const sender: WebhookSender = { publicUrl, targets: deps.webhookTargets ?? "public", secrets };
  const dispatcher = createDispatcher(context, draining.signal);
  const heartbeats = createHeartbeats(context);
  const fleet = createFleetRegister(context);

  try {
    await queue.work({
      plan: ({ encodeId }, signal) => makePlan(context, quota, encodeId, signal),
      extend: ({ encodeId }, signal) => extendQuota(context, quota, encodeId, signal),
      settle: ({ encodeId, reservationId = encodeId, seconds }, signal) =>
        settleQuota(quota, reservationId, seconds, signal),
      release: ({ encodeId, reservationId = encodeId }, signal) => releaseQuota(quota, reservationId, signal),
      expire: ({ encodeId }, signal) => expireEncode(context, encodeId, signal),
      cleanup: (job, signal) => cleanUp({ storage, uploads }, job, signal),
      webhook: (job, signal) => deliverWebhook(context, sender, job, signal),
    });
  } catch (error) {
    await Promise.allSettled([channel.close(), queue.close()]);
    throw error;
  }
  const background = [
    fleet.keep(stopping.signal),
    sweepLeases(context, stopping.signal),
    lookAfterUploads(context, uploads, stopping.signal),
    tellStorage(context, quota, stopping.signal),
    ...(context.gpuPatienceSeconds > 0 ? [leaveGoneFamilies(context, stopping.signal)] : []),
    ...(seal === undefined ? [] : [sealStoredSecrets(context, secrets, stopping.signal)]),
  ];

  const { leaseTask } = WorkerService.method;
  const drain = () => draining.abort(new Error("The encoder is stopping."));
  return {
    routes(router) {
      encoderRoutes(router, { context, uploads, quota, publicUrl, stopping: draining.signal });
      profileRoutes(router, context);
      webhookRoutes(router, context, sender);
      uploadRoutes(router, context, s3 && createDirectUpload(context, s3));
      workerRoutes(router, context, { dispatcher, heartbeats, fleet });
      accountRoutes(router, context);
    },
    longPolls: [leaseTask],
    steadfast: WorkerService.methods.filter((method) => method !== leaseTask),
    http: [
      ...(opened.kind === "folder" ? [objectRoute(opened.store)] : []),
      uploadRoute(context, uploads, deps.authenticate),
      playbackRoute(context, segments),
      playerRoute(),
      ...(deps.metricsToken === undefined ? [] : [backlogRoute(context, deps.metricsToken)]),
    ],
    drain,
    async close() {
      drain();
      stopping.abort(new Error("The encoder is stopping."));
      await Promise.allSettled([...background, ...context.publications.values(), channel.close()]);
      await queue.close();
      if (opened.kind === "s3") opened.store.close();
    },
  };
}
