import { lookup } from "node:dns/promises";
import http from "node:http";
import https from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { isPublicAddress } from "./public-address.ts";
import { type WebhookTargets, webhookUrlFault } from "./webhook-url.ts";

/** What an address answered. */
export type WebhookAnswer = { status: number; retryAfterSeconds: number | undefined };

/** How much of an answer is read, in bytes: what it says doesn't matter, and its connection isn't used again. */
const answerBytes = 64 * 1024;

/**
 * Posts a body, once. Redirects aren't followed. With `public`, each address that the host's name stands for must belong to the public internet, and the
 * connection goes to one of those very addresses: a name that changes its mind in between doesn't lead elsewhere.
 * @throws {Error} with a sentence for the owner of the address, when there is no answer
 */
export async function sendWebhook(
  address: string,
  request: { headers: Record<string, string>; body: string },
  targets: WebhookTargets,
  signal: AbortSignal,
): Promise<WebhookAnswer> {
  const fault = webhookUrlFault(address, targets);
  if (fault !== undefined) throw new Error(`The address ${fault}.`);
  const url = new URL(address);
  const addresses = await resolve(url, targets, signal);
  const body = Buffer.from(request.body);
  try {
    return await new Promise<WebhookAnswer>((done, failed) => {
      const sent = (url.protocol === "https:" ? https : http).request(url, {
        method: "POST",
        agent: false,
        lookup: answering(addresses),
        signal,
        maxHeaderSize: 16 * 1024,
        headers: {
          ...request.headers,
          "content-type": "application/json",
          "content-length": body.length,
          "user-agent": "Kinora-Webhooks/1",
        },
      });
      sent.on("error", failed);
      sent.on("response", (response) => {
        let read = 0;
        response.on("data", (chunk: Buffer) => {
          read += chunk.length;
          if (read > answerBytes) response.destroy();
        });
        response.on("error", () => {});
        response.on("close", () =>
          done({ status: response.statusCode ?? 0, retryAfterSeconds: secondsOf(response.headers["retry-after"]) }),
        );
      });
      sent.end(body);
    });
  } catch (error) {
    if (signal.aborted) throw new Error("There was no answer in time.");
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`There was no answer (${code ?? message}).`);
  }
}

type Resolved = { address: string; family: number };

async function resolve(url: URL, targets: WebhookTargets, signal: AbortSignal): Promise<Resolved[]> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const family = isIP(host);
  const found = family !== 0 ? [{ address: host, family }] : await lookupBefore(host, signal);
  if (targets === "public" && !found.every(({ address }) => isPublicAddress(address))) {
    throw new Error(`${host} doesn't lead to the public internet.`);
  }
  return found;
}

async function lookupBefore(host: string, signal: AbortSignal): Promise<Resolved[]> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(new Error("There was no answer in time."));
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([lookup(host, { all: true }), aborted.promise]);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === undefined ? error : new Error(`${host} has no address (${code}).`);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Answers the question for the host's addresses with those that were checked. */
function answering(addresses: readonly Resolved[]): LookupFunction {
  return (_host, options, callback) => {
    const [first] = addresses;
    if (options.all) callback(null, [...addresses]);
    else callback(null, first?.address ?? "", first?.family);
  };
}

function secondsOf(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) : undefined;
}
