import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { renderFiles } from "./files.ts";
import { faultsOf, type KubernetesObject } from "./rules.ts";

const workspace = fileURLToPath(new URL("../../../", import.meta.url));

let production: KubernetesObject[];
beforeAll(async () => {
  const files = await renderFiles({ workspace, environment: "production" });
  production = files.flatMap(({ text }) => parseAllDocuments(text).map((document) => document.toJS()));
});

/** Our own objects, of which one is changed by hand: what stands at `path` becomes `value`. */
function changed(kind: string, name: string, path: readonly (string | number)[], value: unknown): string[] {
  const objects = structuredClone(production);
  const object = objects.find((candidate) => candidate.kind === kind && candidate.metadata.name === name);
  if (object === undefined) throw new Error(`There is no ${kind} ${name}.`);
  type Tree = { [key: string | number]: Tree };
  const parent = path.slice(0, -1).reduce((at: Tree, key) => at[key] ?? {}, object as unknown as Tree);
  parent[path.at(-1) ?? ""] = value as Tree;
  return faultsOf(objects);
}

/** The same with one left out. */
function without(kind: string, name: string): string[] {
  return faultsOf(production.filter((object) => object.kind !== kind || object.metadata.name !== name));
}

describe("the rules of the house", () => {
  it("find nothing in our own objects, of which there are some of each kind", () => {
    expect(faultsOf(production)).toEqual([]);
    expect([...new Set(production.map(({ kind }) => kind))].sort()).toEqual([
      ..."Deployment HorizontalPodAutoscaler Job Namespace NetworkPolicy PodDisruptionBudget".split(" "),
      ..."ScaledObject Service ServiceAccount TriggerAuthentication".split(" "),
    ]);
  });

  const pod = ["spec", "template", "spec"];
  const container = [...pod, "containers", 0];
  const labels = ["spec", "template", "metadata", "labels"];

  it.each([
    [[...pod, "securityContext"], {}, "it may run as root"],
    [[...pod, "securityContext"], {}, "it has no seccomp profile"],
    [[...pod, "automountServiceAccountToken"], undefined, "it gets a token for Kubernetes, which it doesn't need"],
    [[...container, "securityContext"], {}, "its root file system can be written to"],
    [[...container, "securityContext"], {}, "it may gain rights"],
    [[...container, "securityContext"], {}, "it keeps capabilities"],
    [[...container, "resources"], {}, "it doesn't say how much CPU it needs"],
    [[...container, "resources"], {}, "it doesn't say how much memory it needs and may have"],
    [[...container, "image"], "user:latest", '"user:latest" is no fixed version'],
    [[...container, "image"], "user", '"user" is no fixed version'],
    [["spec", "replicas"], 3, "it names its replicas, which HorizontalPodAutoscaler sets"],
    [
      [...labels, "kinora/calls-encoder"],
      undefined,
      "ENCODER_URL=dns:///encoder:8082, but it doesn't say that it calls encoder",
    ],
    [["spec", "selector", "matchLabels"], { app: "other" }, "it selects no pods"],
  ])("see %j changed to %j", (path, value, fault) => {
    expect(changed("Deployment", "user", path, value)).toContain(`Deployment user: ${fault}.`);
  });

  it("see a port at which nobody listens", () => {
    expect(changed("Service", "encoder", ["spec", "ports"], [{ port: 1 }])).toContain(
      "Deployment user: ENCODER_URL=dns:///encoder:8082, but encoder doesn't listen there.",
    );
  });

  it("see a Service that would send calls to a migration", () => {
    expect(changed("Service", "user", ["spec", "selector"], { "app.kubernetes.io/name": "user" })).toContain(
      "Service user: it also selects the pods of Job user-migrate-unreleased.",
    );
  });

  it.each([
    ["ServiceAccount", "user", "Deployment user: there is no ServiceAccount user."],
    ["NetworkPolicy", "encoder-worker-gpu", "Deployment encoder-worker-gpu: no NetworkPolicy selects its pods."],
    ["HorizontalPodAutoscaler", "encoder", "Deployment encoder: nothing scales it."],
    ["ScaledObject", "encoder-worker", "Deployment encoder-worker: nothing scales it."],
    ["Deployment", "user", "HorizontalPodAutoscaler user: there is no Deployment user to scale."],
  ])("see what is missing without the %s %s", (kind, name, fault) => {
    expect(without(kind, name)).toContain(fault);
  });
});
