import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { EncoderService, EncodeState } from "@kinora/proto-encoder";
import { createClientTransport } from "@kinora/rpc";
import type { Fleet } from "./fleet.ts";

/** How a job ended. */
export type JobEnd = { id: string; state: "succeeded" | "failed" | "cancelled"; verified: boolean; error: string };

const final = new Map<EncodeState, JobEnd["state"]>([
  [EncodeState.SUCCEEDED, "succeeded"],
  [EncodeState.FAILED, "failed"],
  [EncodeState.CANCELLED, "cancelled"],
]);
const tokenMs = 60_000;

/** Sends videos and follows their encodes, through whatever happens to the encoder. */
export function createJobs(fleet: Fleet, video: string) {
  let known: { token: string; since: number } | undefined;

  async function token(): Promise<string> {
    if (known === undefined || Date.now() - known.since > tokenMs) {
      known = { token: await fleet.token(), since: Date.now() };
    }
    return known.token;
  }

  /** Repeats what fails while the encoder is away. */
  async function through<T>(call: (encoder: ReturnType<typeof clientOf>, token: string) => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries += 1) {
      const bearer = await token();
      const transport = createClientTransport({ baseUrl: fleet.encoderUrl, token: bearer, timeoutMs: 10_000 });
      try {
        return await call(clientOf(transport), bearer);
      } catch (error) {
        if (tries > 60) throw error;
        await sleep(1_000);
      } finally {
        transport.close();
      }
    }
  }

  return {
    /** Sends the video and starts its encode; the answer is the encode's id. */
    async begin(): Promise<string> {
      const bytes = await readFile(video);
      const videoId = await through(async (encoder, bearer) => {
        const made = await encoder.createVideo({ name: "chaos.mp4", sizeBytes: BigInt(bytes.length) });
        const answer = await fetch(made.uploadUrl, {
          method: "PATCH",
          body: bytes,
          headers: {
            authorization: `Bearer ${bearer}`,
            "tus-resumable": "1.0.0",
            "content-type": "application/offset+octet-stream",
            "upload-offset": "0",
          },
        });
        if (!answer.ok) throw new Error(`The upload answered ${answer.status}.`);
        return made.video?.id ?? "";
      });
      const settings = {
        segmentSeconds: 2,
        preset: "ultrafast",
        rungs: [{ name: "small", longSide: 426, shortSide: 240, maxBitrate: 500_000 }],
      };
      const { encode } = await through((encoder) => encoder.startEncode({ videoId, settings }));
      return encode?.id ?? "";
    },
    /** Waits for an encode's end. */
    async end(id: string, signal: AbortSignal): Promise<JobEnd> {
      for (;;) {
        signal.throwIfAborted();
        const { encode } = await through((encoder) => encoder.getEncode({ id }));
        const state = encode && final.get(encode.state);
        if (encode && state) {
          return { id, state, verified: encode.verification?.passed === true, error: encode.error };
        }
        await sleep(500);
      }
    },
  };
}

const clientOf = (transport: Parameters<typeof createClient>[1]) => createClient(EncoderService, transport);
