import { promisify } from "node:util";
import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type CallOptions, Client, credentials, Metadata } from "@grpc/grpc-js";
import {
  CountRequestSchema,
  CountResponseSchema,
  EchoRequestSchema,
  EchoResponseSchema,
} from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";

const service = "/kinora.testing.v1.EchoService";

function serialize<D extends DescMessage>(schema: D): (message: MessageShape<D>) => Buffer {
  return (message) => Buffer.from(toBinary(schema, message));
}

function deserialize<D extends DescMessage>(schema: D): (bytes: Buffer) => MessageShape<D> {
  return (bytes) => fromBinary(schema, bytes);
}

/** The echo service as grpc-js, which shares no code with ours, calls it. */
export function createGrpcJsClient(port: number) {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  return {
    echo(message: MessageShape<typeof EchoRequestSchema>, options: CallOptions = {}) {
      const { promise, resolve, reject } = Promise.withResolvers<MessageShape<typeof EchoResponseSchema> | undefined>();
      client.makeUnaryRequest(
        `${service}/Echo`,
        serialize(EchoRequestSchema),
        deserialize(EchoResponseSchema),
        message,
        new Metadata(),
        options,
        (error, response) => (error === null ? resolve(response) : reject(error)),
      );
      return promise;
    },
    /** The server stream, as grpc-js gives it. */
    count(message: MessageShape<typeof CountRequestSchema>) {
      return client.makeServerStreamRequest(
        `${service}/Count`,
        serialize(CountRequestSchema),
        deserialize(CountResponseSchema),
        message,
      );
    },
    connected: promisify(client.waitForReady.bind(client)),
    close: () => client.close(),
  };
}
