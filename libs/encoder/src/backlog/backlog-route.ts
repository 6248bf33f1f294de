import { createHash, timingSafeEqual } from "node:crypto";
import type { HttpRoute } from "@kinora/rpc";
import { answerText } from "@kinora/storage";
import type { Context } from "../context.ts";
import { encoderQueue } from "../domain/task-kind.ts";
import { countTasks } from "../store/backlog.store.ts";
import { countForsakenTasks } from "../store/forsaken.store.ts";
import { backlogOf } from "./backlog.ts";

/**
 * `GET /metrics/queue`: what is to be done, as JSON (`Backlog`), for whoever decides how many workers there are, such as KEDA's `metrics-api` scaler. `?queue=a&queue=b` counts
 * these alone. Whoever asks for the CPU's queue is told of what would go over to it from workers with GPUs that are gone: somebody must start the worker that it goes over to. It opens to
 * `Authorization: Bearer <token>` alone: that credential reads these numbers and does nothing else.
 */
export function backlogRoute(
  { db, gpuPatienceSeconds }: Pick<Context, "db" | "gpuPatienceSeconds">,
  token: string,
): HttpRoute {
  const wanted = digest(`Bearer ${token}`);
  return {
    path: "/metrics/queue",
    async handle(request, response) {
      if (request.method !== "GET" && request.method !== "HEAD") {
        response.setHeader("Allow", "GET, HEAD");
        return answerText(request, response, 405, "This can only be read.");
      }
      // Digests have one length, so comparing them takes the same time whatever was sent.
      if (!timingSafeEqual(digest(request.headers.authorization ?? ""), wanted)) {
        response.setHeader("WWW-Authenticate", "Bearer");
        return answerText(request, response, 401, "Send the metrics token: Authorization: Bearer …");
      }
      const asked = new URL(request.url ?? "", "http://localhost").searchParams.getAll("queue");
      const counts = await countTasks(db);
      const counted = asked.length === 0 ? counts : counts.filter(({ queue }) => asked.includes(queue));
      if (gpuPatienceSeconds > 0 && asked.includes(cpuQueue)) {
        const tasks = await countForsakenTasks(db, gpuPatienceSeconds);
        if (tasks > 0) counted.push({ queue: cpuQueue, state: "waiting", tasks });
      }
      const body = JSON.stringify(backlogOf(counted));
      response.setHeader("Content-Type", "application/json");
      response.setHeader("Content-Length", Buffer.byteLength(body));
      response.setHeader("Cache-Control", "no-store");
      response.statusCode = 200;
      response.end(request.method === "HEAD" ? "" : body);
    },
  };
}

const cpuQueue = encoderQueue("cpu");

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
