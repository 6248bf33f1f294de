import { connect, type Socket } from "node:net";
import type { BenchClient } from "./bench-client.ts";
import type { RawSpec } from "./client-spec.ts";

const frame = { data: 0, headers: 1, rstStream: 3, settings: 4, ping: 6, windowUpdate: 8 };
const flag = { endStream: 1, ack: 1, endHeaders: 4 };
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/** What our servers let be under way on a connection. */
const mostStreams = 256;
const headBytes = 9;

type Waiting = { resolve: () => void; reject: (error: Error) => void };

/**
 * A client of gRPC that writes and reads the frames of HTTP/2 by itself, for a fraction of what `node:http2` takes: where a core has to offer ten thousand calls a second, what callers see must be the server's doing.
 * For benchmarks of our own server only: it asks for header blocks without tables, can't read Huffman's code, and leaves flow control to the small size of its requests.
 */
export function createFramesClient(spec: RawSpec): BenchClient {
  const { hostname, port } = new URL(spec.target);
  const request = requestBytes(spec);
  const connections = Array.from({ length: spec.connections }, () =>
    open(connect(Number(port), hostname).setNoDelay(), request),
  );
  let next = 0;
  return {
    call: () =>
      new Promise((resolve, reject) => {
        connections[next++ % connections.length]?.call({ resolve, reject });
      }),
    close() {
      for (const { socket } of connections) {
        socket.destroy();
      }
    },
  };
}

function open(socket: Socket, request: { bytes: Buffer; streamAt: readonly number[] }) {
  const underWay = new Map<number, Waiting>();
  const held: Waiting[] = [];
  const statuses = new Map<string, string | undefined>();
  let lastStream = -1;
  let rest: Buffer = Buffer.alloc(0);
  let broken: Error | undefined;

  function send(waiting: Waiting): void {
    lastStream += 2;
    const bytes = Buffer.from(request.bytes);
    for (const at of request.streamAt) {
      bytes.writeUInt32BE(lastStream, at);
    }
    underWay.set(lastStream, waiting);
    socket.write(bytes);
  }

  function end(stream: number, status: string | undefined): void {
    const waiting = underWay.get(stream);
    underWay.delete(stream);
    if (status === "0") {
      waiting?.resolve();
    } else {
      waiting?.reject(new Error(status ?? "no gRPC status"));
    }
    const first = underWay.size < mostStreams ? held.shift() : undefined;
    if (first !== undefined) {
      send(first);
    }
  }

  /** Blocks are few different ones. */
  function statusIn(block: Buffer): string | undefined {
    const key = block.toString("latin1");
    if (!statuses.has(key)) {
      statuses.set(key, readFields(block).get("grpc-status"));
    }
    return statuses.get(key);
  }

  function take(type: number, flags: number, stream: number, payload: Buffer): void {
    if (type === frame.headers && (flags & flag.endStream) !== 0) {
      end(stream, statusIn(payload));
    } else if (type === frame.headers) {
      // Tables aren't used, but a block must be one that can be read.
      statusIn(payload);
    } else if (type === frame.rstStream) {
      end(stream, `reset ${payload.readUInt32BE(0)}`);
    } else if (type === frame.settings && (flags & flag.ack) === 0) {
      socket.write(frameBytes(frame.settings, flag.ack, 0, Buffer.alloc(0)));
    } else if (type === frame.ping && (flags & flag.ack) === 0) {
      socket.write(frameBytes(frame.ping, flag.ack, 0, payload));
    }
  }

  function fail(error: Error): void {
    broken ??= error;
    for (const { reject } of [...underWay.values(), ...held.splice(0)]) {
      reject(broken);
    }
    underWay.clear();
  }

  socket.on("data", (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    try {
      while (bytes.length - at >= headBytes) {
        const payload = at + headBytes;
        const end = payload + bytes.readUIntBE(at, 3);
        if (end > bytes.length) {
          break;
        }
        const stream = bytes.readUInt32BE(at + 5) & 0x7fffffff;
        take(bytes[at + 3] ?? 0, bytes[at + 4] ?? 0, stream, bytes.subarray(payload, end));
        at = end;
      }
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
    rest = bytes.subarray(at);
  });
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("closed early")));
  // No table for header blocks; no pushes; windows as wide as they may be.
  const settings = Buffer.from([0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff]);
  socket.write(preface);
  socket.write(frameBytes(frame.settings, 0, 0, settings));
  socket.write(frameBytes(frame.windowUpdate, 0, 0, Buffer.from([0x7f, 0xfe, 0, 0])));

  return {
    socket,
    call(waiting: Waiting): void {
      if (broken !== undefined) {
        waiting.reject(broken);
      } else if (underWay.size < mostStreams) {
        send(waiting);
      } else {
        held.push(waiting);
      }
    },
  };
}

/** HEADERS and DATA of a request, and where in them the stream's number goes. */
function requestBytes({ target, path, headers, body }: RawSpec): { bytes: Buffer; streamAt: readonly number[] } {
  const fields = {
    ":method": "POST",
    ":scheme": "http",
    ":authority": new URL(target).host,
    ":path": path,
    ...headers,
  };
  // Literals that nobody remembers: https://www.rfc-editor.org/rfc/rfc7541#section-6.2.2
  const block = Object.entries(fields).flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]);
  const head = frameBytes(frame.headers, flag.endHeaders, 0, Buffer.concat(block));
  const data = frameBytes(frame.data, flag.endStream, 0, Buffer.from(body, "base64"));
  return { bytes: Buffer.concat([head, data]), streamAt: [5, head.length + 5] };
}

function text(value: string): Buffer {
  if (value.length > 126) {
    throw new Error("a header field that is too long for this client");
  }
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value, "latin1")]);
}

function frameBytes(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** The fields of a block that names in full what it doesn't take from the static table; those that it does take have no name here. */
function readFields(block: Buffer): Map<string, string> {
  const fields = new Map<string, string>();
  let at = 0;
  const integer = (mask: number): number => {
    let value = (block[at++] ?? 0) & mask;
    if (value === mask) {
      for (let shift = 0, byte = 0x80; byte >= 0x80; shift += 7) {
        byte = block[at++] ?? 0;
        value += (byte & 0x7f) << shift;
      }
    }
    return value;
  };
  const string = (): string => {
    if ((block[at] ?? 0) >= 0x80) {
      throw new Error("Huffman's code, which this client can't read");
    }
    const length = integer(0x7f);
    at += length;
    return block.toString("latin1", at - length, at);
  };
  while (at < block.length) {
    const first = block[at] ?? 0;
    if (first >= 0x80) {
      integer(0x7f);
    } else if ((first & 0xe0) === 0x20) {
      integer(0x1f);
    } else {
      const name = integer(first >= 0x40 ? 0x3f : 0x0f) === 0 ? string() : "";
      fields.set(name, string());
    }
  }
  return fields;
}
