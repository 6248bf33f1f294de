import type { RequestFields } from "../../http2/request-fields.ts";
import type { ServerStream } from "../../http2/stream.ts";
import { corsHeaders } from "../cors.ts";
import type { Reply } from "./reply.ts";

/** Answers a stream's request, if it still takes an answer. */
export function sendOnStream(stream: ServerStream, reply: Reply): void {
  const { body, enveloped, trailers } = reply;
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  stream.answer(head(reply, stream.fields), bytes, trailers, enveloped === true);
}

/** Sends the head of an answer that goes on. */
export function begin(stream: ServerStream, reply: Pick<Reply, "status" | "headers">): void {
  stream.respond(head(reply, stream.fields));
}

// Of those headers that are always the same, the fields are as well, so that they are encoded once.
const constantHeads = new WeakMap<readonly string[], readonly string[]>();

function head({ status, headers }: Pick<Reply, "status" | "headers">, request: RequestFields): readonly string[] {
  if (request.get("origin") !== undefined) {
    return [":status", String(status), ...headers, ...corsHeaders];
  }
  if (status !== 200) {
    return [":status", String(status), ...headers];
  }
  const known = constantHeads.get(headers);
  if (known !== undefined) {
    return known;
  }
  const fields = [":status", "200", ...headers];
  if (Object.isFrozen(headers)) {
    constantHeads.set(headers, Object.freeze(fields));
  }
  return fields;
}
