import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";

/** A worker's own folder for files that wait to be uploaded. */
export type Spool = {
  path: string;
  /** Makes an empty folder for one task. */
  taskFolder(): Promise<string>;
  remove(): Promise<void>;
};

/** Who made a spool folder, as its name states. */
type Maker = { host: string; pid: number; startedAt: number };

const removal = { recursive: true, force: true, maxRetries: 3, retryDelay: 100 };

/**
 * Makes a folder below `root` for this process, and removes those that dead processes of this machine left there. A folder's name states
 * machine, process id and the process's start, so that a process id that is used again (in containers it always is) is told apart.
 */
export async function openSpool(root: string): Promise<Spool> {
  const parent = resolve(root);
  await mkdir(parent, { recursive: true, mode: 0o700 });
  for (const name of await readdir(parent)) {
    const maker = parseName(name);
    if (maker !== undefined && isDead(maker)) {
      await rm(join(parent, name), removal);
    }
  }
  const { host, pid, startedAt } = thisProcess();
  const path = await mkdtemp(join(parent, `${host}.${pid}.${startedAt}.`));
  return {
    path,
    taskFolder: () => mkdtemp(join(path, "task-")),
    remove: () => rm(path, removal),
  };
}

function thisProcess(): Maker {
  // A host name may contain dots, which part the fields of the name here.
  return { host: hostname().replaceAll(/[^A-Za-z0-9-]/g, "-"), pid: process.pid, startedAt: startedAt() };
}

const startedAt = () => Math.round(performance.timeOrigin);

/** The maker of a spool folder; undefined for a name of any other form, which is left alone. */
function parseName(name: string): Maker | undefined {
  const match = /^([A-Za-z0-9-]+)\.(\d+)\.(\d+)\.[A-Za-z0-9]+$/.exec(name);
  return match ? { host: String(match[1]), pid: Number(match[2]), startedAt: Number(match[3]) } : undefined;
}

function isDead(maker: Maker): boolean {
  const self = thisProcess();
  if (maker.host !== self.host) {
    return false; // another machine's, on a shared volume: not ours to judge
  }
  if (maker.pid === self.pid) {
    return maker.startedAt !== self.startedAt;
  }
  try {
    process.kill(maker.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH"; // EPERM: it lives, and is somebody else's
  }
}
