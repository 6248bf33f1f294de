import { answerText } from "./answer-text.ts";
import type { FolderStore } from "./folder-store.ts";
import type { HttpRequest, HttpResponse } from "./http-message.ts";
import { isKey } from "./key.ts";
import { LengthMismatchError, StorageFullError } from "./object-store.ts";
import { pathOf, queryOf } from "./request-path.ts";
import { serveObject } from "./serve-object.ts";
import { type Grant, verifyGrant } from "./signature.ts";

/** The most bytes of an object that is written by a signed address that states no limit. */
const defaultMaxBytes = 8 * 1024 ** 3;

/** Serves a folder store's signed addresses below `/objects/`: GET and HEAD with ranges, PUT with a Content-Length. */
export function objectRoute(store: FolderStore): {
  path: string;
  handle(request: HttpRequest, response: HttpResponse): Promise<void>;
} {
  return {
    path: "/objects/",
    async handle(request, response) {
      const key = pathOf(request).slice("/objects/".length);
      if (!isKey(key)) return answerText(request, response, 404, "There is nothing here.");
      const grant = verifyGrant(store.secret, key, queryOf(request), Date.now() / 1000);
      if (grant === "forged") return answerText(request, response, 403, "This address isn't signed by this server.");
      if (grant === "expired")
        return answerText(request, response, 403, "This address has expired: ask for a new one.");
      const method = request.method === "HEAD" ? "GET" : request.method;
      if (method !== grant.method) {
        response.setHeader("Allow", grant.method === "GET" ? "GET, HEAD" : "PUT");
        return answerText(request, response, 405, `This address is for ${grant.method} only.`);
      }
      if (method === "PUT") return await receiveObject(store, grant, request, response);
      await serveObject(store, key, request, response, {
        "Content-Type": "application/octet-stream",
        "Cache-Control": "private, no-store",
      });
    },
  };
}

async function receiveObject(
  store: FolderStore,
  grant: Grant,
  request: HttpRequest,
  response: HttpResponse,
): Promise<void> {
  const length = request.headers["content-length"];
  if (length === undefined || !/^\d{1,15}$/.test(length)) {
    return answerText(request, response, 411, "State the object's length in a Content-Length header.");
  }
  const bytes = Number(length);
  const maxBytes = grant.maxBytes ?? defaultMaxBytes;
  if (bytes > maxBytes) return answerText(request, response, 413, `At most ${maxBytes} bytes may be written here.`);
  try {
    const stat = await store.put(grant.key, request, { bytes });
    response.statusCode = 201;
    response.setHeader("ETag", stat.etag);
    response.setHeader("Content-Length", 0);
    response.end();
  } catch (error) {
    if (error instanceof StorageFullError) return answerText(request, response, 507, error.message);
    if (error instanceof LengthMismatchError) return answerText(request, response, 400, error.message);
    if (request.destroyed || response.destroyed) return; // the client went away; nothing of the object is left
    throw error;
  }
}
