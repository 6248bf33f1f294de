import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from "node:http2";

/** A server over HTTP/2 that does with each stream what it is told, in ways that ours never would. */
export type RawServer = Disposable & {
  url: string;
  port: number;
  sessions: ReadonlySet<ServerHttp2Session>;
};

/** Listens on the loopback interface until the end of its scope (`using`). `count` is 1 for the first stream. */
export async function startRawServer(
  onStream: (stream: ServerHttp2Stream, count: number, headers: IncomingHttpHeaders) => void,
  options: ServerOptions = {},
): Promise<RawServer> {
  const server = createServer(options);
  const sessions = new Set<ServerHttp2Session>();
  let count = 0;
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    stream.on("error", () => {});
    stream.resume();
    onStream(stream, ++count, headers);
  });
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => {});
    session.once("close", () => sessions.delete(session));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    sessions,
    [Symbol.dispose]() {
      for (const session of sessions) {
        session.destroy();
      }
      server.close();
    },
  };
}
