import { DomainError } from "@kinora/rpc";
import { type Cursor, readPageToken, writePageToken } from "../domain/page-token.ts";

/** The place that a request's `page_token` stands for; undefined for the first page. Throws `invalid` for a text that isn't one. */
export function cursorOf(token: string): Cursor | undefined {
  if (token === "") return undefined;
  const cursor = readPageToken(token);
  if (cursor !== undefined) return cursor;
  const message = "must be the next_page_token of an earlier answer";
  throw new DomainError("invalid", `page_token ${message}.`, { violations: [{ field: "page_token", message }] });
}

/** Cuts a page out of what was found, which is one more than the page's limit if there is another page. */
export function pageOf<T extends Cursor>(found: readonly T[], limit: number): { items: T[]; nextPageToken: string } {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, nextPageToken: found.length > limit && last ? writePageToken(last) : "" };
}
