import {
  create,
  type DescMessage,
  fromJson,
  type JsonValue,
  type MessageInitShape,
  type MessageShape,
  toJson,
} from "@bufbuild/protobuf";

/** A message as JSON for a column. NUL, which Postgres takes in no text, is left out of strings. */
export function toStored<T extends DescMessage>(schema: T, message: MessageInitShape<T>): string {
  return JSON.stringify(toJson(schema, create(schema, plain(message))), (_key, value: unknown) =>
    typeof value === "string" ? value.replaceAll("\0", "") : value,
  );
}

/**
 * A value without the marks of messages, at any depth: a copy of a message with other parts (`{ ...plan, chunks }`) keeps the mark, and would be taken for a whole
 * message with parts that are none.
 */
function plain<T>(value: T): T {
  if (Array.isArray(value)) return value.map(plain) as T;
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  const entries = Object.entries(value).filter(([key]) => key !== "$typeName" && key !== "$unknown");
  return Object.fromEntries(entries.map(([key, inner]) => [key, plain(inner)])) as T;
}

/** The message of a column; undefined for an empty one. Fields of a later release are passed over. */
export function fromStored<T extends DescMessage>(schema: T, json: unknown): MessageShape<T> | undefined {
  return json === undefined || json === null
    ? undefined
    : fromJson(schema, json as JsonValue, { ignoreUnknownFields: true });
}
