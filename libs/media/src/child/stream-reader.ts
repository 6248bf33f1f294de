import { setTimeout as delay } from "node:timers/promises";
import { TaskError } from "../task-error.ts";

/** Reads a stream's files by their addresses, following redirects. A file that isn't there is an Error; a server that doesn't answer is a `TaskError` of the machine's. */
export type StreamReader = {
  /** A text, and the address that it came from in the end. */
  text(url: string): Promise<{ text: string; url: string }>;
  bytes(url: string): Promise<Buffer>;
  /** A file's first bytes, and its length. */
  start(url: string, length: number): Promise<{ bytes: Buffer; size: number }>;
};

const timeoutMs = 30_000;
const retryMs = [200, 1000, 3000];
/** No file of a stream is larger. */
const maxBytes = 256 * 2 ** 20;

export function createStreamReader(): StreamReader {
  const request = async (
    url: string,
    headers: Record<string, string> = {},
  ): Promise<{ response: Response; bytes: Buffer }> => {
    for (let attempt = 0; ; attempt++) {
      try {
        const response = await fetch(url, {
          headers: { "accept-encoding": "identity", ...headers },
          signal: AbortSignal.timeout(timeoutMs),
        });
        if (response.status >= 500 || response.status === 429)
          throw new Unavailable(`its server answers ${response.status}`);
        if (!response.ok) {
          await response.body?.cancel();
          throw new Missing(`${new URL(url).pathname} is answered with ${response.status}`);
        }
        if (Number(response.headers.get("content-length")) > maxBytes) throw new Missing("it is absurdly large");
        return { response, bytes: Buffer.from(await response.arrayBuffer()) };
      } catch (error) {
        if (error instanceof Missing) throw error;
        const wait = retryMs[attempt];
        if (wait === undefined) {
          const reason =
            error instanceof Error
              ? error.cause instanceof Error
                ? error.cause.message
                : error.message
              : String(error);
          throw new TaskError("machine", `The stream cannot be read: ${reason}.`, { cause: error });
        }
        await delay(wait);
      }
    }
  };
  return {
    async text(url) {
      const { response, bytes } = await request(url);
      return { text: bytes.toString("utf8"), url: response.url };
    },
    bytes: async (url) => (await request(url)).bytes,
    async start(url, length) {
      const { response, bytes } = await request(url, { range: `bytes=0-${length - 1}` });
      const total = /\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1];
      return { bytes, size: response.status === 206 ? Number(total) : bytes.length };
    },
  };
}

class Missing extends Error {}
class Unavailable extends Error {}
