import { Code } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import type { ServerStream } from "../http2/stream.ts";

const tooLarge = { code: codeToString(Code.ResourceExhausted), message: "the request's headers are too large" };

/** Answers an HTTP/2 request whose headers are more than there may be, and which nobody has looked at therefore. */
export function answerTooLarge(stream: ServerStream): void {
  const body = Buffer.from(`${JSON.stringify(tooLarge)}\n`);
  const type = ["content-type", "application/json", "content-length", String(body.length), "cache-control", "no-store"];
  stream.answer([":status", "431", ...type], body, undefined, false);
  stream.discard();
}
