import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DeployError } from "./deploy-error.ts";

/** deploy.json at the top of the workspace: all that this tool has to be told. Every key may be left out. */
export type Config = {
  /** Folder of the records, relative to the workspace. */
  records: string;
  /** The environments that there are, so that a mistyped one isn't taken for one where nothing is deployed yet. Any name will do unless given. */
  environments: string[];
  contracts: {
    /** Folder of the buf module that holds every service's contract. */
    folder: string;
    /** Packages (by their first name) of contracts that nobody of this workspace owns: health, reflection. */
    ignore: string[];
  };
  image: {
    /** What images are made from; it brings Node. Pin it by digest where you can. */
    base: string;
    engine: "docker" | "buildah";
    /** Environment of every image. */
    env: Record<string, string>;
    /** Path that the image's health check asks on the service's port. */
    health: string;
  };
  /** How a candidate is started for the contract tests of those who call it. */
  behaviour: {
    /** Environment; {port} and {folder} stand for a free port and an empty folder. */
    env: Record<string, string>;
    /** Path that answers 200 when it is ready. */
    ready: string;
    /** Services that a candidate needs beside it, from the working tree as well: by the candidate, and by the variable that tells it their address. */
    beside: Record<string, Record<string, string>>;
  };
};

const defaults: Config = {
  records: "deployments",
  environments: [],
  contracts: { folder: "proto", ignore: ["grpc", "google", "buf"] },
  image: { base: "docker.io/library/node:26-bookworm-slim", engine: "docker", env: {}, health: "/healthz" },
  behaviour: { env: {}, ready: "/readyz", beside: {} },
};

/** @throws DeployError when deploy.json is there and can't be used */
export function readConfig(workspace: string): Config {
  const path = join(workspace, "deploy.json");
  if (!existsSync(path)) return defaults;
  let given: Partial<Config>;
  try {
    given = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new DeployError(`deploy.json can't be read: ${(error as Error).message}`);
  }
  const fault = faultOf(given, defaults);
  if (fault) throw new DeployError(`deploy.json can't be used: ${fault}.`);
  return {
    records: given.records ?? defaults.records,
    environments: given.environments ?? defaults.environments,
    contracts: { ...defaults.contracts, ...given.contracts },
    image: { ...defaults.image, ...given.image },
    behaviour: { ...defaults.behaviour, ...given.behaviour },
  };
}

/** What of a value isn't like the defaults: a key that they don't have, or another kind of value. Tables that are empty there may have any key. */
function faultOf(given: unknown, like: unknown, path = ""): string | undefined {
  const kind = kindOf(like);
  if (kindOf(given) !== kind) return `${path || "it"} is no ${kind}`;
  if (kind === "list")
    return (given as unknown[]).every((entry) => typeof entry === "string") ? undefined : `${path} has to hold texts`;
  if (kind !== "table") return undefined;
  const known = like as Record<string, unknown>;
  const free = path !== "" && Object.keys(known).length === 0;
  for (const [key, value] of Object.entries(given as Record<string, unknown>)) {
    const place = path === "" ? key : `${path}.${key}`;
    if (free) continue;
    if (!Object.hasOwn(known, key)) return `${place} isn't known`;
    const fault = faultOf(value, known[key], place);
    if (fault) return fault;
  }
  return undefined;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "list";
  return typeof value === "object" && value !== null ? "table" : "text";
}
