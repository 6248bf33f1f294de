import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeployError } from "../deploy-error.ts";

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
  /** An archive for `docker load`. */
  output: string;
  signal: AbortSignal;
  report(line: string): void;
};

/** Builds an image and returns its digest, "sha256:…". Everything that could differ from build to build is fixed: times, order, owners. */
export type Engine = (request: ImageRequest) => Promise<string>;

export const engines: Record<"docker" | "buildah", Engine> = {
  /** Needs no daemon. The format is Docker's, because OCI's has no health checks; files are only copied, so the plainest storage driver will do. */
  async buildah({ folder, base, tag, labels, push, output, signal, report }) {
    const scratch = await mkdtemp(join(tmpdir(), "kinora-image-"));
    try {
      const storage = ["--storage-driver", process.env.STORAGE_DRIVER ?? "vfs"];
      const build = [
        "--isolation",
        "chroot",
        "--timestamp",
        "0",
        "--format",
        "oci",
        "--identity-label=false",
        "--layers=false",
      ];
      const what = ["--build-arg", `BASE=${base}`, ...labelArguments(labels), "--tag", tag, folder];
      await run("buildah", ["build-using-dockerfile", ...storage, ...build, ...what], signal, report);
      const digestFile = join(scratch, "digest");
      const target = push ? `docker://${tag}` : `docker-archive:${output}:${tag}`;
      // It appends to no archive that is there.
      if (!push) await rm(output, { force: true });
      await run("buildah", ["push", ...storage, "--digestfile", digestFile, tag, target], signal, report);
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
        : `type=docker,dest=${output},rewrite-timestamp=true`;
      const what = ["--build-arg", `BASE=${base}`, ...labelArguments(labels), "--tag", tag, "--output", to];
      await run(
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

/** @throws DeployError with the end of what the program said */
function run(program: string, args: string[], signal: AbortSignal, report: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], signal, killSignal: "SIGTERM" });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        said = (said + text).slice(-4000);
        report(text.trimEnd());
      });
    }
    child.on("error", (error: NodeJS.ErrnoException) => {
      reject(error.code === "ENOENT" ? new DeployError(`${program} isn't installed here (see --engine).`) : error);
    });
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new DeployError(`${program} ${args[0]} failed (exit code ${code}):\n${said}`));
    });
  });
}
