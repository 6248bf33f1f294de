import { connect, createServer, type Socket } from "node:net";

/** One address for the replicas of a service, as a cluster gives them: each new connection goes to a replica that is to have some. */
export type Balancer = {
  port: number;
  /** Replicas, by their ports, that new connections go to; those there are go on. */
  use(ports: readonly number[]): void;
  close(): Promise<void>;
};

/** Listens on a free port of this machine. It looks at no byte: HTTP/1.1 and HTTP/2 pass alike. */
export async function startBalancer(): Promise<Balancer> {
  let replicas: readonly number[] = [];
  let turn = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const port = replicas[turn++ % Math.max(1, replicas.length)];
    if (port === undefined) {
      client.destroy();
      return;
    }
    const replica = connect(port, "127.0.0.1");
    for (const [socket, other] of [
      [client, replica],
      [replica, client],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroySoon();
      });
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The balancer has no port.");
  return {
    port: address.port,
    use(ports) {
      replicas = ports;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
