/** Images, built by buildah from a base that is made here, and started from their own files alone. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { untilHealthy } from "../src/records/health.ts";
import { type Buildah, makeBase, openBuildah } from "./support/buildah.ts";
import { run } from "./support/command.ts";
import { freePort } from "./support/free-port.ts";
import { type Postgres, startPostgres } from "./support/postgres.ts";
import { type Contained, runContained } from "./support/root-file-system.ts";
import { cloneWorkspace, type WorkspaceClone } from "./support/workspace-clone.ts";

const workspace = fileURLToPath(new URL("../../../", import.meta.url));
const node = join(workspace, "node_modules/node/bin/node");
const base = "localhost/base:1";
/** What is read of the encoder's answers. */
type Answer = {
  code?: string;
  uploadUrl: string;
  video: { id: string };
  encode: { id: string; state: string; error?: string; playback: { hlsUrl: string } };
};

/** What services in a cluster are given as secrets. */
const encoderKey = { ENCODER_API_KEY: `kinora_image_${randomBytes(32).toString("base64url")}` };
const workerKey = { WORKER_API_KEY: `kinora_image_${randomBytes(32).toString("base64url")}` };

let buildah: Buildah;
let postgres: Postgres;
let folder: string;
/** Where the user service answers, once it has been started from its image. */
let user: string;
const contained: Contained[] = [];

// Only Linux has what containers are made of, and only root may put file systems together.
const possible = process.platform === "linux" && process.getuid?.() === 0;

describe.skipIf(!possible)("an image", () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "images-"));
    buildah = await openBuildah();
    const media = join(workspace, `node_modules/@seydx/node-av-linux-${process.arch}/node-av.node`);
    await makeBase(buildah, base, node, existsSync(media) ? [media] : []);
    postgres = await startPostgres();
  });
  afterAll(async () => {
    for (const process of contained) await process.stop();
    await postgres?.stop();
    await buildah?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Builds a service's image in a workspace; returns NAME@DIGEST. */
  const build = async (root: string, service: string): Promise<string> => {
    const bin = join(root, "node_modules/.bin");
    const env = {
      ...buildah.env,
      PATH: `${bin}:${process.env.PATH}`,
      NX_DAEMON: "false",
      NX_WORKSPACE_ROOT_PATH: root,
    };
    const args = ["image", service, "--engine", "buildah", "--base", base, "--tag", `localhost/${service}:test`];
    return (await run(node, [join(root, "tools/deploy/bin/kinora-deploy.mjs"), ...args], { cwd: root, env })).trim();
  };
  /** The configuration of the image that lies in dist/images. */
  const readConfig = (service: string) => {
    const layout = join(workspace, `dist/images/${service}.oci`);
    const read = (digest: string) => JSON.parse(readFileSync(join(layout, "blobs", digest.replace(":", "/")), "utf8"));
    const { manifests } = JSON.parse(readFileSync(join(layout, "index.json"), "utf8"));
    return read(read(manifests[0].digest).config.digest).config;
  };
  const start = async (service: string, env: Record<string, string>): Promise<Contained & { root: string }> => {
    const container = (await buildah.run("from", "--pull-never", `localhost/${service}:test`)).trim();
    const root = (await buildah.run("mount", container)).trim();
    const { Entrypoint: entrypoint } = readConfig(service);
    const process = runContained(root, join(folder, service), entrypoint, { LOG_LEVEL: "warn", ...env });
    contained.push(process);
    return { ...process, root };
  };

  const healthy = (url: string, service: Contained): Promise<void> =>
    untilHealthy(url, new AbortController().signal, 60_000).catch((error) => {
      throw new Error(`${error.message}\n${service.output()}`);
    });

  describe("of the user service", () => {
    let clone: WorkspaceClone;
    let image: string;
    beforeAll(async () => {
      image = await build(workspace, "user");
    });
    afterAll(() => clone?.remove());

    it("is a few files, with machine code as the only packages, and says what it is", async () => {
      const made = join(workspace, "dist/images/user");
      const files = readdirSync(join(made, "app"));
      expect(files.length).toBeLessThan(30);
      expect(files).toEqual(expect.arrayContaining(["main.js", "health.mjs", "image.env"]));
      const native = readdirSync(join(made, "app/node_modules"), { recursive: true, encoding: "utf8" });
      expect(native.filter((file) => /\.m?js$/.test(file))).toEqual([]);
      expect(native.some((file) => file.endsWith(".node"))).toBe(true);

      const manifest = JSON.parse(readFileSync(join(made, "service.json"), "utf8"));
      const config = readConfig("user");
      expect(config).toMatchObject({
        User: "65532:65532",
        Healthcheck: { Test: ["CMD", "node", "--env-file=/app/image.env", "/app/health.mjs"] },
        Labels: {
          "deploy.hash": manifest.hash,
          "deploy.contract": `sha256:${manifest.contract}`,
          "org.opencontainers.image.revision": expect.stringMatching(/^[0-9a-f]{40}\+?$/),
        },
      });
      // The Dockerfile says the same to engines that read it.
      expect(readFileSync(join(made, "Dockerfile"), "utf8")).toContain(
        `CMD ${JSON.stringify(config.Healthcheck.Test.slice(1)).replaceAll(",", ", ")}`,
      );
      const sbom = JSON.parse(readFileSync(join(made, "sbom.cdx.json"), "utf8"));
      expect(sbom.components.map(({ name }: { name: string }) => name)).toEqual(
        expect.arrayContaining(["argon2", "pg-boss", "pg"]),
      );
    });

    it("has the same bytes when it is built elsewhere, without a cache", async () => {
      clone = cloneWorkspace({ packages: "copies", history: true });
      const other = await build(clone.root, "user");
      const manifest = (root: string) => readFileSync(join(root, "dist/images/user/service.json"), "utf8");
      expect(manifest(clone.root)).toBe(manifest(workspace));
      expect(other).toBe(image);
    });

    it("starts from its own files, read-only and as nobody, and answers over gRPC", async () => {
      const port = await freePort();
      const url = `http://127.0.0.1:${port}`;
      const service = await start("user", {
        ...encoderKey,
        ...workerKey,
        PORT: String(port),
        HOST: "127.0.0.1",
        DATABASE_URL: postgres.url,
      });
      await healthy(url, service);
      user = url;
      const call = (...args: string[]) =>
        run(
          join(workspace, "node_modules/.bin/buf"),
          ["curl", "--protocol", "grpc", "--http2-prior-knowledge", ...args],
          { cwd: workspace },
        );
      const account = { email: "a@example.com", password: "correct horse battery staple 7", name: "A" };
      const created = JSON.parse(await call("-d", JSON.stringify(account), `${url}/user.v1.UserService/CreateUser`));
      expect(created.user.email).toBe(account.email);
      const login = { email: account.email, password: account.password };
      const session = JSON.parse(
        await call("-d", JSON.stringify(login), `${url}/user.v1.SessionService/CreateSession`),
      );
      expect(session.tokens.accessToken).toMatch(/^ey/);

      const manifest = JSON.parse(readFileSync(join(workspace, "dist/images/user/service.json"), "utf8"));
      const told = await (await fetch(`${url}/.well-known/contracts`)).json();
      expect(told).toMatchObject({
        service: "user",
        hash: manifest.hash,
        provides: { services: manifest.provides.services },
        calls: manifest.calls.map(({ services, uses }: { services: string[]; uses: string[] }) => ({ services, uses })),
      });

      // Its own health check, and what the files let it do.
      const inside = async (...command: string[]) => {
        const process = runContained(service.root, join(folder, "user"), ["node", ...command], { PORT: String(port) });
        contained.push(process);
        await new Promise((resolve) => process.child.once("close", resolve));
        return { code: process.child.exitCode, output: process.output() };
      };
      expect(await inside("--env-file=/app/image.env", "/app/health.mjs")).toEqual({ code: 0, output: "" });
      const write = (path: string) => inside("-e", `require("node:fs").writeFileSync("${path}", "")`);
      expect((await write("/app/new")).output).toContain("EROFS");
      expect((await write("/data/new")).code).toBe(0);
      expect((await write("/tmp/new")).code).toBe(0);
      expect((await inside("-p", "process.getuid()")).output.trim()).toBe("65532");
    });
  });

  describe("of the encoder and of the worker", () => {
    let encoder: string;
    let worker: Awaited<ReturnType<typeof start>>;
    /** A call as a browser makes it; the answer of one that failed is its error. */
    const post = async (method: string, message: object, token = ""): Promise<Answer> => {
      const answer = await fetch(`${encoder}/encoder.v1.EncoderService/${method}`, {
        method: "POST",
        body: JSON.stringify(message),
        headers: { "content-type": "application/json", ...(token !== "" && { authorization: `Bearer ${token}` }) },
      });
      return (await answer.json()) as Answer;
    };

    it("start from their own files", async () => {
      await build(workspace, "encoder");
      const port = await freePort();
      encoder = `http://127.0.0.1:${port}`;
      const service = await start("encoder", {
        ...encoderKey,
        PORT: String(port),
        HOST: "127.0.0.1",
        DATABASE_URL: postgres.url,
        PUBLIC_URL: encoder,
        USER_URL: user,
      });
      await healthy(encoder, service);
      expect((await post("ListVideos", {})).code).toBe("unauthenticated");
      const { hash } = JSON.parse(readFileSync(join(workspace, "dist/images/encoder/service.json"), "utf8"));
      const told = await fetch(`${encoder}/.well-known/contracts`);
      expect(await told.json()).toMatchObject({ service: "encoder", hash });

      await build(workspace, "encoder-worker");
      const own = await freePort();
      worker = await start("encoder-worker", {
        ...workerKey,
        PORT: String(own),
        HOST: "127.0.0.1",
        ENCODER_URL: encoder,
        USER_URL: user,
      });
      await healthy(`http://127.0.0.1:${own}`, worker);
    });

    it("encode a video, with no other files of this machine than their images'", async () => {
      const { email, password } = JSON.parse(readFileSync(join(folder, "user/credentials/owner.json"), "utf8"));
      const login = await fetch(`${user}/user.v1.SessionService/CreateSession`, {
        method: "POST",
        body: JSON.stringify({ email, password }),
        headers: { "content-type": "application/json" },
      });
      const { tokens: session } = (await login.json()) as { tokens: { accessToken: string } };
      const { accessToken } = session;
      const video = readFileSync(join(workspace, "samples/sintel-trailer.mp4"));
      const created = await post(
        "CreateVideo",
        { name: "sintel-trailer.mp4", sizeBytes: String(video.length) },
        accessToken,
      );
      const sent = await fetch(created.uploadUrl, {
        method: "PATCH",
        body: video,
        headers: {
          authorization: `Bearer ${accessToken}`,
          "tus-resumable": "1.0.0",
          "upload-offset": "0",
          "content-type": "application/offset+octet-stream",
        },
      });
      expect(sent.status).toBe(204);
      const { encode } = await post("StartEncode", { videoId: created.video.id }, accessToken);
      const state = async () => (await post("GetEncode", { id: encode.id }, accessToken)).encode;
      await expect
        .poll(async () => (await state()).state, { timeout: 240_000, interval: 500 })
        .toMatch(/^ENCODE_STATE_(SUCCEEDED|FAILED|CANCELLED)$/);
      const { state: final, error, playback } = await state();
      expect({ final, error: error ?? "" }).toEqual({ final: "ENCODE_STATE_SUCCEEDED", error: "" });
      expect(await (await fetch(playback.hlsUrl)).text()).toMatch(/^#EXTM3U/);
    }, 300_000);

    it("end at a signal", async () => {
      expect(await worker.stop()).toBe(0);
    });
  });
});
