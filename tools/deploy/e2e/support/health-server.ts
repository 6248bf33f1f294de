import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";

/** What gRPC's health check says of a deployed service; here it says what a test wants. */
export type HealthServer = { url: string; serving: boolean; close(): void };

/** Answers grpc.health.v1.Health/Check over HTTP/2. */
export async function startHealthServer(): Promise<HealthServer> {
  const sessions = new Set<ServerHttp2Session>();
  const health: HealthServer = {
    url: "",
    serving: true,
    close() {
      for (const session of sessions) session.destroy();
      server.close();
    },
  };
  const server = createServer().on("session", (session) => sessions.add(session));
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc+proto" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    // A frame of two bytes: field 1, SERVING (1) or NOT_SERVING (2).
    stream.end(Buffer.from([0, 0, 0, 0, 2, 0x08, health.serving ? 1 : 2]));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  health.url = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
  return health;
}
