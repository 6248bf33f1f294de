import type { ServicePlan } from "./plan-service.ts";

/** What the new service relies on in each that it calls, as tests that its callers' deploys are held to: what is true of it as it is made, to be added to. */
export function contractTestFiles({ name, calls }: ServicePlan): Record<string, string> {
  return Object.fromEntries(
    calls.map((call) => [
      `apps/${name}/contract/${call.name}.v1.ts`,
      `/**
 * What ${name} relies on in the ${call.name} service, beyond the shapes of messages. \`kinora-deploy record\` keeps this program with what is deployed, and
 * \`kinora-deploy can-i-deploy ${call.name}\` runs it against the candidate: PROVIDER_URL is where that answers, PROVIDER_DATA its folder.
 * Add a test for each thing that ${name} does with an answer and that no type says: which error means what, what may be repeated.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { createClient } from "@connectrpc/connect";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@kinora/proto-common";
import { createClientTransport } from "@kinora/rpc";

const { PROVIDER_URL: baseUrl = "" } = process.env;
const transport = createClientTransport({ baseUrl });
after(() => transport.close());

test("it says over gRPC whether it can take calls, without a credential", async () => {
  const { status } = await createClient(Health, transport).check({});
  assert.equal(status, Status.SERVING);
});
${call.name === "user" ? keysTest : ""}`,
    ]),
  );
}

const keysTest = `
test("access tokens are verified with the keys at /.well-known/jwks.json", async () => {
  const answer = await fetch(\`\${baseUrl}/.well-known/jwks.json\`);
  const { keys } = (await answer.json()) as { keys: { kid?: string; alg?: string; d?: string }[] };
  assert.ok(keys.length > 0);
  for (const { kid, alg, d } of keys) assert.ok(kid !== undefined && alg === "EdDSA" && d === undefined);
});
`;
