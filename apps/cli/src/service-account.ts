import { type ServiceAccount, ServiceAccountKind } from "@kinora/proto-user";
import type { KeyClient } from "./clients.ts";
import { CliError, UsageError } from "./errors.ts";
import { isIdentifier } from "./identifier.ts";

const kinds: Readonly<Record<string, ServiceAccountKind>> = {
  program: ServiceAccountKind.PROGRAM,
  service: ServiceAccountKind.SERVICE,
  worker: ServiceAccountKind.WORKER,
};

/** A kind for people to read. */
export function kindName(kind: ServiceAccountKind): string {
  return Object.keys(kinds).find((name) => kinds[name] === kind) ?? "unknown";
}

/** A kind as people type it. */
export function readKind(text: string): ServiceAccountKind {
  const kind = Object.hasOwn(kinds, text) ? kinds[text] : undefined;
  if (kind === undefined) throw new UsageError(`"${text}" is no kind: it is ${Object.keys(kinds).join(", ")}.`);
  return kind;
}

/** The service account of a name or an identifier. */
export async function findServiceAccount(keys: KeyClient, who: string, signal: AbortSignal): Promise<ServiceAccount> {
  const { serviceAccounts } = await keys.listServiceAccounts({}, { signal });
  const found = serviceAccounts.find(({ id, name }) => (isIdentifier(who) ? id === who.toLowerCase() : name === who));
  if (found === undefined) throw new CliError(`There is no service account ${who}.`);
  return found;
}
