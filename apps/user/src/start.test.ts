import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { SessionService } from "@kinora/proto-user";
import { createClientTransport } from "@kinora/rpc";
import { freePort, type NodeProcess, startNode, temporaryFolder, waitUntilReady } from "@kinora/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let port: number;
const started: NodeProcess[] = [];

beforeEach(async () => {
  folder = await temporaryFolder();
  port = await freePort();
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((process) => process.stop("SIGTERM")));
  await folder.remove();
});

const start = (env: Record<string, string> = {}) => {
  const process = startNode("apps/user/src/main.ts", {
    env: { KINORA_DATA: folder.path, PORT: String(port), DATABASE_URL: undefined, ...env },
  });
  started.push(process);
  return process;
};
const url = () => `http://127.0.0.1:${port}`;
const readJson = async (name: string) => JSON.parse(await readFile(join(folder.path, name), "utf8"));

async function login(): Promise<string> {
  const { email, password } = await readJson("credentials/owner.json");
  const transport = createClientTransport({ baseUrl: url() });
  try {
    const { user } = await createClient(SessionService, transport).createSession({ email, password });
    return user?.id ?? "";
  } finally {
    transport.close();
  }
}

describe("the user service as a process", () => {
  it("starts, says where it is, ends at a signal, and knows its owner at the second start", async () => {
    const first = start();
    await waitUntilReady(url());
    expect(first.output()).toContain(`user is ready at http://localhost:${port}`);
    const discovery = await fetch(`${url()}/.well-known/kinora`);
    expect(await discovery.json()).toEqual({ user: `http://localhost:${port}`, encoder: "http://localhost:8082" });
    expect(await readJson("run/user.json")).toEqual({ url: `http://localhost:${port}`, pid: first.pid });
    const owner = await login();
    const end = await first.stop("SIGINT");
    expect(end).toMatchObject({ code: 0, stderr: "" });
    expect(existsSync(join(folder.path, "run/user.json"))).toBe(false);

    start();
    await waitUntilReady(url());
    expect(await login()).toBe(owner);
  });

  it("goes on after kill -9", async () => {
    const first = start();
    await waitUntilReady(url());
    const owner = await login();
    await first.stop("SIGKILL");
    start();
    await waitUntilReady(url());
    expect(await login()).toBe(owner);
  });

  it("takes its addresses from the environment", async () => {
    start({ PUBLIC_URL: "https://login.example.com/", ENCODER_URL: "https://encode.example.com" });
    await waitUntilReady(url());
    const discovery = await fetch(`${url()}/.well-known/kinora`);
    expect(await discovery.json()).toEqual({
      user: "https://login.example.com",
      encoder: "https://encode.example.com",
    });
  });
});

describe("behind a proxy", () => {
  type Answer = { tokens: { accessToken: string }; sessions: [{ address: string }] };
  /** Where the user service says that a login came from, whose request names another address. */
  async function addressOfLogin(): Promise<string> {
    const call = async (method: string, body: object, token?: string) => {
      const response = await fetch(`${url()}/user.v1.SessionService/${method}`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-forwarded-for": "198.51.100.1, 192.0.2.7",
          ...(token && { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify(body),
      });
      return (await response.json()) as Answer;
    };
    const { email, password } = await readJson("credentials/owner.json");
    const { tokens } = await call("CreateSession", { email, password });
    const { sessions } = await call("ListSessions", {}, tokens.accessToken);
    return sessions[0].address;
  }

  it("an attempt counts for the proxy's caller", async () => {
    start({ TRUSTED_PROXIES: "10.0.0.0/8, 127.0.0.1" });
    await waitUntilReady(url());
    expect(await addressOfLogin()).toBe("192.0.2.7");
  });

  it("that isn't trusted, it counts for the peer", async () => {
    start({ TRUSTED_PROXIES: "10.0.0.0/8" });
    await waitUntilReady(url());
    expect(await addressOfLogin()).toBe("127.0.0.1");
  });
});

describe("what keeps it from starting", () => {
  const failure = async (env: Record<string, string>) => {
    const { code, stderr } = await start(env).exit;
    expect(code).toBe(1);
    expect(stderr.trimEnd().split("\n").length).toBe(1);
    return stderr;
  };

  it("is named: every wrong variable, with what was expected, and no secret", async () => {
    const line = await failure({
      PORT: "99999",
      SIGN_UP: "ajar",
      QUOTA_MINUTES: "-1",
      SERVICE_TOKEN: "too-short",
      TRUSTED_PROXIES: "10.0.0.0/8, 0.0.0.0/0",
      DATABASE_URL: "mysql://me:secret@host/db",
    });
    for (const name of ["PORT", "SIGN_UP", "QUOTA_MINUTES", "SERVICE_TOKEN", "TRUSTED_PROXIES", "DATABASE_URL"])
      expect(line).toContain(name);
    expect(line).toContain("open, invitation, closed");
    expect(line).not.toMatch(/too-short|secret@/);
  });

  it("is named: the port is taken", async () => {
    const other = createServer().listen(port, "127.0.0.1");
    expect(await failure({})).toContain(`port ${port}`);
    other.close();
    expect(existsSync(join(folder.path, "run/user.json"))).toBe(false);
  });

  it("is named: another one uses the folder", async () => {
    start();
    await waitUntilReady(url());
    expect(await failure({ PORT: String(await freePort()) })).toContain(folder.path);
  });

  it("is named: the data folder can't be made", async () => {
    expect(await failure({ KINORA_DATA: "/dev/null/kinora" })).toContain("/dev/null/kinora");
  });
});
