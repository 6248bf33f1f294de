import type { Arguments } from "../cli/arguments.ts";
import type { Config } from "../config.ts";
import { DeployError } from "../deploy-error.ts";
import type { RecordStore } from "../records/record-store.ts";
import { findService, type Service } from "../workspace/services.ts";

/** What every command has at hand. */
export type Context = {
  /** Absolute. */
  workspace: string;
  config: Config;
  records: RecordStore;
  arguments: Arguments;
  /** Writes a line of the answer. */
  print(line: string): void;
  /** Tells what goes on, beside the answer. */
  report(line: string): void;
  signal: AbortSignal;
};

/** What a command ends with: 0 for yes or done, 1 for no. "It couldn't be found out" is thrown. */
export type ExitCode = 0 | 1;

/** The service that the command line names. @throws DeployError */
export function namedService({ workspace, arguments: { command, service } }: Context): Service {
  if (service === undefined) throw new DeployError(`Name a service: kinora-deploy ${command} SERVICE`);
  return findService(workspace, service);
}
