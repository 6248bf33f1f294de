import { createServer } from "node:http";
import { requestJson, user } from "../messages.ts";
import { listen, type RunningServer } from "./running-server.ts";

/** Answers every request with the same JSON, the request's body unread. */
export function startConstant(): Promise<RunningServer> {
  // A string, because Node sends head and body in one piece then.
  const answer = JSON.stringify(user);
  return listen(
    createServer((_request, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(answer) });
      response.end(answer);
    }),
  );
}

/** The same with the body read and parsed, and the answer serialised. */
export function startExchange(): Promise<RunningServer> {
  const expected = requestJson(0).length;
  return listen(
    createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const { id } = JSON.parse(Buffer.concat(chunks).toString("utf8"));
        const answer = JSON.stringify(id.length <= expected ? user : {});
        response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(answer) });
        response.end(answer);
      });
    }),
  );
}
