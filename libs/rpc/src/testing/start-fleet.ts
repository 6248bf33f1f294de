import type { ServiceImpl } from "@connectrpc/connect";
import type { EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import { echoRoutes } from "./echo-service.ts";
import { startServer, type TestServer } from "./start-server.ts";

type Handlers = Partial<ServiceImpl<typeof EchoService>>;

/** One server among several that do the same. */
export type FleetMember = {
  port: number;
  /** `host:port`. */
  address: string;
  /** Calls of `echo` and `echoUser` that it has taken. */
  calls: number;
  /** Stops it: those under way have `graceMs` to finish. */
  stop(graceMs?: number): Promise<void>;
  /** Starts it again at the same address. */
  start(): Promise<void>;
};

/** Servers that answer with their number as text, after `handlers` have had their say. */
export async function startFleet(
  count: number,
  handlers: (index: number) => Handlers = () => ({}),
): Promise<AsyncDisposable & { members: FleetMember[]; addresses: string[] }> {
  const members = await Promise.all(Array.from({ length: count }, (_, index) => startMember(index, handlers(index))));
  return {
    members,
    addresses: members.map(({ address }) => address),
    async [Symbol.asyncDispose]() {
      await Promise.all(members.map((member) => member.stop(0)));
    },
  };
}

async function startMember(index: number, handlers: Handlers): Promise<FleetMember> {
  const name = String(index);
  const echo = handlers.echo ?? (() => ({ text: name }));
  const echoUser = handlers.echoUser ?? (() => ({ text: name }));
  const routes = echoRoutes({
    ...handlers,
    echo(request, context) {
      member.calls++;
      return echo(request, context);
    },
    echoUser(request, context) {
      member.calls++;
      return echoUser(request, context);
    },
  });
  let server: TestServer | undefined;
  const member: FleetMember = {
    port: 0,
    address: "",
    calls: 0,
    async start() {
      server = await startServer({ routes, port: member.port });
      member.port = server.port;
      member.address = `127.0.0.1:${server.port}`;
    },
    async stop(graceMs) {
      await server?.close(graceMs);
      server = undefined;
    },
  };
  await member.start();
  return member;
}
