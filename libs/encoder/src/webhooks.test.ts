import { once } from "node:events";
import http from "node:http";
import { Code, createClient } from "@connectrpc/connect";
import { WebhookDeliveryState, WebhookService } from "@kinora/proto-encoder";
import { createClientTransport } from "@kinora/rpc";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { must, type Person, probe, soon, startEncoder, startOne, uploadVideo } from "./testing/harness.ts";
import { useEncoder } from "./testing/use-encoder.ts";

const installation = useEncoder();
const ends: (() => unknown)[] = [];
afterAll(() => Promise.all(ends.map((end) => end())));

type Received = { headers: http.IncomingHttpHeaders; body: string };
type Body = { type: string; timestamp: string; data: Record<string, unknown> };

/** A receiver that answers as it is told. */
async function receiver(answer: (count: number) => { status: number; headers?: http.OutgoingHttpHeaders } | "silence") {
  const received: Received[] = [];
  const server = http.createServer(async (request, response) => {
    const chunks = await Array.fromAsync(request);
    received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    const told = answer(received.length);
    if (told !== "silence") response.writeHead(told.status, told.headers).end("thanks");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { url: `http://127.0.0.1:${address.port}/hook`, received };
}

function clientOf({ token }: Person) {
  const transport = createClientTransport({ baseUrl: installation.encoder.url, token, timeoutMs: 30_000 });
  ends.push(() => transport.close());
  return createClient(WebhookService, transport);
}

/** Reads what was received as a program would that uses the official library. */
const verified = (secret: string, { body, headers }: Received) =>
  new Webhook(secret).verify(body, headers as Record<string, string>) as Body;

const typesOf = (received: readonly Received[]) => received.map(({ body }) => (JSON.parse(body) as Body).type);

/** What is to be tried again is tried now. */
const hurry = () =>
  installation.database.pool.query("UPDATE encoder_queue.job SET start_after = now() WHERE name = 'control.webhook'");

beforeEach(async () => {
  await installation.database.pool.query("DELETE FROM webhooks");
});

describe("webhooks", () => {
  it("tell of a video's life, signed, and nobody else's", async () => {
    const { encoder } = installation;
    const person = encoder.person();
    const client = clientOf(person);
    const { url, received } = await receiver(() => ({ status: 204 }));
    const { webhook, secret } = await client.createWebhook({ url, description: "all" });
    expect(webhook).toMatchObject({ url, enabled: true, events: [] });
    const { videoId, encodeId } = await startOne(person);
    await startOne(encoder.person());
    await person.encoder.cancelEncode({ id: encodeId });
    await person.encoder.deleteVideo({ id: videoId });
    await expect
      .poll(() => typesOf(received).sort(), soon)
      .toEqual(["encode.cancelled", "encode.started", "video.deleted", "video.uploaded"]);
    for (const one of received) {
      const { data, timestamp } = verified(must(secret), one);
      expect(data.videoId).toBe(videoId);
      expect(Math.abs(Date.now() - Date.parse(timestamp))).toBeLessThan(600_000);
      expect(one.headers).toMatchObject({ "content-type": "application/json", "user-agent": "Kinora-Webhooks/1" });
    }
    expect(new Set(received.map(({ headers }) => headers["webhook-id"])).size).toBe(4);
    const { deliveries } = await client.listWebhookDeliveries({ webhookId: must(webhook).id });
    expect(deliveries.map(({ state }) => state)).toEqual(Array(4).fill(WebhookDeliveryState.SUCCEEDED));
  });

  it("send only the types that were asked for", async () => {
    const person = installation.encoder.person();
    const client = clientOf(person);
    const { url, received } = await receiver(() => ({ status: 200 }));
    await client.createWebhook({ url, events: ["video.deleted"] });
    const id = await uploadVideo(person);
    await person.encoder.deleteVideo({ id });
    await expect.poll(() => typesOf(received), soon).toEqual(["video.deleted"]);
  });

  it("are tried again, with the same id, until they are taken; also after a restart", async () => {
    const person = installation.encoder.person();
    const client = clientOf(person);
    const { url, received } = await receiver((count) => ({ status: count < 3 ? 500 : 200 }));
    const { webhook, secret } = await client.createWebhook({ url, events: ["video.uploaded"] });
    const videoId = await uploadVideo(person);
    await expect.poll(() => received.length, soon).toBe(1);
    const list = async () => (await clientOf(person).listWebhookDeliveries({ webhookId: must(webhook).id })).deliveries;
    await expect
      .poll(async () => (await list())[0], soon)
      .toMatchObject({
        attempts: 1,
        lastStatus: 500,
        lastError: "The address answered 500.",
        state: WebhookDeliveryState.PENDING,
      });
    expect((await list())[0]?.nextAttemptTime).toBeDefined();
    await installation.restart();
    await hurry();
    await expect.poll(() => received.length, soon).toBe(2);
    await expect.poll(async () => (await list())[0]?.attempts, soon).toBe(2);
    await hurry();
    await expect.poll(async () => (await list())[0]?.state, soon).toBe(WebhookDeliveryState.SUCCEEDED);
    expect(received.length).toBe(3);
    expect(new Set(received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    for (const one of received) expect(verified(must(secret), one).data.videoId).toBe(videoId);
  });

  it("are given up after the last attempt, and can be sent once more", async () => {
    const person = installation.encoder.person();
    const client = clientOf(person);
    let status = 503;
    const { url, received } = await receiver(() => ({ status }));
    const { webhook } = await client.createWebhook({ url });
    await uploadVideo(person);
    const newest = async () =>
      must((await client.listWebhookDeliveries({ webhookId: must(webhook).id })).deliveries[0]);
    await expect.poll(async () => (await newest()).attempts, soon).toBe(1);
    // All but the last attempt are over.
    await installation.database.pool.query("UPDATE webhook_deliveries SET attempts = 10");
    await installation.database.pool.query(
      `UPDATE encoder_queue.job SET start_after = now(), data = jsonb_set(data, '{attempt}', '11') WHERE name = 'control.webhook' AND state = 'created'`,
    );
    await expect.poll(async () => (await newest()).state, soon).toBe(WebhookDeliveryState.FAILED);
    status = 200;
    const before = await newest();
    const { delivery } = await client.redeliverWebhook({ deliveryId: before.id });
    expect(delivery).toMatchObject({ eventId: before.eventId, attempts: 0 });
    await expect.poll(async () => (await newest()).state, soon).toBe(WebhookDeliveryState.SUCCEEDED);
    expect(received.at(-1)?.headers["webhook-id"]).toBe(before.eventId);
  });

  it("don't follow redirects, and disable an address that is gone", async () => {
    const person = installation.encoder.person();
    const client = clientOf(person);
    const inner = await receiver(() => ({ status: 200 }));
    const outer = await receiver(() => ({ status: 302, headers: { location: inner.url } }));
    const { webhook } = await client.createWebhook({ url: outer.url });
    const { delivery } = await client.testWebhook({ id: must(webhook).id });
    expect(delivery).toMatchObject({
      type: "webhook.test",
      state: WebhookDeliveryState.FAILED,
      lastError: "The address answered 302: redirects aren't followed.",
    });
    expect(inner.received).toEqual([]);

    const gone = await receiver(() => ({ status: 410 }));
    await client.updateWebhook({ id: must(webhook).id, url: gone.url });
    await uploadVideo(person);
    const first = async () => (await client.listWebhooks({})).webhooks[0];
    await expect.poll(async () => (await first())?.disabledReason, soon).toBe("It answered 410 Gone.");
    expect((await first())?.enabled).toBe(false);
    await uploadVideo(person);
    expect((await client.listWebhookDeliveries({ webhookId: must(webhook).id })).deliveries.length).toBe(2);
    await client.updateWebhook({ id: must(webhook).id, enabled: true, url: inner.url });
    expect(await first()).toMatchObject({ enabled: true, disabledReason: "" });
    expect((await client.testWebhook({ id: must(webhook).id })).delivery?.state).toBe(WebhookDeliveryState.SUCCEEDED);
  });

  it("disable an address that has failed for days", async () => {
    const person = installation.encoder.person();
    const client = clientOf(person);
    const { url } = await receiver(() => ({ status: 500 }));
    const { webhook } = await client.createWebhook({ url });
    await installation.database.pool.query("UPDATE webhooks SET failing_since = now() - interval '6 days'");
    await uploadVideo(person);
    await expect
      .poll(async () => (await client.listWebhooks({})).webhooks[0]?.disabledReason, soon)
      .toMatch(/5 days has failed/);
    const { deliveries } = await client.listWebhookDeliveries({ webhookId: must(webhook).id });
    expect(deliveries[0]?.state).toBe(WebhookDeliveryState.FAILED);
  });

  it("are signed with the new secret and for a day with the old one", async () => {
    const person = installation.encoder.person();
    const client = clientOf(person);
    const { url, received } = await receiver(() => ({ status: 200 }));
    const { webhook, secret: old } = await client.createWebhook({ url });
    const { secret } = await client.rotateWebhookSecret({ id: must(webhook).id });
    await client.testWebhook({ id: must(webhook).id });
    const [one] = received;
    expect(verified(secret, must(one)).type).toBe("webhook.test");
    expect(verified(old, must(one)).type).toBe("webhook.test");
    await installation.database.pool.query("UPDATE webhooks SET old_secret_until = now()");
    await client.testWebhook({ id: must(webhook).id });
    expect(verified(secret, must(received[1])).type).toBe("webhook.test");
    expect(() => verified(old, must(received[1]))).toThrow();
  });

  it("of one address that hangs don't hold up those of others", async () => {
    const [slow, quick] = [installation.encoder.person(), installation.encoder.person()];
    const hanging = await receiver(() => "silence");
    const prompt = await receiver(() => ({ status: 200 }));
    await clientOf(slow).createWebhook({ url: hanging.url });
    await clientOf(quick).createWebhook({ url: prompt.url });
    for (let index = 0; index < 12; index += 1) await uploadVideo(slow);
    await expect.poll(() => hanging.received.length, soon).toBeGreaterThan(0);
    await uploadVideo(quick);
    await expect.poll(() => prompt.received.length, { timeout: 9_000 }).toBe(1);
    // Those of one address at a time are few.
    expect(hanging.received.length).toBeLessThanOrEqual(6);
  });

  it("are their owner's alone", async () => {
    const { encoder } = installation;
    const client = clientOf(encoder.person());
    const stranger = clientOf(encoder.person());
    const { url } = await receiver(() => ({ status: 200 }));
    const id = must((await client.createWebhook({ url })).webhook).id;
    const { delivery } = await client.testWebhook({ id });
    const notFound = { code: Code.NotFound };
    expect((await stranger.listWebhooks({})).webhooks).toEqual([]);
    await expect(stranger.updateWebhook({ id, enabled: false })).rejects.toMatchObject(notFound);
    await expect(stranger.rotateWebhookSecret({ id })).rejects.toMatchObject(notFound);
    await expect(stranger.testWebhook({ id })).rejects.toMatchObject(notFound);
    await expect(stranger.listWebhookDeliveries({ webhookId: id })).rejects.toMatchObject(notFound);
    await expect(stranger.redeliverWebhook({ deliveryId: must(delivery).id })).rejects.toMatchObject(notFound);
    await stranger.deleteWebhook({ id });
    expect((await client.listWebhooks({})).webhooks.length).toBe(1);
    await client.deleteWebhook({ id });
    await client.deleteWebhook({ id });
    expect((await client.listWebhooks({})).webhooks).toEqual([]);
  });

  it("refuse what can't be an address, and types that don't exist", async () => {
    const client = clientOf(installation.encoder.person());
    const url = "http://127.0.0.1/hook";
    await expect(client.createWebhook({ url: "ftp://x" })).rejects.toMatchObject({ code: Code.InvalidArgument });
    await expect(client.createWebhook({ url, events: ["encode.exploded"] })).rejects.toThrow(/"encode.exploded" isn't/);
    for (let index = 0; index < 20; index += 1) await client.createWebhook({ url });
    await expect(client.createWebhook({ url })).rejects.toMatchObject({ code: Code.ResourceExhausted });
  });

  it("end with the account", async () => {
    const person = installation.encoder.person();
    const { url } = await receiver(() => ({ status: 200 }));
    await clientOf(person).createWebhook({ url });
    await installation.encoder.account.deleteAccountData({ userId: person.id });
    expect((await installation.database.pool.query("SELECT FROM webhooks")).rowCount).toBe(0);
    await expect(clientOf(person).createWebhook({ url })).rejects.toMatchObject({ code: Code.Unauthenticated });
  });

  it("happen or don't together with what they tell of", async () => {
    const person = installation.encoder.person();
    const { url, received } = await receiver(() => ({ status: 200 }));
    const client = clientOf(person);
    const { webhook } = await client.createWebhook({ url, events: ["encode.started"] });
    const { encodeId } = await startOne(person);
    await person.encoder.startEncode({
      videoId: must((await person.encoder.getEncode({ id: encodeId })).encode).videoId,
    });
    await probe(installation.encoder.worker);
    await expect.poll(() => received.length, soon).toBe(1);
    expect((await client.listWebhookDeliveries({ webhookId: must(webhook).id })).deliveries.length).toBe(1);
  });
});

describe("secrets in the database", () => {
  const stored = async (id: string) =>
    (await installation.database.pool.query("SELECT secret, old_secret FROM webhooks WHERE id = $1", [id])).rows[0];

  it("are sealed, those of before as well, each bound to its webhook; who lacks the key can't sign, and is told", async () => {
    const person = installation.encoder.person();
    const { url, received } = await receiver(() => ({ status: 204 }));
    // From before there was a seal.
    const before = await clientOf(person).createWebhook({ url });
    const id = must(before.webhook).id;
    expect((await stored(id)).secret).toBe(before.secret);

    const sealing = await startEncoder({ ...installation, sealingSecret: "a sealing secret of this test" });
    ends.push(() => sealing.close());
    const hooks = createClient(WebhookService, transportTo(sealing.url, person.token));
    await expect.poll(async () => (await stored(id)).secret, soon).toMatch(/^sealed:/);
    await hooks.testWebhook({ id });
    expect(verified(before.secret, must(received.at(-1))).type).toBe("webhook.test");

    const { secret } = await hooks.rotateWebhookSecret({ id });
    const { webhook: other, secret: otherSecret } = await hooks.createWebhook({ url });
    for (const row of [await stored(id), await stored(must(other).id)]) {
      expect(row.secret).toMatch(/^sealed:/);
      for (const plain of [before.secret, secret, otherSecret]) expect(JSON.stringify(row)).not.toContain(plain);
    }
    await hooks.testWebhook({ id });
    for (const one of [secret, before.secret]) verified(one, must(received.at(-1)));

    // Moved to another webhook by who writes to the database, a secret opens nothing.
    await installation.database.pool.query(
      "UPDATE webhooks SET secret = (SELECT secret FROM webhooks WHERE id = $2) WHERE id = $1",
      [must(other).id, id],
    );
    const count = received.length;
    const moved = await hooks.testWebhook({ id: must(other).id });
    expect(moved.delivery?.lastError).toBe("The secret of this address can't be opened any more: rotate it.");
    const without = await clientOf(person).testWebhook({ id });
    expect(without.delivery?.lastError).toContain("rotate it");
    expect(received.length).toBe(count);
    await hooks.rotateWebhookSecret({ id: must(other).id });
    expect((await hooks.testWebhook({ id: must(other).id })).delivery?.lastStatus).toBe(204);
  });
});

function transportTo(baseUrl: string, token: string) {
  const transport = createClientTransport({ baseUrl, token, timeoutMs: 30_000 });
  ends.push(() => transport.close());
  return transport;
}
