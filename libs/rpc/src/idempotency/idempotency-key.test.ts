import { create } from "@bufbuild/protobuf";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { EchoResponseSchema, EchoService } from "@kinora/proto-common/kinora/testing/v1/echo_service_pb.js";
import fc from "fast-check";
import { expect, it } from "vitest";
import { parseIdempotencyKey, sendIdempotencyKeys } from "./idempotency-key.ts";

it.each([
  ["8e03978e-40d5-43e8-bc93-6894a57f9324", "8e03978e-40d5-43e8-bc93-6894a57f9324"],
  ['"8e03978e-40d5-43e8-bc93-6894a57f9324"', "8e03978e-40d5-43e8-bc93-6894a57f9324"],
  ['"a\\"b\\\\c"', 'a"b\\c'],
  ['"', '"'],
  ["", undefined],
  ['""', undefined],
  ["two words", undefined],
  ['"two words"', undefined],
  ["schlüssel", undefined],
  ["a".repeat(255), "a".repeat(255)],
  ["a".repeat(256), undefined],
])("the header %j holds the key %j", (value, key) => {
  expect(parseIdempotencyKey(value)).toBe(key);
});

it("takes a key in quotes for the same key", () => {
  const visible = fc.string({
    minLength: 1,
    maxLength: 100,
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  });
  fc.assert(
    fc.property(visible, (key) => {
      fc.pre(!key.startsWith('"'));
      expect(parseIdempotencyKey(key)).toBe(key);
      expect(parseIdempotencyKey(`"${key.replace(/["\\]/g, "\\$&")}"`)).toBe(key);
    }),
  );
});

it("gives calls that change something a key each, unless they have one, and others none", async () => {
  const seen: (string | null)[] = [];
  const note = (text: string, { requestHeader }: { requestHeader: Headers }) => {
    seen.push(requestHeader.get("idempotency-key"));
    return create(EchoResponseSchema, { text });
  };
  const transport = createRouterTransport(
    (router) => {
      router.service(EchoService, {
        echo: ({ text }, context) => note(text, context),
        echoUser: ({ text }, context) => ({ text: note(text, context).text }),
      });
    },
    { transport: { interceptors: [sendIdempotencyKeys()] } },
  );
  const client = createClient(EchoService, transport);
  await client.echoUser({ text: "a" });
  await client.echoUser({ text: "a" });
  await client.echoUser({ text: "a" }, { headers: { "idempotency-key": "mine" } });
  await client.echo({ text: "a" });
  const [first, second, third, safe] = seen;
  expect(first).toMatch(/^[0-9a-f-]{36}$/);
  expect(second).toMatch(/^[0-9a-f-]{36}$/);
  expect(second).not.toBe(first);
  expect(third).toBe("mine");
  expect(safe).toBeNull();
});
