import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, chownSync, mkdirSync } from "node:fs";

/** A process that sees nothing but an image's files. */
export type Contained = { child: ChildProcess; output(): string; stop(): Promise<number | null> };

/**
 * Runs a command as a container would: the image's files as root, read-only; `/data` and `/tmp` to write to; as user 65532, who owns nothing. It sees no other file of the
 * machine. (No container runtime: the machines that check this may have none.)
 */
export function runContained(
  root: string,
  data: string,
  command: readonly string[],
  env: Record<string, string>,
): Contained {
  mkdirSync(data, { recursive: true });
  chownSync(data, 65532, 65532);
  chmodSync(data, 0o700);
  const settings = Object.entries(env).map(([name, value]) => `'${name}=${value}'`);
  const script = [
    'mount --bind "$ROOT" "$ROOT"',
    'mount -t tmpfs -o mode=1777 tmpfs "$ROOT/tmp"',
    'mount -t tmpfs tmpfs "$ROOT/dev"',
    'for d in null urandom random; do touch "$ROOT/dev/$d" && mount --bind "/dev/$d" "$ROOT/dev/$d"; done',
    'mount --bind "$DATA" "$ROOT/data"',
    'mount -t proc proc "$ROOT/proc"',
    'mount -o remount,ro,bind "$ROOT"',
    `exec env -i PATH=/usr/local/bin ${settings.join(" ")} "$(command -v chroot)" --userspec=65532:65532 "$ROOT" "$@"`,
  ];
  const program = `set -eu; ${script.join("; ")}`;
  const child = spawn("unshare", ["--mount", "bash", "-c", program, "bash", ...command], {
    env: { ...process.env, ROOT: root, DATA: data },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-20_000);
    });
  }
  return {
    child,
    output: () => output,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const closed = new Promise((resolve) => child.once("close", resolve));
      child.kill("SIGTERM");
      const killing = setTimeout(() => child.kill("SIGKILL"), 15_000);
      await closed;
      clearTimeout(killing);
      return child.exitCode;
    },
  };
}
