import { parseArgs } from "node:util";
import { DeployError } from "../deploy-error.ts";

/** A command line that was understood. */
export type Arguments = {
  command: string;
  service: string | undefined;
  values: {
    env: string;
    json: boolean;
    help: boolean;
    records?: string;
    live: string[];
    "skip-behaviour": boolean;
    engine?: string;
    base?: string;
    tag?: string;
    push: boolean;
    image?: string;
    health?: string;
    patience: string;
    to?: string;
    "rollback-to"?: string;
  };
};

const options = {
  env: { type: "string", default: "production" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
  records: { type: "string" },
  live: { type: "string", multiple: true, default: [] as string[] },
  "skip-behaviour": { type: "boolean", default: false },
  engine: { type: "string" },
  base: { type: "string" },
  tag: { type: "string" },
  push: { type: "boolean", default: false },
  image: { type: "string" },
  health: { type: "string" },
  patience: { type: "string", default: "120" },
  to: { type: "string" },
  "rollback-to": { type: "string" },
} as const;

/** @throws DeployError for an unknown option or too many words */
export function readArguments(argv: readonly string[]): Arguments {
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    const [command = "help", service, ...rest] = positionals;
    if (rest.length > 0) throw new Error(`unexpected: ${rest.join(" ")}`);
    return { command: values.help ? "help" : command, service, values };
  } catch (error) {
    throw new DeployError(`${(error as Error).message}\nkinora-deploy --help shows what there is.`);
  }
}

/** Seconds, as milliseconds. @throws DeployError */
export function readSeconds(option: string, text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new DeployError(`--${option}: "${text}" is no number of seconds.`);
  return Number(text) * 1000;
}

/** A number of a record. @throws DeployError */
export function readNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new DeployError(`--${option}: "${text}" is no number of a record.`);
  return Number(text);
}
