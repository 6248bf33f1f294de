import { setTimeout as sleep } from "node:timers/promises";
import { closed, open } from "../../src/testing/hostile-client.ts";
import { readFrames } from "../../src/testing/http2-frames.ts";
import { connectionBytes, http1Bytes } from "./frames.ts";
import { cut } from "./mutate.ts";
import { type CaseRange, caseNumbers, type FuzzOptions, failure, type Outcome } from "./outcome.ts";
import { caseSeed, createRandom, type Random } from "./random.ts";
import { type ServerUnderTest, startServerUnderTest } from "./server-under-test.ts";
import { checkCall } from "./well-formed-call.ts";

const lanes = 8;
const casesBetweenLooks = 400;
// What warm-up and fragmentation may add to the heap.
const heapSlackMegabytes = 25;

/** Says what is wrong with what the server did about a case; undefined if nothing is. */
type Check = (random: Random, server: ServerUnderTest, sent: (bytes: Buffer) => void) => Promise<string | undefined>;

const kinds: readonly [Check, ...Check[]] = [rawHttp2, rawHttp2, rawHttp1, wellFormed];

/**
 * Sends one of our servers all kinds of rubbish. It has to live, to answer others meanwhile, to say nothing that isn't HTTP, to log nothing as unexpected, and to hold nothing once
 * everybody has left.
 */
export async function fuzzServer(options: FuzzOptions): Promise<Outcome> {
  const server = await startServerUnderTest();
  const outcome: Outcome = { cases: 0, failures: [] };
  const recent: { index: number; bytes: Buffer }[] = [];
  const numbers = caseNumbers(options);
  let heapAtFirst: number | undefined;

  const report = (what: string, cases: number | CaseRange) => {
    const bytes = recent.findLast(({ index }) => index === cases)?.bytes;
    outcome.failures.push(failure(what, options, "server", cases, bytes));
  };
  async function lane(batch: number[]): Promise<void> {
    for (let index = batch.shift(); index !== undefined && server.ended() === undefined; index = batch.shift()) {
      const at = index;
      const random = createRandom(caseSeed(options.seed, at));
      const sent = (bytes: Buffer) => {
        recent.push({ index: at, bytes });
        recent.splice(0, recent.length - 4 * lanes);
      };
      const wrong = await random
        .pick(kinds)(random, server, sent)
        .catch((error) => String(error));
      outcome.cases++;
      if (wrong !== undefined) {
        report(wrong, at);
      }
      if (at % 50 === 0) {
        await server.expectService().catch((error) => report(`others are not served: ${error}`, at));
      }
    }
  }

  async function look(batch: CaseRange): Promise<void> {
    const seen = await server.settled();
    heapAtFirst ??= seen.heapMegabytes;
    if (seen.streams > 0 || seen.sockets > 0) {
      report(`it still holds ${seen.streams} streams and ${seen.sockets} sockets`, batch);
    }
    if (seen.heapMegabytes > heapAtFirst * 1.3 + heapSlackMegabytes) {
      report(`its heap grew from ${heapAtFirst.toFixed(0)} to ${seen.heapMegabytes.toFixed(0)} MB`, batch);
    }
    for (const unexpected of seen.unexpected) {
      report(`it logged ${unexpected}`, batch);
    }
  }

  for (let done = false; !done && outcome.failures.length < 20; ) {
    const batch: number[] = [];
    while (batch.length < casesBetweenLooks && !done) {
      // A few at a time: when the time is over shows only here.
      const next = numbers.next();
      done = next.done === true;
      if (!next.done) {
        batch.push(next.value);
      }
    }
    const range = { first: batch.at(0) ?? 0, last: batch.at(-1) ?? 0 };
    await Promise.all(Array.from({ length: lanes }, () => lane(batch)));
    if (server.ended() !== undefined) {
      for (const { index, bytes } of recent) {
        outcome.failures.push(failure(server.ended() ?? "", options, "server", index, bytes));
      }
      break;
    }
    await look(range);
  }
  await server.stop();
  return outcome;
}

async function rawHttp2(random: Random, { port }: ServerUnderTest, sent: (bytes: Buffer) => void) {
  const reply = await exchange(connectionBytes(random), random, port, sent);
  if (reply.toString("latin1").startsWith("HTTP/1.1 4")) {
    // Its preface wasn't one.
    return undefined;
  }
  const frames = readFrames(reply);
  if (reply.length > 0 && frames[0]?.type !== 4) {
    return `its first frame is no SETTINGS: ${reply.subarray(0, 100).toString("hex")}`;
  }
  const unknown = frames.find(({ type }) => type > 9);
  return unknown && `it sent a frame of type ${unknown.type}`;
}

async function rawHttp1(random: Random, { port }: ServerUnderTest, sent: (bytes: Buffer) => void) {
  const reply = (await exchange(http1Bytes(random), random, port, sent)).toString("latin1");
  return reply === "" || /^HTTP\/1\.1 [1-5]\d\d /.test(reply) ? undefined : `it answered ${reply.slice(0, 200)}`;
}

async function wellFormed(random: Random, { port }: ServerUnderTest) {
  return checkCall(random, port);
}

/** Sends bytes, listens for a while, and leaves in one of the ways in which clients leave. */
async function exchange(bytes: Buffer, random: Random, port: number, sent: (bytes: Buffer) => void): Promise<Buffer> {
  sent(bytes);
  const socket = open(port);
  const gone = closed(socket);
  const received: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => received.push(chunk));
  for (const piece of cut(bytes, random)) {
    socket.write(piece);
    if (random.chance(0.3)) {
      await sleep(1);
    }
  }
  const half = random.chance(0.3);
  if (half) {
    socket.end();
  }
  await Promise.race([gone, sleep(random.int(5, 60))]);
  // A socket that has ended can't be reset: it would never close (Node 26.10).
  if (!half && random.chance(0.5)) {
    // Waits for what is written to be sent, which may be never.
    socket.resetAndDestroy();
    await Promise.race([gone, sleep(20)]);
  }
  socket.destroy();
  await gone;
  return Buffer.concat(received);
}
