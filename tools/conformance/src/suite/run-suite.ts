import { join } from "node:path";
import { type Outcome, readOutcome } from "./outcome.ts";
import type { Prepared } from "./prepare.ts";
import { runCommand } from "./run-command.ts";

/** What is tested. */
export type Mode = "server" | "client";

/** How many cases follow from conformance.yaml: fewer would mean that the suite has understood it otherwise. */
export const cases: Record<Mode, number> = { server: 5266, client: 6556 };

/** How to run the suite. */
export type SuiteOptions = {
  /** The workspace. */
  root: string;
  prepared: Prepared;
  /** Names of cases to run, in which * stands for a part of the path and ** for any number of them; all if empty. */
  filter: readonly string[];
  /** Show the requests and responses of what fails. */
  trace: boolean;
  /** Let the program under test log. */
  verbose: boolean;
  env: NodeJS.ProcessEnv;
  milliseconds: number;
  echo(text: string): void;
  signal?: AbortSignal;
};

/** Runs the suite against our server or our client; undefined when it broke off or took too long. */
export async function runSuite(mode: Mode, options: SuiteOptions): Promise<Outcome | undefined> {
  const { root, prepared } = options;
  const project = join(root, "tools/conformance");
  const ended = await runCommand(
    prepared.program,
    [
      ...["--mode", mode, "--conf", join(project, "conformance.yaml"), "-v"],
      // A server under test is a process; a machine of two cores has no use for more of them at a time.
      ...["--max-servers", "2"],
      ...options.filter.flatMap((pattern) => ["--run", pattern]),
      ...(options.trace ? ["--trace"] : []),
      ...["--", process.execPath, join(project, "src", mode, "main.ts"), prepared.descriptors],
      ...(options.verbose ? ["--verbose"] : []),
    ],
    {
      cwd: root,
      env: options.env,
      milliseconds: options.milliseconds,
      echo: options.echo,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    },
  );
  const outcome = readOutcome(ended.output);
  // With an exit code of its own it says that something is wrong beside the cases.
  const explained = ended.code === 0 || (ended.code === 1 && outcome !== undefined && !allPassed(outcome));
  return explained ? outcome : undefined;
}

function allPassed(outcome: Outcome): boolean {
  return outcome.failed.length === 0 && outcome.notRun === 0;
}
