import type { GetQuotaResponse } from "@kinora/proto-user";
import { UsageError } from "./errors.ts";
import { formatBytes } from "./format.ts";

/** A quota for people to read: what is used of what, by the names that facts have. */
export function quotaFacts(quota: GetQuotaResponse): [name: string, value: string][] {
  const { usedSeconds, reservedSeconds, limitSeconds } = quota;
  const [stored, aside, most] = [quota.usedStorageBytes, quota.reservedStorageBytes, quota.limitStorageBytes].map(
    Number,
  );
  return [
    ["Encoded this month", amount(usedSeconds, reservedSeconds, limitSeconds, minutes)],
    ["Storage", amount(stored ?? 0, aside ?? 0, most ?? 0, formatBytes)],
  ];
}

function amount(used: number, reserved: number, limit: number, words: (value: number) => string): string {
  const aside = reserved > 0 ? `, and ${words(reserved)} set aside` : "";
  return `${words(used)}${limit > 0 ? ` of ${words(limit)}` : ""}${aside}`;
}

function minutes(seconds: number): string {
  return `${Math.ceil(seconds / 6) / 10} min`;
}

/** What a limit's option says, in units: `none` is 0, `default` undefined. */
export function readLimit(option: string, text: string): number | undefined {
  if (text === "default") return undefined;
  if (text === "none") return 0;
  const value = /^\d{1,9}(\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  if (value === 0) throw new UsageError(`--${option} ${text}: expected a number above 0, none, or default.`);
  return value;
}
