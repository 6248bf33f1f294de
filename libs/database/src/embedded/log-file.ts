import { closeSync, fstatSync, openSync, renameSync, rmSync, writeSync } from "node:fs";

/** Postgres's own log: in a file, and the end of it at hand for error messages. */
export type LogFile = {
  readonly path: string;
  write(text: string): void;
  /** The newest lines, oldest of them first. */
  lastLines(count: number): string[];
  close(): void;
};

/**
 * Appends to `path`; at `maxBytes` the file becomes `<path>.1` (replacing that) and a new one begins. A file that can't
 * be written (full disk, another user's) doesn't stop anything: the lines are then only kept in memory.
 */
export function openLogFile(path: string, maxBytes = 1_048_576): LogFile {
  let recent = "";
  let file = open(path);

  const rotate = () => {
    if (!file || file.size < maxBytes) return;
    closeSync(file.fd);
    file = undefined;
    try {
      renameSync(path, `${path}.1`);
    } catch {
      rmSync(path, { force: true });
    }
    file = open(path);
  };

  return {
    path,
    write(text) {
      recent = (recent + text).slice(-8_192);
      rotate();
      if (!file) return;
      try {
        file.size += writeSync(file.fd, text);
      } catch {
        // The disk is full: Postgres itself will say so to whoever uses it.
      }
    },
    lastLines(count) {
      return recent
        .split("\n")
        .filter((line) => line.trim() !== "")
        .slice(-count);
    },
    close() {
      if (file) closeSync(file.fd);
      file = undefined;
    },
  };
}

function open(path: string): { fd: number; size: number } | undefined {
  for (const replace of [false, true]) {
    try {
      if (replace) rmSync(path, { force: true });
      const fd = openSync(path, "a", 0o600);
      return { fd, size: fstatSync(fd).size };
    } catch {
      // Perhaps another user's: the folder is ours, so it can be replaced.
    }
  }
  return undefined;
}
