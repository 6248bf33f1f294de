import { type DescMessage, type MessageShape, toJson } from "@bufbuild/protobuf";

/** A message in Protobuf's JSON form, on one line, with fields that have their default value as well. */
export function jsonLine<D extends DescMessage>(schema: D, message: MessageShape<D>): string {
  return `${JSON.stringify(toJson(schema, message, { alwaysEmitImplicit: true }))}\n`;
}
