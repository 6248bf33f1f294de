import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";

/** Where Chromium or Chrome is, if the machine has one. Debian's `chromium` plays H.264 and AAC; playwright's own download doesn't. */
export const browserFile: string | undefined = ["chromium", "chromium-browser", "google-chrome"]
  .flatMap((name) => (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, name)))
  .find((file) => existsSync(file));

/** Why suites that need a browser don't run; undefined if they do. */
export const withoutBrowser: string | undefined =
  browserFile === undefined ? "no browser: `apt-get install chromium`" : undefined;

export function openBrowser(args: string[] = []): Promise<Browser> {
  if (browserFile === undefined) throw new Error(`There is ${withoutBrowser}.`);
  return chromium.launch({
    executablePath: browserFile,
    // Root's Chromium has no sandbox; these pages are ours.
    args: ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required", "--mute-audio", ...args],
    // Where PulseAudio's library is installed, the browser would leave a folder for its socket in the temporary folder.
    env: { ...process.env, PULSE_SERVER: "unix:/nowhere" },
  });
}

/** What went wrong on a page: errors of scripts and the console (among them violations of its policy), and answers that aren't good. */
export function faultsOf(page: Page): string[] {
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") faults.push(`console: ${message.text()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) faults.push(`${response.status()} ${response.url()}`);
  });
  return faults;
}
