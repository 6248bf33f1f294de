import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { type EncodeSettings, EncodeSettingsSchema } from "@kinora/proto-encoder";
import type { Context } from "./context.ts";
import { UsageError } from "./errors.ts";

/** The option of commands that take settings. */
export const settingsOption = {
  type: "string",
  value: "JSON",
  about: 'settings as JSON, such as {"codec":"hevc","crf":24}; @FILE reads a file',
} as const;

/** Reads settings from the command line; undefined where there are none. */
export async function readSettings(context: Context, text: string | undefined): Promise<EncodeSettings | undefined> {
  if (text === undefined) return undefined;
  const isFile = text.startsWith("@");
  const json = isFile ? await read(resolve(context.cwd, text.slice(1))) : text;
  try {
    return fromJson(EncodeSettingsSchema, JSON.parse(json) as JsonValue);
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^cannot decode message [\w.]+ from JSON: /, "") : "";
    throw new UsageError(`--settings ${isFile ? text : ""}: not settings of an encode: ${why}`);
  }
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new UsageError(`--settings @${path}: ${(error as NodeJS.ErrnoException).code ?? "can't be read"}.`);
  }
}
