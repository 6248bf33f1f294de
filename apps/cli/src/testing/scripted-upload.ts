import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { VideoState } from "@kinora/proto-encoder";
import { answer } from "./answer.ts";
import type { Script } from "./script.ts";
import type { ScriptedVideo } from "./scripted-encodes.ts";

/** Answers a tus request (HEAD or PATCH) for an upload; undefined stands for one that doesn't exist. */
export async function answerUpload(
  script: Script,
  entry: ScriptedVideo | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!entry) return answer(response, 404, "there is no such upload");
  if (request.method === "PATCH") {
    let offset = Number(request.headers["upload-offset"]);
    await sleep(script.uploadDelayMs);
    for await (const chunk of request as AsyncIterable<Buffer>) {
      // Checked for each chunk: a connection whose client is dead may still bring bytes.
      if (offset !== entry.bytes.length) return answer(response, 409);
      const cut = script.cutUploadAfter ?? Number.POSITIVE_INFINITY;
      entry.bytes = Buffer.concat([entry.bytes, chunk.subarray(0, cut)]);
      offset = entry.bytes.length;
      if (cut <= chunk.length) {
        script.cutUploadAfter = undefined;
        request.socket.destroy();
        return;
      }
      if (script.cutUploadAfter !== undefined) script.cutUploadAfter -= chunk.length;
    }
    if (offset !== entry.bytes.length) return answer(response, 409);
  }
  entry.video.uploadedBytes = BigInt(entry.bytes.length);
  if (entry.video.uploadedBytes === entry.video.sizeBytes) entry.video.state = VideoState.UPLOADED;
  response.setHeader("Upload-Offset", entry.bytes.length);
  answer(response, request.method === "HEAD" ? 200 : 204);
}
