import type { Kubectl } from "./kubectl.ts";

/** What is applied, in this order. */
export type Release = {
  /** Files with objects; `before` is empty where there is nothing to do first. */
  before?: string;
  objects: string;
  /** Names of the Job that has to be done first, and of the Deployments that have to be out in the end. */
  job?: string;
  deployments: readonly string[];
  /** Those that KEDA may have scaled to none. */
  scaled: readonly string[];
};

/** Longest waits, as kubectl writes them. */
const migrationTime = "15m";
const rolloutTime = "30m";

/**
 * Applies a service: what comes first, and waits for its Job; then the rest, and waits until the new version is out. A failed migration ends it there, with the old version in place.
 * @throws with what kubectl said
 */
export async function apply(kubectl: Kubectl, release: Release, say: (line: string) => void): Promise<void> {
  if (release.before !== undefined) await kubectl.run(["apply", "--filename", release.before]);
  if (release.job !== undefined) {
    say(`The migration runs: job/${release.job} …`);
    await finished(kubectl, release.job);
  }
  await kubectl.run(["apply", "--filename", release.objects]);
  for (const name of release.deployments) {
    say(`The new version goes out: deployment/${name} …`);
    await kubectl.run(["rollout", "status", `deployment/${name}`, `--timeout=${rolloutTime}`]);
  }
}

/** kubectl waits for one condition at a time, and a failed Job never completes. */
async function finished(kubectl: Kubectl, job: string): Promise<void> {
  const stop = new AbortController();
  const until = (condition: string) =>
    kubectl.run(["wait", `--for=condition=${condition}`, `job/${job}`, `--timeout=${migrationTime}`], stop.signal);
  const failed = until("failed").then(async () => {
    const log = await kubectl.run(["logs", `job/${job}`, "--tail=20"]).catch(() => "");
    throw new Error(`The migration failed, and nothing else was changed. job/${job} says:\n${log}`);
  });
  try {
    // Whichever waits in vain is ended, and says so to nobody.
    await Promise.race([until("complete"), failed]);
  } finally {
    stop.abort();
    failed.catch(() => {});
  }
}

/** Runs `work` with the address of one of the release's pods, for a check of its health. Workers of which there are none get one for so long. */
export async function withHealth(
  kubectl: Kubectl,
  release: Release,
  port: number,
  work: (url: string) => Promise<void>,
): Promise<void> {
  const [name] = release.deployments;
  if (name === undefined) throw new Error("There is no Deployment to ask.");
  const ready = await kubectl.run(["get", `deployment/${name}`, "--output=jsonpath={.status.readyReplicas}"]);
  const asleep = ready.trim() === "" && release.scaled.includes(name);
  const paused = "autoscaling.keda.sh/paused-replicas";
  try {
    if (asleep) {
      await kubectl.run(["annotate", `scaledobject/${name}`, `${paused}=1`, "--overwrite"]);
      await kubectl.run([
        "wait",
        "--for=jsonpath={.status.readyReplicas}=1",
        `deployment/${name}`,
        `--timeout=${rolloutTime}`,
      ]);
    }
    const forwarded = await kubectl.forward(name, port);
    try {
      await work(`http://127.0.0.1:${forwarded.port}`);
    } finally {
      await forwarded.close();
    }
  } finally {
    if (asleep) await kubectl.run(["annotate", `scaledobject/${name}`, `${paused}-`]);
  }
}
