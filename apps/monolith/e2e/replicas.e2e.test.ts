import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { openTestDatabase } from "@kinora/database/testing";
import { EncoderService, EncodeState, VideoState } from "@kinora/proto-encoder";
import { createClientTransport } from "@kinora/rpc";
import {
  freePort,
  type NodeProcess,
  realVideos,
  startNode,
  startS3Server,
  temporaryFolder,
  waitUntil,
  waitUntilReady,
} from "@kinora/testing";
import { expect, it } from "vitest";

/** The longest real video: there is time to strike while it is encoded. */
const [video = ""] = realVideos();
const mebibyte = 1024 * 1024;

/**
 * Two encoders on one Postgres and one bucket, each with a worker of its own. The first dies in mid-upload and the second in mid-encode, both by SIGKILL, so
 * nothing that matters may be in their memory, and nothing at all on their disks: their data folders differ.
 */
it("replicas of the encoder take over from each other, in mid-upload and in mid-encode", async () => {
  await using folder = await temporaryFolder("kinora-replicas-");
  await using s3 = await startS3Server(folder.path);
  const database = await openTestDatabase("encoder", []);
  // It is reached by a socket that this process holds open.
  const databaseUrl = decodeURIComponent(database.url).replace("/proc/self/", `/proc/${process.pid}/`);
  await using processes = new AsyncDisposableStack();
  processes.defer(() => database.close());
  const [userPort, ...ports] = [await freePort(), await freePort(), await freePort()];
  const userUrl = `http://127.0.0.1:${userPort}`;
  const common = { SERVICE_TOKEN: "service-token-of-the-test", WORKER_TOKEN: "worker-token-of-the-test" };

  function start(app: string, data: string, env: Record<string, string>): NodeProcess {
    const own = { KINORA_DATA: join(folder.path, data), DATABASE_URL: undefined, ...common, ...env };
    const started = startNode(`apps/${app}/src/main.ts`, { env: own });
    processes.defer(async () => void (await started.stop("SIGTERM")));
    return started;
  }
  async function startEncoder(index: 0 | 1): Promise<{ url: string; process: NodeProcess }> {
    const url = `http://127.0.0.1:${ports[index]}`;
    const started = start("encoder", `encoder-${index}`, {
      ...s3.env,
      PORT: String(ports[index]),
      PUBLIC_URL: url,
      USER_URL: userUrl,
      DATABASE_URL: databaseUrl,
      STORAGE_URL: s3.url("replicas"),
    });
    const early = started.exit.then(() => {
      throw new Error(`An encoder ended instead of starting:\n${started.output()}`);
    });
    await Promise.race([waitUntilReady(url), early]);
    return { url, process: started };
  }
  const startWorker = (name: string, encoderUrl: string) =>
    start("encoder-worker", name, { ENCODER_URL: encoderUrl, WORKER_ID: name });

  start("user", "user", { PORT: String(userPort), PUBLIC_URL: userUrl, ENCODER_URL: `http://127.0.0.1:${ports[0]}` });
  await waitUntilReady(userUrl);
  const [first, second] = [await startEncoder(0), await startEncoder(1)];
  const token = await logIn(folder.path, first.url);

  // In mid-upload.
  const source = await readFile(video);
  const { video: announced, uploadUrl } = await clientOf(first.url, token).createVideo({
    name: "sintel.mp4",
    sizeBytes: BigInt(source.length),
  });
  const id = announced?.id ?? "";
  const upload = (url: string) => new URL(new URL(uploadUrl).pathname, url).href;
  const patch = (url: string, offset: number, body: Uint8Array | ReadableStream) =>
    fetch(upload(url), {
      method: "PATCH",
      body,
      duplex: "half",
      headers: {
        ...tus(token),
        "content-type": "application/offset+octet-stream",
        "upload-offset": String(offset),
      },
    } as RequestInit);
  expect((await patch(first.url, 0, source.subarray(0, mebibyte))).status).toBe(204);
  const broken = patch(first.url, mebibyte, silentAfter(source.subarray(mebibyte, 2 * mebibyte))).catch(() => "broken");
  await waitUntil("the first encoder writes", async () => {
    const { rowCount } = await database.pool.query("SELECT FROM upload_locks");
    return rowCount === 1;
  });
  await first.process.stop("SIGKILL");
  expect(await broken).toBe("broken");
  const offset = await waitUntil("the second encoder takes the upload over", async () => {
    const head = await fetch(upload(second.url), { method: "HEAD", headers: tus(token) });
    return head.status === 200 && { bytes: Number(head.headers.get("upload-offset")) };
  });
  // What was acknowledged is there. The rest hadn't filled a part.
  expect(offset.bytes).toBe(mebibyte);
  const rest = await patch(second.url, offset.bytes, source.subarray(offset.bytes));
  expect([rest.status, rest.headers.get("upload-offset")]).toEqual([204, String(source.length)]);
  expect((await clientOf(second.url, token).getVideo({ id })).video?.state).toBe(VideoState.UPLOADED);

  // In mid-encode.
  const back = await startEncoder(0);
  startWorker("worker-0", back.url);
  startWorker("worker-1", second.url);
  const { encode } = await clientOf(second.url, token).startEncode({ videoId: id });
  const encodeId = encode?.id ?? "";
  await waitUntil("pictures are being encoded", async () => {
    const { encode: now } = await clientOf(second.url, token).getEncode({ id: encodeId });
    return now?.state === EncodeState.ENCODING && (now.progress?.frames ?? 0n) > 0n;
  });
  await second.process.stop("SIGKILL");
  const done = await waitUntil(
    "the first encoder finishes",
    async () => {
      const { encode: now } = await clientOf(back.url, token).getEncode({ id: encodeId });
      if (now?.state === EncodeState.FAILED) throw new Error(now.error);
      return now?.state === EncodeState.SUCCEEDED && now;
    },
    300_000,
  );

  // The stream plays from whichever encoder is there.
  const master = await fetch(`${back.url}/videos/${id}/master.m3u8`);
  expect(master.status).toBe(200);
  const variants = (await master.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  expect(variants.length).toBe(done.result?.video.length);
  for (const variant of variants) {
    const address = new URL(variant, master.url);
    const playlist = await (await fetch(address)).text();
    const files = playlist.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) expect((await fetch(new URL(file, address))).status).toBe(200);
  }

  // Deleting it leaves nothing in the bucket.
  await clientOf(back.url, token).deleteVideo({ id });
  await waitUntil("the bucket is empty", async () => (await s3.list()).length === 0);
}, 600_000);

function tus(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}`, "tus-resumable": "1.0.0" };
}

/** A body that brings some bytes, and then neither more nor its end. */
function silentAfter(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
    },
  });
}

function clientOf(url: string, token: string) {
  return createClient(
    EncoderService,
    createClientTransport({ baseUrl: url, token, protocol: "connect", httpVersion: "1.1", timeoutMs: 60_000 }),
  );
}

/** The owner's access token, as `kinora token` prints it. */
async function logIn(folder: string, server: string): Promise<string> {
  const env = { KINORA_DATA: join(folder, "user"), XDG_CONFIG_HOME: join(folder, "config"), KINORA_SERVER: server };
  const { stdout, stderr, code } = await startNode("apps/cli/src/main.ts", { args: ["token"], env }).exit;
  expect(code, stderr).toBe(0);
  return stdout.trim();
}
