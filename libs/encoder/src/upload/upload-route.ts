import type { IncomingMessage, ServerResponse } from "node:http";
import {
  type Authenticate,
  checkGrant,
  DomainError,
  type HttpRequest,
  type HttpResponse,
  type HttpRoute,
} from "@kinora/rpc";
import { answerText, pathOf } from "@kinora/storage";
import type { Context } from "../context.ts";
import { findVideo, type VideoRecord } from "../store/video.store.ts";
import { settleUpload } from "./settle-upload.ts";
import { TusError, tusFault } from "./tus-error.ts";
import { createTusServer } from "./tus-server.ts";
import type { Uploads } from "./uploads.ts";

const uploadPath = /^\/uploads\/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/;

/** The longest video, in bytes; the same as in the contract. */
const maxBytes = 1024 ** 4;

/**
 * Takes the bytes of announced videos at `/uploads/{videoId}`: tus 1.0.0, core protocol (HEAD and PATCH). Uploads are made by CreateVideo and removed
 * by DeleteVideo, so the protocol's extensions for that aren't offered.
 */
export function uploadRoute(context: Context, uploads: Uploads, authenticate: Authenticate): HttpRoute {
  const tus = createTusServer(context, uploads);
  return {
    path: "/uploads/",
    async handle(request, response) {
      response.setHeader("Access-Control-Allow-Origin", "*");
      response.setHeader("Access-Control-Expose-Headers", "Upload-Offset, Upload-Length, Tus-Resumable, Tus-Version");
      response.setHeader("Tus-Resumable", "1.0.0");
      if (request.method === "OPTIONS") return answerOptions(response);
      const videoId = uploadPath.exec(pathOf(request))?.[1];
      if (videoId === undefined) return answerText(request, response, 404, "There is no such upload.");
      if (request.method !== "HEAD" && request.method !== "PATCH") {
        response.setHeader("Allow", "HEAD, PATCH, OPTIONS");
        return answerText(request, response, 405, "Only HEAD and PATCH are possible here (tus 1.0.0, core protocol).");
      }
      const userId = await identify(request, response, authenticate);
      if (userId === undefined) return;
      const video = await findVideo(context.db, videoId, userId);
      if (video === undefined) return answerText(request, response, 404, "There is no such upload.");
      if (request.headers["tus-resumable"] !== "1.0.0") {
        response.setHeader("Tus-Version", "1.0.0");
        return answerText(request, response, 412, "Send the header Tus-Resumable: 1.0.0.");
      }
      try {
        if (await settleUpload(context, uploads, video)) return answerComplete(request, response, video);
      } catch (error) {
        const fault = tusFault(error);
        if (!(fault instanceof TusError)) throw error;
        return answerText(request, response, fault.status_code, fault.body.trimEnd());
      }
      // @tus/server is typed for HTTP/1.1 alone; what it runs on (srvx) serves HTTP/2 as well (upload-route.test.ts).
      await tus.handle(request as IncomingMessage, response as ServerResponse);
    },
  };
}

/** Whose token it is; undefined once the refusal is sent. */
async function identify(
  request: HttpRequest,
  response: HttpResponse,
  authenticate: Authenticate,
): Promise<string | undefined> {
  try {
    const caller = await authenticate(request.headers.authorization);
    if (caller.kind === "user") {
      checkGrant({ audience: "encoder", scope: "videos:write" }, caller);
      return caller.userId;
    }
    if (caller.kind !== "anonymous") answerText(request, response, 403, "Only people can send videos.");
    else refuse(request, response, "Send your access token: Authorization: Bearer …");
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    if (error.reason === "permission_denied") answerText(request, response, 403, error.message);
    else if (error.reason !== "unauthenticated") throw error;
    else refuse(request, response, error.message);
  }
  return undefined;
}

function refuse(request: HttpRequest, response: HttpResponse, message: string): void {
  response.setHeader("WWW-Authenticate", "Bearer");
  answerText(request, response, 401, message);
}

/** For browsers of other origins, and for tus clients that ask what this server can do. */
function answerOptions(response: HttpResponse): void {
  response.setHeader("Tus-Version", "1.0.0");
  response.setHeader("Tus-Max-Size", maxBytes);
  response.setHeader("Access-Control-Allow-Methods", "HEAD, PATCH, OPTIONS");
  response.setHeader("Access-Control-Allow-Headers", "Authorization, Content-Type, Tus-Resumable, Upload-Offset");
  response.setHeader("Access-Control-Max-Age", 86_400);
  response.statusCode = 204;
  response.end();
}

/** The file isn't among the uploads any more, but a client whose last answer was lost asks how far it had come. */
function answerComplete(request: HttpRequest, response: HttpResponse, video: VideoRecord): void {
  const { sizeBytes } = video;
  if (request.method === "PATCH" && Number(request.headers["upload-offset"]) !== sizeBytes) {
    answerText(request, response, 409, `The upload is complete at ${sizeBytes} bytes.`);
    return;
  }
  if (request.method === "PATCH" && request.headers["content-length"] !== "0") {
    answerText(request, response, 413, `The upload is complete at ${sizeBytes} bytes: there is no room for more.`);
    return;
  }
  response.setHeader("Upload-Offset", sizeBytes);
  response.setHeader("Upload-Length", sizeBytes);
  response.setHeader("Cache-Control", "no-store");
  response.statusCode = request.method === "PATCH" ? 204 : 200;
  response.end();
}
