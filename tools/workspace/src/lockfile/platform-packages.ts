/** The parts of a package-lock.json (version 3) that matter here. */
export type Lockfile = { packages: Record<string, LockedPackage> };
export type LockedPackage = {
  version?: string;
  optional?: boolean;
  dev?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
};

const systems = ["android", "darwin", "freebsd", "linux", "win32"];
const processors: Record<string, string> = {
  arm: "arm",
  arm64: "arm64",
  armv7: "arm",
  aarch64: "arm64",
  x64: "x64",
};

/**
 * The optional packages that the lock names without locking them, as they should stand in it.
 *
 * When a registry lacks one of a tool's platform packages, `npm install` leaves it out of the lock, and then `npm ci` refuses the lock
 * on every machine. Complete, it is right on all platforms: npm skips what isn't for the machine and asks the registry for nothing.
 * There is no integrity hash for what nobody here could download.
 */
export function missingPlatformPackages(lock: Lockfile): Record<string, LockedPackage> {
  const missing: Record<string, LockedPackage> = {};
  for (const [path, locked] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(locked.optionalDependencies ?? {})) {
      const places = [`node_modules/${name}`, `${path}/node_modules/${name}`];
      if (places.some((place) => place in lock.packages)) continue;
      missing[`node_modules/${name}`] = {
        version,
        ...platformOf(name),
        ...(locked.dev && { dev: true }),
        optional: true,
      };
    }
  }
  return missing;
}

/** "@nx/nx-linux-x64-musl" → linux, x64, musl: that is how platform packages are named. */
function platformOf(name: string): Pick<LockedPackage, "os" | "cpu" | "libc"> {
  const words = name.split(/[/-]/);
  const system = words.find((word) => systems.includes(word));
  const processor = words.find((word) => word in processors);
  if (system === undefined || processor === undefined) {
    throw new Error(`${name} is optional, isn't locked, and its name doesn't say for which platform it is.`);
  }
  const libc = words.includes("musl") ? "musl" : words.some((word) => word.startsWith("gnu")) ? "glibc" : undefined;
  return { os: [system], cpu: [processors[processor] ?? processor], ...(libc && { libc: [libc] }) };
}
