import type { EncodeSettings } from "@kinora/media";
import { EncodeSettingsSchema, type EncodeSettings as SettingsMessage } from "@kinora/proto-encoder";
import { fromStored, toStored } from "../messages/stored-json.ts";
import type { Db } from "./db.ts";

/** Somebody's profile. */
export type ProfileRecord = {
  name: string;
  description: string;
  settings: SettingsMessage;
  createdAt: Date;
  updatedAt: Date;
};

type Row = { name: string; description: string; settings: unknown; created_at: Date; updated_at: Date };

const columns = "name, description, settings, created_at, updated_at";

function recordOf(row: Row): ProfileRecord {
  const settings = fromStored(EncodeSettingsSchema, row.settings);
  if (settings === undefined) throw new Error(`The profile ${row.name} has no settings.`);
  return {
    name: row.name,
    description: row.description,
    settings,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** A person's profile. */
export async function findProfile(db: Db, ownerId: string, name: string): Promise<ProfileRecord | undefined> {
  const { rows } = await db.query<Row>(`SELECT ${columns} FROM profiles WHERE owner_id = $1 AND name = $2`, [
    ownerId,
    name,
  ]);
  return rows.map(recordOf)[0];
}

/** A person's profiles, by name. */
export async function listProfiles(db: Db, ownerId: string): Promise<ProfileRecord[]> {
  const { rows } = await db.query<Row>(`SELECT ${columns} FROM profiles WHERE owner_id = $1 ORDER BY name`, [ownerId]);
  return rows.map(recordOf);
}

/** Makes a profile; undefined if there is one of this name. */
export async function insertProfile(
  db: Db,
  ownerId: string,
  profile: { name: string; description: string; settings: EncodeSettings },
): Promise<ProfileRecord | undefined> {
  const { rows } = await db.query<Row>(
    `INSERT INTO profiles (owner_id, name, description, settings) VALUES ($1, $2, $3, $4::jsonb)
     ON CONFLICT DO NOTHING RETURNING ${columns}`,
    [ownerId, profile.name, profile.description, toStored(EncodeSettingsSchema, profile.settings)],
  );
  return rows.map(recordOf)[0];
}

/** Replaces a profile; undefined if there is none of this name. */
export async function updateProfile(
  db: Db,
  ownerId: string,
  profile: { name: string; description: string; settings: EncodeSettings },
): Promise<ProfileRecord | undefined> {
  const { rows } = await db.query<Row>(
    `UPDATE profiles SET description = $3, settings = $4::jsonb, updated_at = now()
     WHERE owner_id = $1 AND name = $2 RETURNING ${columns}`,
    [ownerId, profile.name, profile.description, toStored(EncodeSettingsSchema, profile.settings)],
  );
  return rows.map(recordOf)[0];
}

/** Removes a profile. */
export async function deleteProfile(db: Db, ownerId: string, name: string): Promise<void> {
  await db.query("DELETE FROM profiles WHERE owner_id = $1 AND name = $2", [ownerId, name]);
}

/** Removes everything of an account. */
export async function deleteProfilesOf(db: Db, ownerId: string): Promise<void> {
  await db.query("DELETE FROM profiles WHERE owner_id = $1", [ownerId]);
}
