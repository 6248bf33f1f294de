import { builtInProfiles, defaultProfile, type EncodeSettings } from "@kinora/media";
import { DomainError } from "@kinora/rpc";
import type { Db } from "../store/db.ts";
import { findProfile } from "../store/profile.store.ts";
import { settingsFaults } from "./check-settings.ts";
import { mergeSettings } from "./merge-settings.ts";

/** The settings of a profile that a person can use; undefined if there is none of this name. */
export async function resolveProfile(db: Db, ownerId: string, name: string): Promise<EncodeSettings | undefined> {
  return builtInProfiles[name] ?? (await findProfile(db, ownerId, name))?.settings;
}

/**
 * The settings of an encode: a profile's (without a name the default one's), with what the request says on top.
 * @throws {DomainError} `not_found` for an unknown profile, `invalid` with the violations where the two don't go together
 */
export async function resolveSettings(
  db: Db,
  ownerId: string,
  name: string,
  overrides: EncodeSettings = {},
): Promise<{ profile: string; settings: EncodeSettings }> {
  const profile = name === "" ? defaultProfile : name;
  const base = await resolveProfile(db, ownerId, profile);
  if (base === undefined) throw new DomainError("not_found", `There is no profile ${profile}.`);
  const settings = mergeSettings(base, overrides);
  refuseFaults(settings);
  return { profile, settings };
}

/** Throws `invalid` with the violations of settings that don't go together. */
export function refuseFaults(settings: EncodeSettings): void {
  const violations = settingsFaults(settings);
  const [first] = violations;
  if (first !== undefined) throw new DomainError("invalid", `${first.field} ${first.message}.`, { violations });
}
