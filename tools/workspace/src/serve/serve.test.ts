import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parentOf } from "../testing/leftovers.ts";
import { copyWorkspace } from "../testing/workspace-copy.ts";

const serve = fileURLToPath(new URL("./main.ts", import.meta.url));

let folder: string;
let notes: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "serve-"));
  notes = join(folder, "notes");
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGTERM");
  rmSync(folder, { recursive: true, force: true });
});

/** A service that closes in its own time, and a child of it, as a database or an encode would be. Both note what they meet. */
const service = (path: string) => `
  import { spawn } from "node:child_process";
  import { appendFileSync } from "node:fs";
  const [role, notes] = [process.argv[2] ?? "service", ${JSON.stringify(path)}];
  const note = (text: string): void => appendFileSync(notes, [role, process.pid, text].join(" ") + "\\n");
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      note(signal);
      if (role === "child") return;
      child?.kill("SIGKILL");
      setTimeout(() => { note("closed"); process.exit(0); }, 300);
    });
  }
  setInterval(() => {}, 1000);
  const child = role === "service" ? spawn(process.execPath, [process.argv[1] ?? "", "child"], { detached: true }) : undefined;
  note("started");
`;

const noted = (): string[] => (existsSync(notes) ? readFileSync(notes, "utf8").trim().split("\n") : []);
const pidOf = (role: string): number =>
  Number(
    noted()
      .findLast((line) => line.startsWith(`${role} `))
      ?.split(" ")[1],
  );
const said = (role: string): string[] =>
  noted()
    .filter((line) => line.startsWith(`${role} `))
    .map((line) => line.split(" ").slice(2).join(" "));
const until = (condition: () => void, interval = 50) => vi.waitFor(condition, { timeout: 30_000, interval });
const bothStarted = () => {
  expect(said("service")).toContain("started");
  expect(said("child")).toContain("started");
};

function start(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, args, { stdio: "ignore" });
  children.push(child);
  return child;
}

describe("serving an app", () => {
  it("passes a signal on once, to the service alone, and waits for it", async () => {
    const main = join(folder, "main.ts");
    writeFileSync(main, service(notes));
    const served = start(serve, main);
    await until(bothStarted);

    served.kill("SIGINT");
    served.kill("SIGTERM");
    const [code] = await once(served, "exit");

    expect(code).toBe(0);
    expect(said("service")).toEqual(["started", "SIGTERM", "closed"]);
    expect(said("child")).toEqual(["started"]);
  });

  // Other systems have no /proc to look into.
  it.runIf(process.platform === "linux")("keeps it out of the tree of processes that Nx signals", async () => {
    const main = join(folder, "main.ts");
    writeFileSync(main, service(notes));
    const served = start(serve, main);
    await until(bothStarted);

    const ancestors: number[] = [];
    for (let pid = pidOf("service"); pid > 1; pid = parentOf(pid) ?? 0) ancestors.push(pid);
    served.kill("SIGTERM");
    await once(served, "exit");

    expect(ancestors.length).toBeGreaterThanOrEqual(2); // the service and its watcher
    expect(ancestors).not.toContain(served.pid);
  });

  it("starts it anew when a file of it changes, also after it failed", async () => {
    const main = join(folder, "main.ts");
    writeFileSync(main, 'throw new Error("broken");\n');
    const served = start(serve, main);
    // The watcher needs a moment until it watches; nothing tells when, so the change is made until it is seen.
    await until(() => {
      writeFileSync(main, service(notes));
      expect(said("service")).toContain("started");
    }, 1000);
    const first = pidOf("service");
    await until(() => {
      appendFileSync(main, "\n// changed\n");
      expect(pidOf("service")).not.toBe(first);
    }, 1000);
    await until(() => expect(said("service").at(-1)).toBe("started"));

    served.kill("SIGTERM");
    const [code] = await once(served, "exit");
    expect(code).toBe(0);
    await until(() => expect(said("service").at(-1)).toBe("closed"));
  });
});

describe("serving by Nx", () => {
  it("runs all processes together with labelled lines, and Ctrl-C lets each close", async () => {
    const copy = copyWorkspace();
    try {
      const names = ["user", "encoder", "encoder-worker"];
      for (const name of names) {
        const main = `${service(join(folder, name))}\nconsole.log("this is ${name}");\n`;
        mkdirSync(join(copy.root, `apps/${name}/src`), { recursive: true });
        writeFileSync(join(copy.root, `apps/${name}/src/main.ts`), main);
      }
      const nx = join(copy.root, "node_modules/nx/dist/bin/nx.js");
      const served = spawn(process.execPath, [nx, "run-many", "-t", "serve", "-p", ...names], {
        cwd: copy.root,
        // A group of its own, as a terminal gives to what it runs.
        detached: true,
        env: {
          ...process.env,
          NX_DAEMON: "false",
          NX_WORKSPACE_ROOT_PATH: copy.root,
          FORCE_COLOR: undefined,
          NO_COLOR: "1",
        },
      });
      children.push(served);
      let output = "";
      for (const stream of [served.stdout, served.stderr]) {
        stream.setEncoding("utf8").on("data", (text: string) => {
          output += text;
        });
      }
      const notesOf = (name: string): string => readFileSync(join(folder, name), "utf8");
      await until(() => {
        for (const name of names) {
          expect(output).toContain(`[${name}] this is ${name}`);
          expect(notesOf(name)).toMatch(/^child \d+ started$/m);
        }
      });

      process.kill(-(served.pid ?? 0), "SIGINT");
      await once(served, "exit");

      for (const name of names) {
        expect(notesOf(name)).toMatch(/^service \d+ SIGTERM\nservice \d+ closed$/m);
        expect(notesOf(name)).not.toMatch(/^child \d+ SIG/m);
      }
    } finally {
      copy.remove();
    }
  });
});
