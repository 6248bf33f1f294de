import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeployError } from "../deploy-error.ts";
import { addHealthCheck } from "./oci-layout.ts";
import { runProgram } from "./run-program.ts";

/** An image to be built from a folder that has a Dockerfile. */
export type ImageRequest = {
  folder: string;
  /** What it is made from. */
  base: string;
  /** NAME:TAG. */
  tag: string;
  labels: Record<string, string>;
  /** Sends it to the registry that its name says; otherwise it is written to `output`. */
  push: boolean;
  /** What is written if it isn't pushed, without its ending: an OCI layout (.oci, a folder) by buildah, an archive for `docker load` (.tar) by docker. */
  output: string;
  signal: AbortSignal;
  report(line: string): void;
};

/** What the Dockerfile says, for buildah, which drops it. */
const healthCheck = {
  Test: ["CMD", "node", "--env-file=/app/image.env", "/app/health.mjs"],
  Interval: 10e9,
  Timeout: 5e9,
  StartPeriod: 30e9,
  Retries: 3,
};

/** Builds an image and returns its digest, "sha256:…". Everything that could differ from build to build is fixed: times, order, owners. */
export type Engine = (request: ImageRequest) => Promise<string>;

export const engines: Record<"docker" | "buildah", Engine> = {
  /** Needs no daemon; files are only copied, so the plainest storage driver will do. */
  async buildah({ folder, base, tag, labels, push, output, signal, report }) {
    const scratch = await mkdtemp(join(tmpdir(), "kinora-image-"));
    try {
      const buildah = (...args: string[]): Promise<string> => runProgram("buildah", args, signal, report);
      const storage = ["--storage-driver", process.env.STORAGE_DRIVER ?? "vfs"];
      const fixed = ["--isolation", "chroot", "--timestamp", "0", "--identity-label=false", "--layers=false"];
      const what = ["--build-arg", `BASE=${base}`, ...labelArguments(labels), "--tag", tag, folder];
      await buildah("build-using-dockerfile", ...storage, ...fixed, ...what);
      const layout = `${output}.oci`;
      await rm(layout, { recursive: true, force: true });
      await buildah("push", ...storage, tag, `oci:${layout}:${tag}`);
      const digest = await addHealthCheck(layout, healthCheck);
      if (!push) return digest;
      const digestFile = join(scratch, "digest");
      const id = await buildah("pull", ...storage, "--quiet", `oci:${layout}:${tag}`);
      await buildah("push", ...storage, "--digestfile", digestFile, id.trim(), `docker://${tag}`);
      return (await readFile(digestFile, "utf8")).trim();
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  },

  async docker({ folder, base, tag, labels, push, output, signal, report }) {
    const scratch = await mkdtemp(join(tmpdir(), "kinora-image-"));
    try {
      const metadata = join(scratch, "metadata.json");
      const reproducible = ["--provenance=false", "--sbom=false", "--build-arg", "SOURCE_DATE_EPOCH=0"];
      const to = push
        ? "type=image,push=true,rewrite-timestamp=true"
        : `type=docker,dest=${output}.tar,rewrite-timestamp=true`;
      const what = ["--build-arg", `BASE=${base}`, ...labelArguments(labels), "--tag", tag, "--output", to];
      await runProgram(
        "docker",
        ["buildx", "build", ...reproducible, ...what, "--metadata-file", metadata, folder],
        signal,
        report,
      );
      const { "containerimage.digest": digest } = JSON.parse(await readFile(metadata, "utf8"));
      if (typeof digest !== "string") throw new DeployError("docker didn't say which image it built.");
      return digest;
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  },
};

function labelArguments(labels: Record<string, string>): string[] {
  return Object.entries(labels).flatMap(([name, value]) => ["--label", `${name}=${value}`]);
}
