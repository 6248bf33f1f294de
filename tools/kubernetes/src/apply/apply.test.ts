import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const main = fileURLToPath(new URL("main.ts", import.meta.url));
const ownAddresses = new URL("testing/own-addresses.ts", import.meta.url).href;
const digest = "0123456789abcdef".repeat(4);

/** Stands for kubectl, as there is no cluster here: notes what it is told, and answers as kubectl would. */
const kubectl = `#!${process.execPath}
const { appendFileSync } = require("node:fs");
const [, , , namespace, ...args] = process.argv;
const line = args.join(" ");
appendFileSync(process.env.KUBECTL_LOG, namespace + ": " + line.replace(/\\S*\\/dist\\/manifests\\//, "") + "\\n");
const migration = process.env.MIGRATION ?? "complete";
if (line.startsWith("wait --for=condition=") && !line.includes("=" + migration + " ")) setInterval(() => {}, 1000);
if (line.startsWith("logs")) console.log("Migration 0009 failed");
if (line.startsWith("get deployment")) process.stdout.write(process.env.READY ?? "2");
if (line.startsWith("rollout") && process.env.ROLLOUT === "fails") { console.error("exceeded its progress deadline"); process.exitCode = 1; }
if (line.startsWith("port-forward")) { console.log("Forwarding from 127.0.0.1:54321 -> 8081"); setInterval(() => {}, 1000); }
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kinora-apply-"));
  writeFileSync(join(folder, "kubectl"), kubectl);
  chmodSync(join(folder, "kubectl"), 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(
  service: string,
  env: Record<string, string> = {},
  command = ["node", "-p", '"health: " + process.env.HEALTH_URL'],
  addresses = ["--import", ownAddresses],
) {
  const log = join(folder, "log");
  writeFileSync(log, "");
  const image = `registry.example.org/kinora/${service}@sha256:${digest}`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...addresses, main, service, "--env", "production", "--image", image, "--", ...command],
    {
      encoding: "utf8",
      env: { ...process.env, PATH: [folder, process.env.PATH].join(delimiter), KUBECTL_LOG: log, ...env },
    },
  );
  const calls = readFileSync(log, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.replace(/^kinora: /, ""));
  return { status, stdout, stderr, calls };
}

const applied = (service: string, file: string) => `apply --filename apps/${service}/deploy/production/${file}.yaml`;
const migrated = "wait --for=condition=complete job/user-migrate-0123456789 --timeout=15m";

describe("applying a service", () => {
  it("migrates first, waits until the new version is out, and has its health looked at", () => {
    const { status, stdout, stderr, calls } = run("user");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain("health: http://127.0.0.1:54321");
    expect(calls.filter((call) => !call.includes("condition=failed"))).toEqual([
      applied("user", "migrate"),
      migrated,
      applied("user", "service"),
      "rollout status deployment/user --timeout=30m",
      "get deployment/user --output=jsonpath={.status.readyReplicas}",
      "port-forward deployment/user :8081",
    ]);
  });

  it("applies nothing while the environment has the addresses that the repository came with", () => {
    const { status, stderr, calls } = run("user", {}, ["true"], []);
    expect(status).not.toBe(0);
    expect(stderr).toContain(
      "production has addresses that are only an example's: publicUrl, storageUrl, mailFrom, registry, gatewayNetworks.0.",
    );
    expect(calls).toEqual([""]);
  });

  it("stops at a migration that fails, with its log", () => {
    const { status, stderr, calls } = run("user", { MIGRATION: "failed" });
    expect(status).toBe(1);
    expect(stderr).toContain("The migration failed, and nothing else was changed.");
    expect(stderr).toContain("Migration 0009 failed");
    expect(calls).not.toContain(applied("user", "service"));
  });

  it("fails when the new version doesn't come out, or its health isn't good", () => {
    const late = run("user", { ROLLOUT: "fails" });
    expect(late.status).toBe(1);
    expect(late.stderr).toContain("exceeded its progress deadline");
    expect(late.calls.some((call) => call.startsWith("port-forward"))).toBe(false);
    expect(run("user", {}, ["false"]).status).toBe(1);
  });

  it("wakes one worker where there are none, and lets it go again whatever came of it", () => {
    for (const [command, status] of [
      ["true", 0],
      ["false", 1],
    ] as const) {
      const { calls, ...ended } = run("encoder-worker", { READY: "" }, [command]);
      expect(ended.status).toBe(status);
      expect(calls).toEqual([
        applied("encoder-worker", "service"),
        "rollout status deployment/encoder-worker --timeout=30m",
        "rollout status deployment/encoder-worker-gpu --timeout=30m",
        "get deployment/encoder-worker --output=jsonpath={.status.readyReplicas}",
        "annotate scaledobject/encoder-worker autoscaling.keda.sh/paused-replicas=1 --overwrite",
        "wait --for=jsonpath={.status.readyReplicas}=1 deployment/encoder-worker --timeout=30m",
        "port-forward deployment/encoder-worker :8083",
        "annotate scaledobject/encoder-worker autoscaling.keda.sh/paused-replicas-",
      ]);
    }
  });
});
