import type { Db } from "./db.ts";

/** The large parts of an encode, as JSON of the contract's messages; undefined until they are known. */
export type EncodeDetails = { media: unknown; plan: unknown; result: unknown; verification: unknown };

/** The large parts of an encode. */
export async function findEncodeDetails(db: Db, id: string): Promise<EncodeDetails | undefined> {
  const { rows } = await db.query<{ media: unknown; plan: unknown; result: unknown; verification: unknown }>(
    "SELECT media, plan, result, verification FROM encodes WHERE id = $1",
    [id],
  );
  return (
    rows[0] && {
      media: rows[0].media ?? undefined,
      plan: rows[0].plan ?? undefined,
      result: rows[0].result ?? undefined,
      verification: rows[0].verification ?? undefined,
    }
  );
}

/** The settings of an encode, as JSON; undefined for one of an earlier release. */
export async function findSettings(db: Db, id: string): Promise<unknown> {
  const { rows } = await db.query<{ settings: unknown }>("SELECT settings FROM encodes WHERE id = $1", [id]);
  return rows[0]?.settings ?? undefined;
}

/** The frame table of an encode, as binary Protobuf; undefined until it is analysed. */
export async function findFrameTable(db: Db, id: string): Promise<Uint8Array | undefined> {
  const { rows } = await db.query<{ frame_table: Buffer | null }>("SELECT frame_table FROM encodes WHERE id = $1", [
    id,
  ]);
  return rows[0]?.frame_table ?? undefined;
}
