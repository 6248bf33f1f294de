/** A program for run-main.test.ts; the variable BEHAVIOUR says what becomes of it. */
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { readConfig } from "../config.ts";
import { port, secret } from "../config-settings.ts";
import { prepareDataDir } from "../data-dir.ts";
import { runMain } from "../run-main.ts";
import { StartupError } from "../startup-error.ts";

const behaviours: Record<string, (env: NodeJS.ProcessEnv, signal: AbortSignal) => Promise<() => Promise<void>>> = {
  "closes well": async () => async () => {
    await sleep(700);
    console.log("closed");
  },
  "never closes": async () => () => new Promise(() => {}),
  "fails to close": async () => async () => {
    throw new Error("the lid is stuck");
  },
  "starts slowly": async (_env, signal) => {
    await sleep(60_000, undefined, { signal });
    return async () => {};
  },
  "lacks a thing": async () => {
    throw new StartupError("the thing is missing:\nbring one");
  },
  "is configured wrongly": async (env) => {
    readConfig(env, { PORT: port(), TOKEN: secret() });
    return async () => {};
  },
  "wants a port": async (env) => {
    const server = createServer().listen(Number(env.PORT), "127.0.0.1");
    await new Promise((resolve, reject) => server.once("listening", resolve).once("error", reject));
    return async () => void server.close();
  },
  "wants a folder": async (env) => {
    await prepareDataDir(env.KINORA_DATA ?? "");
    return async () => {};
  },
  "fails to start": async () => {
    throw new Error("nobody thought of this", { cause: new Error("its cause") });
  },
  throws: async () => {
    setTimeout(() => {
      throw new Error("thrown later");
    }, 50);
    return async () => console.log("closed");
  },
  rejects: async () => {
    setTimeout(() => void Promise.reject(new Error("rejected later")), 50);
    return async () => console.log("closed");
  },
};

await runMain({
  name: "program",
  async start({ env, signal }) {
    const behaviour = behaviours[env.BEHAVIOUR ?? ""];
    if (behaviour === undefined) {
      throw new Error("no such behaviour");
    }
    // Keeps the process alive, as a listening server would.
    setInterval(() => {}, 60_000);
    console.log("starting");
    const close = await behaviour(env, signal);
    console.log("started");
    return { close };
  },
});
