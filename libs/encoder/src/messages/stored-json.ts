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
  return JSON.stringify(toJson(schema, create(schema, message)), (_key, value: unknown) =>
    typeof value === "string" ? value.replaceAll("\0", "") : value,
  );
}

/** The message of a column; undefined for an empty one. Fields of a later release are passed over. */
export function fromStored<T extends DescMessage>(schema: T, json: unknown): MessageShape<T> | undefined {
  return json === undefined || json === null
    ? undefined
    : fromJson(schema, json as JsonValue, { ignoreUnknownFields: true });
}
