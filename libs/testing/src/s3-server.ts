import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { freePort } from "./free-port.ts";
import { repositoryRoot } from "./repository.ts";
import { waitUntil } from "./wait-until.ts";

/** VersityGW, an S3 server that others wrote: a program in Go over a folder. */
const program = "github.com/versity/versitygw/cmd/versitygw";
const version = "v1.8.0";
const folder = join(repositoryRoot, "dist/s3-server");
const binary = join(folder, `versitygw-${version}`);

/** An S3 server of a test. */
export type S3Server = {
  endpoint: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** The server's value of STORAGE_URL, for a prefix. */
  url(prefix?: string): string;
  /** Every file that the server keeps, also of uploads under way. */
  list(): Promise<string[]>;
  /** What a process needs to use it. */
  env: { AWS_ACCESS_KEY_ID: string; AWS_SECRET_ACCESS_KEY: string };
  /** Ends it at once; its objects stay for `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
} & AsyncDisposable;

/**
 * Starts an S3 server on a free port, with an empty bucket whose objects lie below `path`. The first time it is built into `dist/s3-server`, by Go and from the
 * Go module proxy; throws with what to do where that can't be.
 */
export async function startS3Server(path: string): Promise<S3Server> {
  await build();
  const bucket = "kinora";
  const [objects, sidecar] = [join(path, "s3/objects"), join(path, "s3/metadata")];
  await mkdir(join(objects, bucket), { recursive: true });
  await mkdir(sidecar, { recursive: true });
  const port = await freePort();
  const accessKeyId = "kinora-tests";
  const secretAccessKey = randomBytes(16).toString("hex");
  const endpoint = `http://127.0.0.1:${port}`;
  let running: ReturnType<typeof spawn> | undefined;

  const server: S3Server = {
    endpoint,
    bucket,
    accessKeyId,
    secretAccessKey,
    env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
    url: (prefix = "") => `s3://${bucket}/${prefix}?endpoint=${encodeURIComponent(endpoint)}`,
    async list() {
      const entries = await readdir(join(objects, bucket), { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => relative(objects, join(parentPath, name)));
    },
    async start() {
      const args = ["--port", `127.0.0.1:${port}`, "--quiet", "posix", "--sidecar", sidecar, objects];
      const env = { ...process.env, ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey };
      const child = spawn(binary, args, { env, stdio: ["ignore", "ignore", "pipe"] });
      let said = "";
      child.stderr?.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
      running = child;
      await waitUntil("the S3 server answers", () => {
        if (child.exitCode !== null) throw new Error(`The S3 server ended instead of starting: ${said}`);
        return fetch(endpoint).then(
          () => true,
          () => false,
        );
      });
    },
    async stop() {
      const child = running;
      running = undefined;
      if (child === undefined || child.exitCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "close");
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
  await server.start();
  return server;
}

/** Two at once both build, and the one that is renamed last stays: they are the same. */
async function build(): Promise<void> {
  if (existsSync(binary)) return;
  await mkdir(folder, { recursive: true });
  const made = await mkdtemp(join(folder, "build-"));
  try {
    const child = spawn("go", ["install", `${program}@${version}`], {
      env: { ...process.env, GOBIN: made, GOFLAGS: "-mod=mod" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
    }
    const [code] = await once(child, "close").catch((error: unknown) => {
      throw new Error(
        `The S3 server of the tests is a program in Go, and "go" can't be run (${error}). See https://go.dev/dl.`,
      );
    });
    if (code !== 0) {
      throw new Error(
        `"go install ${program}@${version}" failed; it needs Go 1.25 or newer and the module proxy.\n${said}`,
      );
    }
    await rename(join(made, "versitygw"), binary);
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}
