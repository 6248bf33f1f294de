import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type CallOptions, Code, ConnectError, createClient } from "@connectrpc/connect";
import { EncoderService, EncodeState, FailureKind, ProfileService, WebhookService } from "@kinora/proto-encoder";
import { createClientTransport } from "@kinora/rpc";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { kinds, lease, must, type Person, patchUpload, uploadVideo } from "./testing/harness.ts";
import { emptyEncoder, useEncoder } from "./testing/use-encoder.ts";

// Twenty who ask for one thing at the same moment, over sockets: it is done once.

const crowd = 20;
const installation = useEncoder();
const transports: { close(): void }[] = [];
afterAll(() => {
  for (const transport of transports) transport.close();
});
beforeEach(() => emptyEncoder(installation.database));

/** Clients of a person, who doesn't try again by themselves. */
function clientsOf({ token }: Person) {
  const transport = createClientTransport({
    baseUrl: installation.encoder.url,
    token,
    retry: false,
    timeoutMs: 30_000,
  });
  transports.push(transport);
  return {
    encoder: createClient(EncoderService, transport),
    profiles: createClient(ProfileService, transport),
    webhooks: createClient(WebhookService, transport),
  };
}
type Clients = ReturnType<typeof clientsOf>;

async function one(sql: string, ...values: unknown[]): Promise<number> {
  return Number((await installation.database.pool.query<{ n: string }>(sql, values)).rows[0]?.n);
}
const videosOf = (ownerId: string) => one("select count(*) as n from videos where owner_id = $1", ownerId);
const encodesOf = (videoId: string) => one("select count(*) as n from encodes where video_id = $1", videoId);

/** What each of the crowd came to: its answer, or the code of its error. */
const outcomes = <T>(call: (racer: number) => Promise<T>) =>
  Promise.all(
    Array.from({ length: crowd }, (_, racer) =>
      call(racer).catch((error: unknown) => Code[ConnectError.from(error).code] ?? ""),
    ),
  );

/** A video whose encode has failed, so that it can be tried again. */
async function failedEncode(person: Person): Promise<string> {
  const { worker } = installation.encoder;
  const videoId = await uploadVideo(person);
  const { encode } = await person.encoder.startEncode({ videoId });
  const crash = { kind: FailureKind.MACHINE, message: "It ended by SIGSEGV.", crashed: true };
  for (let time = 0; time < 2; time++) {
    await installation.database.pool.query("UPDATE encoder_queue.job SET start_after = now() WHERE state = 'retry'");
    await worker.failTask({ lease: must((await lease(worker)).lease), ...crash });
  }
  const { id } = must(encode);
  await expect.poll(async () => (await person.encoder.getEncode({ id })).encode?.state).toBe(EncodeState.FAILED);
  return id;
}
const newWebhook = async ({ webhooks }: Clients) =>
  must((await webhooks.createWebhook({ url: "http://127.0.0.1:9/hook" })).webhook).id;

type Case = {
  /** Makes ready; the call, and how many there are of what it makes. */
  prepare(
    person: Person,
    clients: Clients,
  ): Promise<{
    call(clients: Clients, options: CallOptions): Promise<unknown>;
    made(): Promise<number>;
  }>;
};

const cases: Record<string, Case> = {
  CreateVideo: {
    async prepare({ id }) {
      return {
        call: ({ encoder }, options) => encoder.createVideo({ name: "one.mp4", sizeBytes: 5n }, options),
        made: () => videosOf(id),
      };
    },
  },
  StartEncode: {
    async prepare(person) {
      const videoId = await uploadVideo(person);
      return {
        call: ({ encoder }, options) => encoder.startEncode({ videoId }, options),
        made: () => encodesOf(videoId),
      };
    },
  },
  RetryEncode: {
    async prepare(person) {
      const id = await failedEncode(person);
      return {
        call: ({ encoder }, options) => encoder.retryEncode({ id }, options),
        made: () => one("select count(*) as n from encodes where id = $1 and state <> 'failed'", id),
      };
    },
  },
  CreateProfile: {
    async prepare(_, { profiles }) {
      return {
        call: (clients, options) =>
          clients.profiles.createProfile({ name: "archive", settings: { codec: "hevc" } }, options),
        made: async () => (await profiles.listProfiles({})).profiles.filter(({ builtIn }) => !builtIn).length,
      };
    },
  },
  CreateWebhook: {
    async prepare(_, { webhooks }) {
      return {
        // The answer has the webhook's secret.
        call: (clients, options) => clients.webhooks.createWebhook({ url: "http://127.0.0.1:9/hook" }, options),
        made: async () => (await webhooks.listWebhooks({})).webhooks.length,
      };
    },
  },
  RotateWebhookSecret: {
    async prepare(_, clients) {
      const id = await newWebhook(clients);
      return {
        call: ({ webhooks }, options) => webhooks.rotateWebhookSecret({ id }, options),
        made: async () => 1,
      };
    },
  },
  TestWebhook: {
    async prepare(_, clients) {
      const id = await newWebhook(clients);
      return {
        call: ({ webhooks }, options) => webhooks.testWebhook({ id }, options),
        made: () => one("select count(*) as n from webhook_deliveries where webhook_id = $1", id),
      };
    },
  },
};

describe("with one idempotency key, twenty calls are one:", () => {
  it.each(Object.entries(cases))("%s", async (_, { prepare }) => {
    const person = installation.encoder.person();
    const clients = clientsOf(person);
    const { call, made } = await prepare(person, clients);
    const crowdOf = Array.from({ length: crowd }, () => clientsOf(person));
    const key = `"${crypto.randomUUID()}"`;
    const replayed: boolean[] = [];
    const answers = await outcomes((racer) =>
      call(must(crowdOf[racer]), {
        headers: { "idempotency-key": key },
        onHeader: (headers) => void replayed.push(headers.has("idempotency-replayed")),
      }),
    );
    expect(answers.filter((answer) => typeof answer === "string")).toEqual([]);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(replayed.filter((again) => !again)).toHaveLength(1);
    expect(await made()).toBe(1);
  });

  it("and after them, when the first answer was lost", async () => {
    const person = installation.encoder.person();
    const { encoder } = clientsOf(person);
    const headers = { "idempotency-key": crypto.randomUUID() };
    const request = { name: "one.mp4", sizeBytes: 5n };
    const lost = await outcomes((racer) =>
      encoder.createVideo(request, { headers, signal: AbortSignal.timeout(racer) }),
    );
    const again = await outcomes(() => encoder.createVideo(request, { headers }));
    expect(new Set(again.map((answer) => (typeof answer === "string" ? answer : answer.video?.id))).size).toBe(1);
    for (const answer of lost) if (typeof answer !== "string") expect(answer).toEqual(again[0]);
    expect(await videosOf(person.id)).toBe(1);
  });

  it("as long as they are one person's, and say the same", async () => {
    const people = Array.from({ length: crowd }, () => installation.encoder.person());
    const headers = { "idempotency-key": crypto.randomUUID() };
    const answers = await outcomes((racer) =>
      clientsOf(must(people[racer])).encoder.createVideo({ name: "one.mp4", sizeBytes: 5n }, { headers }),
    );
    expect(new Set(answers.map((answer) => (typeof answer === "string" ? answer : answer.video?.id))).size).toBe(crowd);
    for (const { id } of people) expect(await videosOf(id)).toBe(1);

    const person = must(people[0]);
    const others = await outcomes((racer) =>
      clientsOf(person).encoder.createVideo({ name: `${racer}.mp4`, sizeBytes: 5n }, { headers }),
    );
    expect(new Set(others)).toEqual(new Set(["InvalidArgument"]));
    expect(await videosOf(person.id)).toBe(1);
  });
});

describe("without a key,", () => {
  it("one video is encoded once: everybody gets the encode that there is", async () => {
    const person = installation.encoder.person();
    const videoId = await uploadVideo(person);
    const answers = await outcomes(() => clientsOf(person).encoder.startEncode({ videoId }));
    expect(new Set(answers.map((answer) => (typeof answer === "string" ? answer : answer.encode?.id))).size).toBe(1);
    expect(await encodesOf(videoId)).toBe(1);
  });

  it("one profile has a name", async () => {
    const person = installation.encoder.person();
    const answers = await outcomes(() =>
      clientsOf(person).profiles.createProfile({ name: "archive", settings: { codec: "hevc" } }),
    );
    expect(answers.filter((answer) => answer === "AlreadyExists")).toHaveLength(crowd - 1);
  });

  it("the bytes of an upload are one sender's, whole", async () => {
    const person = installation.encoder.person();
    const size = 200_000;
    const bodyOf = (racer: number) => Buffer.alloc(size, "abcdefghijklmnopqrst"[racer]);
    const { video, uploadUrl } = await person.encoder.createVideo({ name: "v", sizeBytes: BigInt(size) });
    const answers = await outcomes((racer) => patchUpload(uploadUrl, person.token, 0, bodyOf(racer)));
    const statuses = answers.map((answer) => (typeof answer === "string" ? answer : answer.status));
    // Others are told that the upload is further than they said, or held.
    expect(statuses.filter((status) => status !== 409 && status !== 423)).toEqual([204]);
    expect(await readdir(join(installation.dataDir, "encoder", "uploads"))).toEqual([]);
    await person.encoder.startEncode({ videoId: must(video).id });
    const { sourceUrl } = await lease(installation.encoder.worker);
    const source = Buffer.from(await (await fetch(sourceUrl)).arrayBuffer());
    expect(source.length).toBe(size);
    expect(new Set(source).size).toBe(1);
  });

  it("one worker gets a task, and its result counts once", async () => {
    const person = installation.encoder.person();
    const { worker } = installation.encoder;
    const videoId = await uploadVideo(person);
    await person.encoder.startEncode({ videoId });
    const leases = await outcomes((racer) =>
      worker.leaseTask({ workerId: `w${racer}`, encoders: ["cpu"], kinds, wait: { seconds: 1n, nanos: 0 } }),
    );
    const tasks = leases.flatMap((answer) => (typeof answer !== "string" && answer.task ? [answer.task] : []));
    expect(tasks).toHaveLength(1);
    const { lease } = must(tasks[0]);
    const fail = { lease: must(lease), message: "this isn't a video", kind: FailureKind.INPUT };
    const ends = await outcomes(() => worker.failTask(fail));
    expect(ends.filter((end) => end === "Internal" || end === "Unknown")).toEqual([]);
    expect(await one("select count(*) as n from encodes where video_id = $1 and state = 'failed'", videoId)).toBe(1);
  });
});
