import { createHash, randomUUID } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DeployError } from "../deploy-error.ts";
import { formatRecord, parseRecord, type ServiceRecord } from "./record.ts";

/** The records of all environments: files that only ever appear, made to lie in a git repository. */
export type RecordStore = {
  /** Services that have a record in the environment, sorted. */
  services(environment: string): string[];
  /** What runs: the record with the highest number. @throws DeployError when it is damaged */
  current(environment: string, service: string): ServiceRecord | undefined;
  /** @throws DeployError when there is no such record or it is damaged */
  get(environment: string, service: string, number: number): ServiceRecord;
  /** Numbers of all records, newest first. */
  numbers(environment: string, service: string): number[];
  /** Appends a record: all of it, or nothing. @throws DeployError when somebody else appended since `after` (the highest number that the caller saw, 0 for none) */
  append(record: Omit<ServiceRecord, "number">, after: number): ServiceRecord;
  /** Keeps bytes under their SHA-256, and returns it. */
  putObject(environment: string, bytes: Uint8Array): string;
  /** @throws DeployError when it is missing or isn't what its name says */
  getObject(environment: string, digest: string): Buffer;
};

/** Names become folders, so they can't be anything. */
const nameForm = /^[a-z0-9][a-z0-9._-]{0,99}$/i;
const fileForm = /^(\d{6,})\.json$/;
const objects = "objects";

export function openRecordStore(folder: string): RecordStore {
  const place = (environment: string, name: string): string => {
    for (const part of [environment, name]) {
      if (!nameForm.test(part))
        throw new DeployError(`"${part}" can't be a name: letters, digits, ".", "_" and "-" only.`);
    }
    return join(folder, environment, name);
  };
  const list = (path: string): string[] => (existsSync(path) ? readdirSync(path) : []);
  const fileOf = (environment: string, service: string, number: number): string =>
    join(place(environment, service), `${String(number).padStart(6, "0")}.json`);

  const numbers = (environment: string, service: string): number[] =>
    list(place(environment, service))
      .map((file) => Number(fileForm.exec(file)?.[1] ?? Number.NaN))
      .filter((number) => Number.isSafeInteger(number))
      .sort((a, b) => b - a);

  const get = (environment: string, service: string, number: number): ServiceRecord => {
    const file = fileOf(environment, service, number);
    if (!existsSync(file)) throw new DeployError(`${environment} has no record ${number} of ${service}.`);
    const record = parseRecord(readFileSync(file, "utf8"), file);
    if (record.number !== number || record.service !== service || record.environment !== environment) {
      throw new DeployError(
        `${file} is damaged: it is record ${record.number} of ${record.service} in ${record.environment}. Restore it from version control.`,
      );
    }
    return record;
  };

  return {
    services: (environment) =>
      list(join(folder, environment))
        .filter((name) => name !== objects && nameForm.test(name) && numbers(environment, name).length > 0)
        .sort(),
    numbers,
    get,
    current(environment, service) {
      const [newest] = numbers(environment, service);
      return newest === undefined ? undefined : get(environment, service, newest);
    },
    append(record, after) {
      const number = after + 1;
      const complete: ServiceRecord = { ...record, number };
      const text = formatRecord(complete);
      const file = fileOf(record.environment, record.service, number);
      parseRecord(text, file); // what can't be read again must not be written
      mkdirSync(place(record.environment, record.service), { recursive: true });
      const temporary = `${file}.${randomUUID()}.tmp`;
      writeFileSync(temporary, text, { flush: true });
      try {
        // A link fails where a name exists: of several writers, one wins and the others hear of it.
        linkSync(temporary, file);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        throw new DeployError(
          `${record.environment} got record ${number} of ${record.service} from somebody else meanwhile. Look at it (kinora-deploy history), then try again.`,
        );
      } finally {
        rmSync(temporary, { force: true });
      }
      return complete;
    },
    putObject(environment, bytes) {
      const digest = createHash("sha256").update(bytes).digest("hex");
      const file = join(place(environment, objects), digest);
      if (existsSync(file)) return digest;
      mkdirSync(place(environment, objects), { recursive: true });
      const temporary = `${file}.${randomUUID()}.tmp`;
      writeFileSync(temporary, bytes, { flush: true });
      renameSync(temporary, file);
      return digest;
    },
    getObject(environment, digest) {
      const file = join(place(environment, objects), digest);
      if (!existsSync(file)) throw new DeployError(`${file} is missing. Restore it from version control.`);
      const bytes = readFileSync(file);
      if (createHash("sha256").update(bytes).digest("hex") !== digest) {
        throw new DeployError(
          `${file} is damaged: its content isn't what its name says. Restore it from version control.`,
        );
      }
      return bytes;
    },
  };
}
