import { existsSync, realpathSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { run } from "./command.ts";

/** buildah with a storage of its own, that goes away with it. It needs no daemon, no network and no container runtime. */
export type Buildah = {
  /** For programs that run buildah themselves. */
  env: NodeJS.ProcessEnv;
  run(...args: string[]): Promise<string>;
  remove(): Promise<void>;
};

/** @throws when buildah isn't there and can't be installed: Debian has it */
export async function openBuildah(): Promise<Buildah> {
  if (!(await isThere("buildah"))) {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    await run("apt-get", ["update", "-qq"], { env });
    await run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "buildah"], { env });
  }
  const folder = await mkdtemp(join(tmpdir(), "buildah-"));
  const policy = { default: [{ type: "insecureAcceptAnything" }] };
  await writeFile(join(folder, "policy.json"), JSON.stringify(policy));
  const storage = `[storage]\ndriver = "vfs"\ngraphroot = "${folder}/storage"\nrunroot = "${folder}/run"\n`;
  await writeFile(join(folder, "storage.conf"), storage);
  // Where it looks for its settings; without a policy for signatures it refuses everything.
  await mkdir(join(folder, "config/containers"), { recursive: true });
  await cp(join(folder, "policy.json"), join(folder, "config/containers/policy.json"));
  const env = {
    ...process.env,
    CONTAINERS_STORAGE_CONF: join(folder, "storage.conf"),
    STORAGE_DRIVER: "vfs",
    HOME: folder,
    XDG_CONFIG_HOME: join(folder, "config"),
  };
  const buildah = (...args: string[]): Promise<string> => run("buildah", args, { env });
  return {
    env,
    run: buildah,
    async remove() {
      await buildah("unmount", "--all").catch(() => {});
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const isThere = (program: string): Promise<boolean> =>
  run(program, ["--version"]).then(
    () => true,
    () => false,
  );

/**
 * Makes an image to build on, from nothing: the Node that npm installed, and the C libraries that it and some other programs need. It stands for the official
 * image of Node, which can't be had without a registry.
 */
export async function makeBase(
  buildah: Buildah,
  name: string,
  node: string,
  programs: readonly string[],
): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), "base-"));
  try {
    for (const folder of ["usr/local/bin", "etc", "tmp", "proc", "dev"])
      await mkdir(join(root, folder), { recursive: true });
    await cp(realpathSync(node), join(root, "usr/local/bin/node"));
    for (const library of await librariesOf([node, ...programs])) {
      // By the name that is asked for, and not the one that a link leads to.
      await mkdir(dirname(join(root, library)), { recursive: true });
      await cp(realpathSync(library), join(root, library));
    }
    await writeFile(join(root, "etc/passwd"), "root:x:0:0:root:/:\nnonroot:x:65532:65532:nonroot:/:\n");
    await writeFile(join(root, "etc/nsswitch.conf"), "hosts: files dns\n");
    const container = (await buildah.run("from", "scratch")).trim();
    await buildah.run("copy", container, root, "/");
    await buildah.run("config", "--env", "PATH=/usr/local/bin", container);
    await buildah.run("commit", "--timestamp", "0", "--rm", container, name);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function librariesOf(programs: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const program of programs) {
    for (const line of (await run("ldd", [program])).split("\n")) {
      const path = /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1];
      if (path && existsSync(path)) found.add(path);
    }
  }
  // Names of hosts are looked up by a library that is loaded late.
  const libc = [...found].find((path) => basename(path) === "libc.so.6");
  for (const late of ["libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2"]) {
    const path = libc && join(dirname(libc), late);
    if (path && existsSync(path)) found.add(path);
  }
  return [...found];
}
