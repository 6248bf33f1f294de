/** The last row of a page, from which the next one goes on. Rows are ordered by time of creation, then by id. */
export type Cursor = { createdAt: Date; id: string };

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The text that stands for a cursor. */
export function writePageToken(cursor: Cursor): string {
  return Buffer.from(`${cursor.createdAt.getTime()} ${cursor.id}`).toString("base64url");
}

/** The cursor of a text, or undefined if it isn't one of ours. */
export function readPageToken(token: string): Cursor | undefined {
  const match = /^(\d{1,15}) (.{36})$/.exec(Buffer.from(token, "base64url").toString());
  const [, time, id] = match ?? [];
  return time !== undefined && id !== undefined && uuid.test(id)
    ? { createdAt: new Date(Number(time)), id }
    : undefined;
}

/** Rows per page for a request's `page_size`. */
export function pageSizeOf(requested: number): number {
  return requested === 0 ? 50 : Math.min(requested, 1000);
}
