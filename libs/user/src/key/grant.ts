import { permits, type Some } from "@kinora/rpc";
import { scopesFor } from "../token/scopes.ts";
import type { ServiceAccountKind } from "./service-account.ts";

/** Every scope that a service account of this kind can have: a program has what any member has. */
export function scopesOfKind(kind: ServiceAccountKind): readonly string[] {
  return scopesFor(kind === "program" ? "member" : kind);
}

/** The scopes that are asked for and can't be given; empty if all can. */
export function refusedScopes(asked: readonly string[], available: Some): string[] {
  return asked.filter((scope) => !permits(available, scope));
}

/** The scopes of a token: those of the key that its holder may still have, or of them the ones that are asked for. */
export function tokenScopes(
  key: { scopes: readonly string[] },
  holder: readonly string[],
  asked: readonly string[],
): string[] {
  const given = key.scopes.filter((scope) => holder.includes(scope));
  return asked.length === 0 ? given : given.filter((scope) => asked.includes(scope));
}
