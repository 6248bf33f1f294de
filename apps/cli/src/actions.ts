import type { Connection } from "./connection.ts";
import type { Context } from "./context.ts";
import { UsageError } from "./errors.ts";
import type { UserClients } from "./user-clients.ts";

/** What an action of a command works with. */
export type ActionContext = Context & { connection: Connection; clients: UserClients };

/** What a command's second word names, such as `password` in `kinora account password`. */
export type Action<Values> = {
  /** Its arguments in the help, such as `EMAIL`. */
  arguments: string;
  about: string;
  /** How many arguments it takes, at least and at most. */
  takes: readonly [min: number, max: number];
  run(context: ActionContext, args: string[], values: Values): Promise<void>;
};

/** Finds the action that the first word names; the first of all where there is none. */
export function findAction<Values>(
  command: string,
  actions: Readonly<Record<string, Action<Values>>>,
  [name, ...args]: string[],
): { action: Action<Values>; args: string[] } {
  const key = name ?? Object.keys(actions)[0] ?? "";
  const action = Object.hasOwn(actions, key) ? actions[key] : undefined;
  if (action === undefined) {
    throw new UsageError(`"kinora ${command}" has no "${name}". See "kinora ${command} --help".`);
  }
  const [min, max] = action.takes;
  if (args.length < min || args.length > max) {
    throw new UsageError(`Use: ${`kinora ${command} ${key} ${action.arguments}`.trim()}`);
  }
  return { action, args };
}

/** The actions for a command's help, a line each. */
export function actionHelp(
  command: string,
  actions: Readonly<Record<string, Pick<Action<never>, "arguments" | "about">>>,
): string {
  const rows = Object.entries(actions).map(([name, { arguments: args, about }]) => [
    `${command} ${name} ${args}`.trim(),
    about,
  ]);
  const width = Math.max(...rows.map(([left = ""]) => left.length));
  return rows.map(([left = "", about = ""]) => `  ${left.padEnd(width)}   ${about}`).join("\n");
}
