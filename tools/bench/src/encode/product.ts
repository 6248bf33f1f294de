import { createReadStream, statSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { EncoderService, type Playback } from "@kinora/proto-encoder";
import { createClientTransport } from "@kinora/rpc";
import { freePort, startNode, temporaryFolder, waitUntilReady } from "@kinora/testing";
import type { Source } from "./sources.ts";

/** Kinora in one process, as `npm start` runs it, with data of its own. */
export type Product = {
  /** Sends a video and has it encoded. Resolves with the seconds from its last byte until every rendition and the sound have their first segment; what is left of the encode is cancelled. */
  secondsUntilItPlays(source: Source): Promise<number>;
} & AsyncDisposable;

/** Between two looks, in milliseconds. */
const lookMs = 20;

export async function startProduct(signal: AbortSignal): Promise<Product> {
  await using starting = new AsyncDisposableStack();
  const folder = await temporaryFolder("bench-product-");
  starting.defer(() => folder.remove());
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const own = { KINORA_DATA: join(folder.path, "data"), XDG_CONFIG_HOME: join(folder.path, "config") };
  const server = startNode("apps/monolith/src/main.ts", {
    env: { ...own, DATABASE_URL: undefined, PORT: String(port), PUBLIC_URL: url },
  });
  starting.defer(async () => {
    await server.stop();
  });
  const ended = server.exit.then(() => {
    throw new Error(`The server ended: ${server.output()}`);
  });
  ended.catch(() => {}); // it ends in the end
  await Promise.race([waitUntilReady(url), ended]);
  const { stdout } = await startNode("apps/cli/src/main.ts", { args: ["token"], env: own }).exit;
  const transport = createClientTransport({ baseUrl: url, token: stdout.trim() });
  starting.defer(() => transport.close());
  const encoder = createClient(EncoderService, transport);
  const started = starting.move();

  const upload = async (to: string, path: string): Promise<number> => {
    const headers = {
      authorization: `Bearer ${stdout.trim()}`,
      "content-type": "application/offset+octet-stream",
      "content-length": statSync(path).size,
      "tus-resumable": "1.0.0",
      "upload-offset": "0",
    };
    const sending = request(to, { method: "PATCH", headers, signal });
    const answered = new Promise<number>((resolve, reject) => {
      sending.once("error", reject).once("response", (response) => {
        response.resume().once("end", () => resolve(response.statusCode ?? 0));
      });
    });
    await pipeline(createReadStream(path), sending);
    const lastByte = performance.now();
    const status = await answered;
    if (status !== 204) throw new Error(`the upload was answered with ${status}`);
    return lastByte;
  };
  return {
    async secondsUntilItPlays({ name, path }) {
      const size = statSync(path).size;
      const { video, uploadUrl } = await encoder.createVideo({ name, sizeBytes: BigInt(size) }, { signal });
      if (!video) throw new Error("no video was made");
      const lastByte = await upload(uploadUrl, path);
      const { encode } = await encoder.startEncode({ videoId: video.id }, { signal });
      const id = encode?.id ?? "";
      for (;;) {
        const { encode: now } = await encoder.getEncode({ id }, { signal });
        if (now?.error) throw new Error(now.error);
        if (now?.playback && (await playsEverywhere(now.playback, signal))) break;
        await sleep(lookMs, undefined, { signal });
      }
      const seconds = (performance.now() - lastByte) / 1000;
      await encoder.cancelEncode({ id }, { signal });
      await encoder.deleteVideo({ id: video.id }, { signal });
      // The machine is free again two seconds after a cancellation.
      await sleep(2_500, undefined, { signal });
      return seconds;
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

/** Whether each playlist that the stream names has a segment, and that can be fetched. */
async function playsEverywhere({ hlsUrl }: Playback, signal: AbortSignal): Promise<boolean> {
  const master = await textAt(hlsUrl, signal);
  const named = [...master.matchAll(/^(?!#)\S+$|(?<=^#EXT-X-MEDIA:.*URI=")[^"]+/gm)].map(
    ([uri]) => new URL(uri, hlsUrl).href,
  );
  const playable = await Promise.all(
    named.map(async (address) => {
      const [first] = (await textAt(address, signal)).match(/^(?!#)\S+$/m) ?? [];
      if (!first) return false;
      const segment = await fetch(new URL(first, address), { signal });
      return segment.ok && (await segment.arrayBuffer()).byteLength > 0;
    }),
  );
  return named.length > 0 && playable.every(Boolean);
}

async function textAt(address: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(address, { signal });
  const text = await response.text();
  return response.ok ? text : "";
}
