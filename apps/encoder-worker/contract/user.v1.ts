/**
 * What a worker relies on in the user service, beyond the shapes of messages. `kinora-deploy record` keeps this program with what is deployed, and team user's
 * `kinora-deploy can-i-deploy user` runs it against their candidate: PROVIDER_URL is where that answers, PROVIDER_DATA its folder.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { after, test } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { KeyService } from "@kinora/proto-user";
import { createClientTransport } from "@kinora/rpc";

const { PROVIDER_URL: baseUrl = "", PROVIDER_DATA: data = "" } = process.env;
const key = `kinora_contract_${randomBytes(32).toString("base64url")}`;
await mkdir(`${data}/credentials`, { recursive: true });
await writeFile(`${data}/credentials/worker-key`, key, { mode: 0o600 });
const transport = createClientTransport({ baseUrl });
after(() => transport.close());
const keys = createClient(KeyService, transport);

test("the key that a worker of this machine leaves in the data folder is exchanged for a token that is good for leasing at the encoder", async () => {
  const { accessToken, scopes } = await keys.exchangeKey({ key, audiences: ["encoder"] });
  assert.deepEqual(scopes, ["tasks:work"]);
  const claims = JSON.parse(Buffer.from(accessToken.split(".")[1] ?? "", "base64url").toString());
  assert.deepEqual(claims.aud, ["encoder"]);
  assert.equal(claims.kind, "worker");
  assert.ok(claims.exp - claims.iat >= 60);
});

test("a key that nobody has is refused as unauthenticated: then we say so, and go on asking", async () => {
  const other = `kinora_contract_${randomBytes(32).toString("base64url")}`;
  const fault = await keys.exchangeKey({ key: other }).catch((error) => ConnectError.from(error).code);
  assert.equal(fault, Code.Unauthenticated);
});
