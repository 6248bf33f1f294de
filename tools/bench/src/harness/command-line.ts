import { parseArgs } from "node:util";

/** What `npm run bench --` was asked for. */
export type Request = {
  name: string | undefined;
  quick: boolean;
  only: string[];
  rounds: number | undefined;
  out: string | undefined;
};

/** Reads the arguments. Throws an Error that says what is wrong with them. */
export function readRequest(args: readonly string[]): Request {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
      rounds: { type: "string" },
      out: { type: "string" },
    },
  });
  if (positionals.length > 1) {
    throw new Error(`one benchmark at a time, not ${positionals.join(" and ")}`);
  }
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds >= 1 && rounds <= 100)) {
    throw new Error(`--rounds takes a whole number from 1 to 100, not "${values.rounds}"`);
  }
  const only = values.only.flatMap((part) => part.split(","));
  return { name: positionals[0], quick: values.quick, only, rounds, out: values.out };
}
