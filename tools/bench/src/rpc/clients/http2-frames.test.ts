import { expect, test } from "vitest";
import { grpcGetUser, rawSpec } from "../requests.ts";
import { start } from "../servers/kinora.ts";
import { createFramesClient } from "./http2-frames.ts";

test("calls are answered, more of them than a connection takes at a time; those that fail say why", async () => {
  const server = await start({ kind: "kinora", around: "bare", work: { kind: "wait", ms: 20 } });
  const spec = { ...rawSpec(`http://127.0.0.1:${server.port}`, grpcGetUser(0), 1), kind: "http2-frames" } as const;
  const client = createFramesClient(spec);
  const lost = createFramesClient({ ...spec, path: "/nobody.Service/Knows" });
  try {
    await Promise.all(Array.from({ length: 600 }, () => client.call("getUser")));
    await expect(lost.call("getUser")).rejects.toThrow(/^12$/);
    const late = createFramesClient({ ...spec, headers: { ...spec.headers, "grpc-timeout": "1m" } });
    await expect(late.call("getUser")).rejects.toThrow(/^4$/);
    await late.close();
  } finally {
    await client.close();
    await lost.close();
    await server.close();
  }
  await expect(client.call("getUser")).rejects.toThrow("closed early");
});
