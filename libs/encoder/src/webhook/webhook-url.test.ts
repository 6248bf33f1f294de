import { expect, it } from "vitest";
import { webhookUrlFault } from "./webhook-url.ts";

it.each([
  "https://example.org",
  "https://example.org:8443/hook?x=1",
  "https://8.8.8.8/hook",
  "https://[2606:4700:4700::1111]/",
])("takes %s", (url) => expect(webhookUrlFault(url, "public")).toBeUndefined());

it.each([
  "",
  "example.org",
  "ftp://example.org",
  "file:///etc/passwd",
  "http://example.org",
  "https://user:secret@example.org",
  "https://example.org/#x",
  "https://localhost/hook",
  "https://db/hook",
  "https://a.localhost./",
  "https://vault.internal/",
  "https://127.0.0.1/",
  "https://0x7f.1/",
  "https://2130706433/",
  "https://[::1]/",
  "https://[::ffff:169.254.169.254]/",
  "https://169.254.169.254/latest/meta-data",
])("refuses %s", (url) => expect(webhookUrlFault(url, "public")).toMatch(/^must /));

it("takes http and private addresses where the operator allows them, and never a password", () => {
  expect(webhookUrlFault("http://127.0.0.1:3000/hook", "any")).toBeUndefined();
  expect(webhookUrlFault("http://receiver/hook", "any")).toBeUndefined();
  expect(webhookUrlFault("http://a:b@receiver/hook", "any")).toMatch(/password/);
  expect(webhookUrlFault("ftp://receiver/hook", "any")).toMatch(/such as/);
});
