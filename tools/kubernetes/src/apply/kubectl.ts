import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

/** Runs kubectl in one namespace. */
export type Kubectl = {
  /** To its end; what it printed. @throws with what it said when it fails */
  run(args: readonly string[], signal?: AbortSignal): Promise<string>;
  /** Leads a free port of this machine to one of a Deployment's pods; gives the port. */
  forward(deployment: string, port: number): Promise<{ port: number; close(): Promise<void> }>;
};

/** The cluster is the one that kubectl's own configuration names (KUBECONFIG). */
export function createKubectl(namespace: string): Kubectl {
  const start = (args: readonly string[], signal?: AbortSignal) =>
    spawn("kubectl", ["--namespace", namespace, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      ...(signal && { signal, killSignal: "SIGTERM" as const }),
    });
  return {
    async run(args, signal) {
      const child = start(args, signal);
      const [stdout, stderr, [code]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, "close"),
      ]);
      if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr.trim() || `exit code ${code}`}`);
      return stdout;
    },
    async forward(deployment, port) {
      const child = start(["port-forward", `deployment/${deployment}`, `:${port}`]);
      const closed = once(child, "close");
      let said = "";
      child.stderr.setEncoding("utf8").on("data", (part: string) => {
        said += part;
      });
      const local = await new Promise<number>((resolve, reject) => {
        child.stdout.setEncoding("utf8").on("data", (part: string) => {
          const found = /127\.0\.0\.1:(\d+) ->/.exec(part)?.[1];
          if (found !== undefined) resolve(Number(found));
        });
        closed.then(
          () => reject(new Error(`kubectl port-forward deployment/${deployment}: ${said.trim() || "it ended"}`)),
          reject,
        );
      });
      return {
        port: local,
        async close() {
          child.kill();
          await closed;
        },
      };
    },
  };
}
