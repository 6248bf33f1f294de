import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { makeMedia } from "@kinora/media/testing";
import { sampleVideo } from "@kinora/testing";
import { TOTP } from "otpauth";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { browserFile, faultsOf, openBrowser, withoutBrowser } from "./support/browser.ts";
import { createInstallation, type Installation } from "./support/installation.ts";

// What a person does who has no more than the address: signs in, sends a file, watches what becomes of it, plays it, deletes it, signs out.

const longMs = 120_000;

if (withoutBrowser !== undefined) console.warn(`The page at / isn't tried: there is ${withoutBrowser}.`);

describe.skipIf(browserFile === undefined)("the page at /, in a browser", { timeout: 200_000 }, () => {
  let kinora: Installation;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let faults: string[];
  let owner: { email: string; password: string };

  beforeAll(async () => {
    kinora = await createInstallation("monolith");
    await kinora.startAll();
    owner = JSON.parse(await readFile(join(kinora.dataDir, "credentials/owner.json"), "utf8"));
    browser = await openBrowser();
    context = await browser.newContext();
    page = await context.newPage();
    faults = faultsOf(page);
    await page.goto(kinora.userUrl);
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    await kinora?.[Symbol.asyncDispose]();
  });

  const alert = () => page.getByRole("alert");
  const row = (name: string, on = page) => on.getByRole("listitem").filter({ hasText: name });
  const send = (...files: string[]) => page.locator("input[type=file]").setInputFiles(files);

  async function signIn(password: string, on = page): Promise<void> {
    await on.getByLabel("E-mail").fill(owner.email);
    await on.getByLabel("Password").fill(password);
    await on.getByRole("button", { name: "Sign in", exact: true }).click();
  }

  it("says that a password is wrong, and asks nobody else for anything", async () => {
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).origin));
    await page.reload();
    expect(faults).toEqual([]);
    await signIn("not the password");
    await alert().getByText("The e-mail address or the password is wrong.").waitFor();
    expect(new Set(asked)).toEqual(new Set([new URL(kinora.userUrl).origin]));
    faults.length = 0; // the refusal
  });

  it("lets the owner in, and tells them that there is nothing yet", async () => {
    await signIn(owner.password);
    await page.getByText(owner.email).waitFor();
    await page.getByText("There are no videos yet.").waitFor();
    expect(await alert().isVisible()).toBe(false);
  });

  it("sends a file, shows how far it is, and leads to where it plays", async () => {
    await send(sampleVideo);
    const sent = row(basename(sampleVideo));
    await sent.getByText(/ready/).waitFor({ timeout: longMs });
    await page.waitForFunction("document.querySelector('li img').naturalWidth > 100");
    await sent.getByRole("link", { name: /^Play/ }).click();
    await page.waitForURL(/\/videos\/[0-9a-f-]{36}$/);
    await page.locator("video").waitFor();
  });

  it("knows who it is after a reload, and in another tab", async () => {
    const other = await context.newPage();
    await Promise.all([page.goto(kinora.userUrl), other.goto(kinora.userUrl)]);
    for (const tab of [page, other]) await row(basename(sampleVideo), tab).waitFor();
    await other.close();
    expect(faults).toEqual([]);
  });

  it("goes on by itself when the network was gone, and sends the next file after it", async () => {
    // Raw pictures, so that there are several megabytes to send and little to encode.
    const [first, second] = [kinora.path("first.mkv"), kinora.path("second.mp4")];
    const shape = { width: 320, height: 180, frameRate: { num: 25, den: 1 } };
    await makeMedia(
      { path: first, flash: [1, 2], video: { ...shape, codec: "rawvideo", pixelFormat: "yuv420p", frames: 75 } },
      { path: second, flash: [1, 2], video: { ...shape, codec: "libx264", frames: 50 } },
    );
    await page.route("**/uploads/*", async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 400));
      await route.continue().catch(() => {}); // the network may be gone
    });
    await send(first, second);
    await row("first.mkv").getByText(/sent/).waitFor();
    await context.setOffline(true);
    await row("first.mkv").getByText("waits for the connection").waitFor({ timeout: 30_000 });
    await context.setOffline(false);
    await page.unroute("**/uploads/*");
    // One is sent after the other.
    expect(await row("second.mp4").count()).toBe(0);
    for (const name of ["first.mkv", "second.mp4"]) await row(name).getByText(/ready/).waitFor({ timeout: longMs });
    faults.length = 0; // what failed without a network
  });

  it("goes on with a file whose sending was broken off, if it is that file", async () => {
    const [file, other] = [kinora.path("first.mkv"), kinora.path("second.mp4")];
    await page.route("**/uploads/*", (route) => (route.request().method() === "PATCH" ? undefined : route.continue()));
    await page.locator("input[type=file]").setInputFiles({
      name: "again.mkv",
      mimeType: "video/x-matroska",
      buffer: await readFile(file),
    });
    await row("again.mkv").getByText(/sent/).waitFor();
    page.once("dialog", (dialog) => void dialog.accept()); // it says that a video is being sent
    await page.reload();
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await row("again.mkv")
      .getByText(/have arrived/)
      .waitFor();
    const choose = async (path: string) => {
      const chooser = page.waitForEvent("filechooser");
      await row("again.mkv")
        .getByRole("button", { name: /^Go on sending/ })
        .click();
      await (await chooser).setFiles(path);
    };
    await choose(other);
    await alert().getByText("second.mp4 isn't the file that was begun with").waitFor();
    await choose(file);
    await row("again.mkv").getByText(/ready/).waitFor({ timeout: longMs });
    expect(await alert().isVisible()).toBe(false);
    faults.length = 0; // the request that was broken off
  });

  it("takes back what is deleted, once that is confirmed", async () => {
    page.once("dialog", (dialog) => void dialog.dismiss());
    await row("second.mp4")
      .getByRole("button", { name: /^Delete/ })
      .click();
    await row("second.mp4").waitFor();
    page.once("dialog", (dialog) => void dialog.accept());
    await row("second.mp4")
      .getByRole("button", { name: /^Delete/ })
      .click();
    await row("second.mp4").waitFor({ state: "detached" });
    await row("first.mkv").waitFor();
  });

  it("says why a file can't be encoded", async () => {
    await page.locator("input[type=file]").setInputFiles({
      name: "letter.mp4",
      mimeType: "video/mp4",
      buffer: Buffer.from("Dear video platform,\n"),
    });
    await row("letter.mp4").getByText("This file is a text file, not a video.").waitFor({ timeout: longMs });
  });

  it("fits small screens", async () => {
    await page.setViewportSize({ width: 360, height: 640 });
    await row("first.mkv").waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    await page.setViewportSize({ width: 1280, height: 720 });
  });

  it("signs out for good", async () => {
    const before = await context.cookies();
    expect(before.map(({ name, httpOnly, sameSite }) => ({ name, httpOnly, sameSite }))).toEqual([
      { name: "kinora_session", httpOnly: true, sameSite: "Strict" },
    ]);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("E-mail").waitFor();
    expect(await context.cookies()).toEqual([]);
    await page.reload();
    await page.getByLabel("E-mail").waitFor();
    await context.addCookies(before);
    await page.evaluate(() => localStorage.setItem("kinora.signed-in", "yes"));
    await page.reload();
    await page.getByLabel("E-mail").waitFor();
    faults.length = 0; // the session that has ended
  });

  it("asks for a second factor where there is one", async () => {
    const call = async (method: string, body: object, token = ""): Promise<{ [name: string]: string }> => {
      const answer = await fetch(`${kinora.userUrl}/${method}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...(token !== "" && { authorization: `Bearer ${token}` }) },
        body: JSON.stringify(body),
      });
      if (!answer.ok) throw new Error(`${method}: ${await answer.text()}`);
      return (await answer.json()) as { [name: string]: string };
    };
    const login = (await call("user.v1.SessionService/CreateSession", owner)) as unknown as {
      tokens: { accessToken: string };
    };
    const { secret = "" } = await call("user.v1.FactorService/StartTotp", {}, login.tokens.accessToken);
    const totp = new TOTP({ secret });
    await call("user.v1.FactorService/ConfirmTotp", { code: totp.generate() }, login.tokens.accessToken);

    await signIn(owner.password);
    const code = page.getByLabel(/authenticator/);
    await code.waitFor();
    await code.fill("000000");
    await page.getByRole("button", { name: "Go on" }).click();
    await alert()
      .getByText(/code is wrong/)
      .waitFor();
    faults.length = 0; // the refusal
    // The code of the confirmation has been used.
    await code.fill(totp.generate({ timestamp: Date.now() + 30_000 }));
    await page.getByRole("button", { name: "Go on" }).click();
    await row("first.mkv").waitFor();
    expect(faults).toEqual([]);
  });
});
