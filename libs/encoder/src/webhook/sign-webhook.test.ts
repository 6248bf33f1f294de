import { Webhook } from "standardwebhooks";
import { expect, it } from "vitest";
import { newWebhookSecret, webhookHeaders } from "./sign-webhook.ts";

it("is accepted by the official library, with any of the secrets, and not when anything is changed", () => {
  const [one, two, other] = [newWebhookSecret(), newWebhookSecret(), newWebhookSecret()];
  const body = JSON.stringify({ type: "video.uploaded", data: { name: "Ünïcode 🎬" } });
  const seconds = Math.floor(Date.now() / 1000);
  const headers = webhookHeaders([one, two], { id: "msg_1", seconds, body });
  expect(new Webhook(one).verify(body, headers)).toEqual(JSON.parse(body));
  expect(new Webhook(two).verify(body, headers)).toEqual(JSON.parse(body));
  expect(() => new Webhook(other).verify(body, headers)).toThrow();
  expect(() => new Webhook(one).verify(`${body} `, headers)).toThrow();
  expect(() => new Webhook(one).verify(body, { ...headers, "webhook-id": "msg_2" })).toThrow();
  const old = webhookHeaders([one], { id: "msg_1", seconds: seconds - 3600, body });
  expect(() => new Webhook(one).verify(body, old)).toThrow();
});
