import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { freePort, repositoryRoot, temporaryFolder, waitUntilReady } from "@kinora/testing";
import { expect, it } from "vitest";

/** The README's commands, in its order: each is the text of one shell block. */
async function readmeCommands(): Promise<string[]> {
  const readme = await readFile(join(repositoryRoot, "README.md"), "utf8");
  return [...readme.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = ""]) => block.trim());
}

it("the README's commands work on a fresh clone, with nothing but the machine's own Node and npm", async () => {
  const [start, encode, more, test, curl, grpc, apart, deploy, ...others] = await readmeCommands();
  expect([start, test]).toEqual(["npm ci && npm start", "npm ci && npm test"]);
  expect(apart).toBe("npx nx run-many -t serve -p user encoder encoder-worker");
  expect(others).toEqual([]);

  await using folder = await temporaryFolder("kinora-readme-");
  const clone = join(folder.path, "kinora");
  const port = await freePort();
  const shell = createShell(folder.path, {
    PORT: String(port),
    XDG_CONFIG_HOME: join(folder.path, "config"),
    // On a newer Node, npm leaves a cache of its code in the temporary folder.
    NODE_DISABLE_COMPILE_CACHE: "1",
  });
  const here = (command = "") => command.replaceAll("localhost:8080", `localhost:${port}`);
  await shell.run(`git clone -q ${JSON.stringify(repositoryRoot)} kinora`);

  const server = shell.start(here(start), clone);
  await Promise.race([
    waitUntilReady(`http://localhost:${port}`, 300_000),
    server.end.then(({ output }) => {
      throw new Error(`npm start ended:\n${output}`);
    }),
  ]);
  const encoded = await shell.run(here(encode), clone);
  expect(encoded.trim().split("\n").at(-1)).toMatch(/^http.*\/master\.m3u8$/);
  const said = await shell.run(here(more), clone);
  expect(said).toContain("sintel-trailer.mp4");
  expect(await readdir(join(clone, "stream"))).toContain("manifest.mpd");
  expect(JSON.parse(await shell.run(here(curl), clone)).videos).toHaveLength(2);
  expect(await shell.run(here(grpc), clone)).toContain("encoder.v1.EncoderService/StartEncode");

  // Nx's daemon would outlive the test.
  const deployed = await shell.run(`export NX_DAEMON=false\n${deploy}`, clone);
  expect(deployed).toMatch(/user +due +nothing is recorded/);
  expect(deployed).toContain("user can be deployed to production.");

  // As Ctrl-C in a terminal: the signal goes to every process of the group.
  await expectQuickEnd(server);

  // The ports of this command are fixed, and so are the promises about them.
  const { PORT: _port, ...withoutPort } = shell.env;
  const services = createShell(folder.path, withoutPort).start(apart ?? "", clone);
  await Promise.all([waitUntilReady("http://localhost:8081"), waitUntilReady("http://localhost:8082")]);
  const again = await createShell(folder.path, withoutPort).run(encode ?? "", clone);
  expect(again.trim().split("\n").at(-1)).toMatch(/^http:\/\/localhost:8082\/videos\/.*\/master\.m3u8$/);
  await expectQuickEnd(services);
});

async function expectQuickEnd(command: { signal(name: NodeJS.Signals): unknown; end: Promise<unknown> }) {
  const asked = performance.now();
  command.signal("SIGINT");
  await command.end;
  expect(performance.now() - asked).toBeLessThan(6_000);
}

/** Runs shell commands with the machine's own Node, as somebody does who has just cloned the project. */
function createShell(home: string, own: NodeJS.ProcessEnv) {
  const path = (process.env.PATH ?? "").split(delimiter).filter((one) => !one.includes("node_modules"));
  const { NODE_OPTIONS: _options, VITEST: _vitest, NODE: _node, ...inherited } = process.env;
  const kept = Object.entries(inherited).filter(([name]) => !/^(npm_|NX_|VITEST)/i.test(name));
  const env = { ...Object.fromEntries(kept), ...own, PATH: path.join(delimiter), LOG_FORMAT: "json" };
  const start = (command: string, cwd = home) => {
    const child = spawn("/bin/sh", ["-c", command], { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    return {
      end: once(child, "close").then(([code]: (number | null)[]) => ({ code, output, stdout })),
      signal: (signal: NodeJS.Signals) => child.pid !== undefined && process.kill(-child.pid, signal),
    };
  };
  return {
    /** What was set on top of the machine's own environment. */
    env: own,
    start,
    async run(command: string, cwd?: string): Promise<string> {
      const { code, output, stdout } = await start(command, cwd).end;
      if (code !== 0) throw new Error(`${command}\nended with ${code}:\n${output}`);
      return stdout;
    },
  };
}
