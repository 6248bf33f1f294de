import type { Db } from "./db.ts";

/** What has an owner. */
export type OwnedKind = "video" | "encode" | "webhook" | "delivery";

const questions: Readonly<Record<OwnedKind, string>> = {
  video: "SELECT FROM videos WHERE id = $1 AND owner_id = $2",
  encode: "SELECT FROM encodes WHERE id = $1 AND owner_id = $2",
  webhook: "SELECT FROM webhooks WHERE id = $1 AND owner_id = $2",
  delivery:
    "SELECT FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id WHERE d.id = $1 AND w.owner_id = $2",
};

/** Whether there is such a thing and it is this person's. */
export async function belongsTo(db: Db, kind: OwnedKind, id: string, ownerId: string): Promise<boolean> {
  return (await db.query(questions[kind], [id, ownerId])).rowCount === 1;
}
