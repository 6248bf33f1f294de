import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@kinora/proto-common";
import { expect, it } from "vitest";
import { lateTransport } from "./late-transport.ts";

it("refuses calls as unavailable until it is connected, then passes them on", async () => {
  const transport = lateTransport("encoder");
  const client = createClient(Health, transport);
  const early = await client.check({}).catch((error: unknown) => error);
  expect(ConnectError.from(early).code).toBe(Code.Unavailable);
  expect(ConnectError.from(early).rawMessage).toBe("encoder is still starting; try again");

  transport.connect(
    createRouterTransport((router) => {
      router.service(Health, {
        check: () => ({ status: Status.SERVING }),
        async *watch() {
          yield { status: Status.NOT_SERVING };
        },
      });
    }),
  );
  expect((await client.check({})).status).toBe(Status.SERVING);
  const seen: number[] = [];
  for await (const { status } of client.watch({})) seen.push(status);
  expect(seen).toEqual([Status.NOT_SERVING]);
});
