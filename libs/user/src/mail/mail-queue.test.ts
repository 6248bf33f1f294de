import { type MailServer, startMailServer } from "@kinora/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ServiceUnderTest, startServiceUnderTest } from "../testing/service-under-test.ts";

let mail: MailServer;
let kinora: ServiceUnderTest;
beforeAll(async () => {
  mail = await startMailServer();
  const smtpUrl = `smtp://kinora:smtp-pass-word@127.0.0.1:${mail.port}`;
  kinora = await startServiceUnderTest({ mail: { smtpUrl, from: "Kinora <kinora@example.com>" } });
});
afterAll(async () => {
  await kinora?.close();
  await mail?.[Symbol.asyncDispose]();
});

describe("letters by SMTP", () => {
  it("carry the code that works, after a login at the server", async () => {
    const ada = await kinora.join("Ada");
    await mail.next(ada.email); // her welcome
    const { resetId } = await kinora.as().accounts.requestPasswordReset({ email: ada.email });
    const letter = await mail.next(ada.email);
    expect(letter).toMatchObject({ from: "kinora@example.com", to: [ada.email], login: "\0kinora\0smtp-pass-word" });
    expect(letter.data).toMatch(/^Message-ID: <[0-9a-f-]{36}@/m);
    const code = /^ {4}(\d{8})\r?$/m.exec(letter.data)?.[1] ?? "";
    await kinora.as().accounts.resetPassword({ resetId, code, password: "seventeen swans went west" });
  });

  it("are tried again until the server takes them, and then sent once", async () => {
    const bob = await kinora.join("Bob");
    await mail.next(bob.email);
    mail.refuse(2);
    const { resetId } = await kinora.as().accounts.requestPasswordReset({ email: bob.email });
    const letter = await mail.next(bob.email);
    const code = /^ {4}(\d{8})\r?$/m.exec(letter.data)?.[1] ?? "";
    await kinora.as().accounts.resetPassword({ resetId, code, password: "seventeen swans went west" });
    await mail.next(bob.email); // that the password has changed: after it, nothing of the reset is left to come
    expect(mail.letters.filter(({ to }) => to.includes(bob.email))).toEqual([]);
  });

  it("say nothing of the server's password in the log", () => {
    expect(kinora.lines.join("\n")).toContain("couldn't be sent yet");
    expect(kinora.lines.join("\n")).not.toContain("smtp-pass-word");
  });
});
