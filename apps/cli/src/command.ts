import type { Context } from "./context.ts";

/** An option of a command, as its help shows it. */
export type Option = {
  type: "string" | "boolean";
  short?: string;
  /** Stands for the value in help, such as `DIR`. */
  value?: string;
  about: string;
};

/** Options by name. */
export type Options = Readonly<Record<string, Option>>;

/** What was given for a command's options. */
export type Values<O extends Options> = { [K in keyof O]?: O[K]["type"] extends "string" ? string : boolean };

/** What was given to a command. */
type Input<V> = { positionals: string[]; values: V };

type Definition<O extends Options, V> = {
  /** Further options than those that every command has. */
  options: O;
  /** More to say in its help, in lines of at most 90 characters. */
  details?: string;
  /** How many positional arguments it takes, at least and at most. */
  positionals: readonly [min: number, max: number];
  /** Whether it knows `--json`. */
  json: boolean;
  run(context: Context, input: Input<V>): Promise<void>;
};

/** A command, ready to run: its positional arguments are counted, its options known. */
export type Command = Definition<Options, Record<string, string | boolean | undefined>>;

/** Types a command's values by its options. */
export function defineCommand<const O extends Options>(command: Definition<O, Values<O>>): Command {
  // `run.ts` reads the command line by these very options, so that each value has its option's type.
  return { ...command, run: (context, input) => command.run(context, input as Input<Values<O>>) };
}
