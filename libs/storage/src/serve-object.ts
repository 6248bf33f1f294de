import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { answerText } from "./answer-text.ts";
import type { HttpRequest, HttpResponse } from "./http-message.ts";
import type { ObjectStat, ObjectStore } from "./object-store.ts";
import { parseRange } from "./range.ts";

/**
 * Answers a GET or HEAD with an object: ranges (206, 416), conditional requests (304) and 404 as in RFC 9110. `headers` go out with every
 * answer but the 404.
 */
export async function serveObject(
  store: Pick<ObjectStore, "get" | "stat">,
  key: string,
  request: HttpRequest,
  response: HttpResponse,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  if (isPlain(request)) return await serveWhole(store, key, request, response, headers);
  const stat = await store.stat(key);
  if (stat === undefined) return answerText(request, response, 404, "There is nothing here.");
  describe(response, stat, headers);
  if (isUnchanged(request, stat)) {
    response.statusCode = 304;
    response.end();
    return;
  }
  const asked = ifRangeHolds(request, stat)
    ? parseRange(request.headers.range, stat.bytes)
    : ({ kind: "whole" } as const);
  if (asked.kind === "unsatisfiable") {
    response.setHeader("Content-Range", `bytes */${stat.bytes}`);
    return answerText(request, response, 416, `The object has ${stat.bytes} bytes.`);
  }
  const range = asked.kind === "part" ? asked.range : { start: 0, end: stat.bytes - 1 };
  response.statusCode = asked.kind === "part" ? 206 : 200;
  if (asked.kind === "part") response.setHeader("Content-Range", `bytes ${range.start}-${range.end}/${stat.bytes}`);
  response.setHeader("Content-Length", range.end - range.start + 1);
  if (request.method === "HEAD" || stat.bytes === 0) {
    response.end();
    return;
  }
  await sendBody(store, key, stat, range, response);
}

/** Whether all of an object is asked for, without conditions: as players ask for segments. */
function isPlain({ method, headers }: HttpRequest): boolean {
  return (
    method === "GET" &&
    headers.range === undefined &&
    headers["if-none-match"] === undefined &&
    headers["if-modified-since"] === undefined
  );
}

/** Asks the store once, where everything else takes a question about the object before its bytes. */
async function serveWhole(
  store: Pick<ObjectStore, "get">,
  key: string,
  request: HttpRequest,
  response: HttpResponse,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const object = await store.get(key);
  if (object === undefined) return answerText(request, response, 404, "There is nothing here.");
  describe(response, object.stat, headers);
  response.statusCode = 200;
  response.setHeader("Content-Length", object.stat.bytes);
  await send(object.body, response);
}

function describe(response: HttpResponse, stat: ObjectStat, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader("Accept-Ranges", "bytes");
  response.setHeader("ETag", stat.etag);
  response.setHeader("Last-Modified", stat.modified.toUTCString());
}

async function sendBody(
  store: Pick<ObjectStore, "get">,
  key: string,
  stat: ObjectStat,
  range: { start: number; end: number },
  response: HttpResponse,
): Promise<void> {
  const object = await store.get(key, { range });
  // Replaced or deleted since: what the headers promise can't be kept, and the next request finds the new state.
  if (object === undefined || object.stat.etag !== stat.etag) {
    object?.body.destroy();
    response.destroy();
    return;
  }
  await send(object.body, response);
}

/** The client going away is no fault of ours, and any other one can't be told any more: the cut connection tells. */
async function send(body: Readable, response: HttpResponse): Promise<void> {
  await pipeline(body, response).catch(() => {
    // Where the client had gone before, the pipeline hasn't begun, and leaves the body open: a file handle that nobody closes ends the process.
    body.destroy();
    response.destroy();
  });
}

function isUnchanged(request: HttpRequest, stat: ObjectStat): boolean {
  const match = request.headers["if-none-match"];
  if (match !== undefined) {
    const tags = match.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
    return tags.includes("*") || tags.includes(stat.etag);
  }
  const since = Date.parse(request.headers["if-modified-since"] ?? "");
  return !Number.isNaN(since) && Math.floor(stat.modified.getTime() / 1000) * 1000 <= since;
}

function ifRangeHolds(request: HttpRequest, stat: ObjectStat): boolean {
  const condition = request.headers["if-range"];
  return typeof condition !== "string" || condition === stat.etag || condition === stat.modified.toUTCString();
}
