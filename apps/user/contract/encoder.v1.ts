/**
 * What the user service relies on in the encoder, beyond the shapes of messages. `kinora-deploy record` keeps this program with what is deployed, and team encoder's
 * `kinora-deploy can-i-deploy encoder` runs it against their candidate: PROVIDER_URL is where that answers, PROVIDER_DATA its folder.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, test } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { AccountService } from "@kinora/proto-encoder";
import { createClientTransport } from "@kinora/rpc";

const { PROVIDER_URL: baseUrl = "", PROVIDER_DATA: data = "" } = process.env;
const token = (await readFile(`${data}/credentials/service`, "utf8")).trim();
const transport = createClientTransport({ baseUrl, token });
after(() => transport.close());
const accounts = createClient(AccountService, transport);

test("telling of a deleted account succeeds, however often, and also of one that the encoder never saw", async () => {
  const userId = randomUUID();
  for (let repeat = 0; repeat < 2; repeat++) assert.equal((await accounts.deleteAccountData({ userId })).videos, 0);
});

test("nobody but a service may say so", async () => {
  const anonymous = createClientTransport({ baseUrl });
  try {
    const call = createClient(AccountService, anonymous).deleteAccountData({ userId: randomUUID() });
    const code = await call.then(
      () => undefined,
      (error) => ConnectError.from(error).code,
    );
    assert.equal(code, Code.Unauthenticated);
  } finally {
    anonymous.close();
  }
});
