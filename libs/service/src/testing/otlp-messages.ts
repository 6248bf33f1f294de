import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** A message as far as a test looks at it: fields by number, with what they hold. https://github.com/open-telemetry/opentelemetry-proto */
type Shape = Readonly<Record<number, Field>>;
type Field = {
  name: string;
  many?: true;
  read: ((reader: BinaryReader) => unknown) | Shape;
};

/** A decoded message. */
export type Decoded = { readonly [name: string]: unknown };

const text = (reader: BinaryReader) => reader.string();
const hex = (reader: BinaryReader) => Buffer.from(reader.bytes()).toString("hex");
const number = (reader: BinaryReader) => Number(reader.int64());
const fixed64 = (reader: BinaryReader) => Number(reader.fixed64());
const sfixed64 = (reader: BinaryReader) => Number(reader.sfixed64());
const double = (reader: BinaryReader) => reader.double();

/** The type has itself inside (arrays of values); none of ours are read that deep. */
const value: Shape = {
  1: { name: "string", read: text },
  2: { name: "bool", read: (reader) => reader.bool() },
  3: { name: "int", read: number },
  4: { name: "double", read: double },
};
const attribute: Shape = { 1: { name: "key", read: text }, 2: { name: "value", read: value } };
const attributes = (at: number): Shape => ({ [at]: { name: "attributes", many: true, read: attribute } });
const resource = attributes(1);
const scope: Shape = { 1: { name: "name", read: text } };

const span: Shape = {
  1: { name: "traceId", read: hex },
  2: { name: "spanId", read: hex },
  3: { name: "traceState", read: text },
  4: { name: "parentSpanId", read: hex },
  5: { name: "name", read: text },
  6: { name: "kind", read: number },
  7: { name: "start", read: fixed64 },
  8: { name: "end", read: fixed64 },
  ...attributes(9),
  15: { name: "status", read: { 2: { name: "message", read: text }, 3: { name: "code", read: number } } },
};

const point: Shape = {
  ...attributes(7),
  4: { name: "double", read: double },
  6: { name: "int", read: sfixed64 },
};
const histogramPoint: Shape = {
  4: { name: "count", read: fixed64 },
  5: { name: "sum", read: double },
  6: { name: "bucketCounts", many: true, read: fixed64 },
  7: { name: "bounds", many: true, read: double },
  ...attributes(9),
};
const points = (of: Shape): Shape => ({
  1: { name: "points", many: true, read: of },
  2: { name: "temporality", read: number },
});
const metric: Shape = {
  1: { name: "name", read: text },
  3: { name: "unit", read: text },
  5: { name: "gauge", read: points(point) },
  7: { name: "sum", read: points(point) },
  9: { name: "histogram", read: points(histogramPoint) },
};

function exportRequest(name: string, of: Shape): Shape {
  const scoped: Shape = { 1: { name: "scope", read: scope }, 2: { name, many: true, read: of } };
  const resources: Shape = {
    1: { name: "resource", read: resource },
    2: { name: "scopes", many: true, read: scoped },
  };
  return { 1: { name: "resources", many: true, read: resources } };
}

/** What a service sends to `/v1/traces` and `/v1/metrics`. */
export const requests = { "/v1/traces": exportRequest("spans", span), "/v1/metrics": exportRequest("metrics", metric) };

/** Decodes a message; attributes become plain objects. */
export function decode(bytes: Uint8Array, shape: Shape): Decoded {
  return read(new BinaryReader(bytes), shape, bytes.length);
}

function read(reader: BinaryReader, shape: Shape, end: number): Decoded {
  const message: Record<string, unknown> = {};
  while (reader.pos < end) {
    const [number, wireType] = reader.tag();
    const field = shape[number];
    if (field === undefined) {
      reader.skip(wireType, number);
      continue;
    }
    const { name, read: readOne } = field;
    const nested = typeof readOne === "object";
    const one = () => (nested ? read(reader, readOne, reader.uint32() + reader.pos) : readOne(reader));
    if (!field.many) {
      message[name] = one();
      continue;
    }
    const list = Array.isArray(message[name]) ? message[name] : [];
    message[name] = list;
    if (!nested && wireType === WireType.LengthDelimited) {
      // Packed numbers.
      for (const until = reader.uint32() + reader.pos; reader.pos < until; ) {
        list.push(readOne(reader));
      }
    } else {
      list.push(one());
    }
  }
  if (Array.isArray(message.attributes)) {
    message.attributes = Object.fromEntries(
      message.attributes.map(({ key, value }) => [key, Object.values(value ?? {})[0]]),
    );
  }
  return message;
}
