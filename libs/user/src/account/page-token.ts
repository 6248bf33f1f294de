/** Where a page of accounts ended: the account's creation and, among those of the same millisecond, its identifier. */
export type PagePosition = { createTime: Date; id: string };

const version = 1;
const byteLength = 1 + 8 + 16;

/** The end of the year 9999: times beyond what accounts have would only trouble the database. */
const maxTime = 253_402_300_799_999;

/** Writes a position as text that callers pass back unread. */
export function encodePageToken(position: PagePosition): string {
  const bytes = Buffer.alloc(byteLength);
  bytes.writeUInt8(version, 0);
  bytes.writeBigInt64BE(BigInt(position.createTime.getTime()), 1);
  bytes.write(position.id.replaceAll("-", ""), 9, "hex");
  return bytes.toString("base64url");
}

/** Reads what `encodePageToken` wrote; undefined for anything else. */
export function decodePageToken(token: string): PagePosition | undefined {
  const bytes = Buffer.from(token, "base64url");
  // Buffer skips what isn't base64url, so only the round trip shows that the token is exactly ours.
  if (bytes.length !== byteLength || bytes.toString("base64url") !== token || bytes.readUInt8(0) !== version) {
    return undefined;
  }
  const time = Number(bytes.readBigInt64BE(1));
  if (time < 0 || time > maxTime) return undefined;
  const id = bytes.toString("hex", 9).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  return { createTime: new Date(time), id };
}
