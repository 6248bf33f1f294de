import { DeployError } from "../deploy-error.ts";
import type { Migration } from "../image/migrations.ts";

/** A contract that a service serves or was built to call. */
export type ContractRecord = {
  /** Full names of the services in it: "user.v1.QuotaService". */
  services: string[];
  /** SHA-256 of the descriptor (a google.protobuf.FileDescriptorSet with all that it imports), by which it lies in objects/. */
  descriptor: string;
};

/** A contract that a service calls, and as far as it can be known what it uses of it. */
export type CalledContract = ContractRecord & {
  /** Names of methods and fields ("user.v1.QuotaService.GetQuota", "user.v1.GetQuotaResponse.used_seconds"); null when it may be any. */
  uses: string[] | null;
  /** SHA-256 of the contract tests, a program in objects/; null when the service has none. */
  tests: string | null;
};

/** What the environment runs of one service. */
export type ServiceRecord = {
  schema: 1;
  /** Counts up from 1 in each environment and service. */
  number: number;
  service: string;
  environment: string;
  /** ISO 8601, UTC. */
  recordedAt: string;
  /** NX_TASK_HASH of the image. */
  hash: string;
  /** The commit that it was built from; ends with "+" when the working tree had changes. */
  commit: string;
  /** name@sha256:… */
  image: string;
  provides: ContractRecord | null;
  calls: CalledContract[];
  /** What it would run on its database, in order; null when it has none, and missing in records from before there was this field. */
  migrations?: Migration[] | null;
  inputs: Record<string, string>;
  settings: Record<string, string>;
  /** The number that this one went back to. */
  rollbackTo: number | null;
};

/** Reads a record. @throws DeployError that names the file and what is wrong with it: a record that can't be read must not look like none */
export function parseRecord(text: string, file: string): ServiceRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DeployError(`${file} is damaged: ${(error as Error).message}. Restore it from version control.`);
  }
  const fault = faultOf(value);
  if (fault) throw new DeployError(`${file} is damaged: ${fault}. Restore it from version control.`);
  return value as ServiceRecord;
}

/** The form that lies in the repository: stable, so that a difference shows what changed. */
export function formatRecord(record: ServiceRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}

function faultOf(value: unknown): string | undefined {
  if (!isObject(value)) return "it is no object";
  if (value.schema !== 1) return `its schema is ${JSON.stringify(value.schema)}, and this tool knows 1`;
  for (const key of ["service", "environment", "recordedAt", "hash", "commit", "image"]) {
    if (typeof value[key] !== "string" || value[key] === "") return `${key} is missing`;
  }
  if (!Number.isSafeInteger(value.number) || (value.number as number) < 1) return "number is no number from 1";
  if (value.rollbackTo !== null && !Number.isSafeInteger(value.rollbackTo)) return "rollbackTo is no number";
  if (value.provides !== null && !isContract(value.provides)) return "provides is no contract";
  if (!Array.isArray(value.calls) || !value.calls.every(isCall)) return "calls is no list of contracts";
  const { migrations = null } = value;
  if (migrations !== null && !(Array.isArray(migrations) && migrations.every(isMigration))) {
    return "migrations is no list of steps";
  }
  for (const key of ["inputs", "settings"]) if (!isStrings(value[key])) return `${key} is no table of hashes`;
  return undefined;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isStrings = (value: unknown): boolean =>
  isObject(value) && Object.values(value).every((entry) => typeof entry === "string");
const isList = (value: unknown): boolean =>
  Array.isArray(value) && value.every((entry) => typeof entry === "string" && entry !== "");
const isDigest = (value: unknown): boolean => typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
const isMigration = (value: unknown): boolean =>
  isStrings(value) && ["name", "checksum"].every((key) => (value as Record<string, string>)[key]);
const isContract = (value: unknown): boolean => isObject(value) && isList(value.services) && isDigest(value.descriptor);
const isCall = (value: unknown): boolean =>
  isObject(value) &&
  isContract(value) &&
  (value.uses === null || isList(value.uses)) &&
  (value.tests === null || isDigest(value.tests));
