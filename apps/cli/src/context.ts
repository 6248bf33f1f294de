import type { Readable, Writable } from "node:stream";

/** A stream to write to, with what it tells of itself when it is a terminal. */
export type Output = Writable & { isTTY?: boolean; columns?: number };

/** A stream to read from; a terminal's can be read key by key. */
export type Input = Readable & { isTTY?: boolean; setRawMode?(raw: boolean): unknown };

/** What a command works with. Nothing else of the process is touched. */
export type Context = {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  /** The person's home folder. */
  home: string;
  stdin: Input;
  stdout: Output;
  stderr: Output;
  /** Aborted by Ctrl-C, with an `Interrupted`. */
  signal: AbortSignal;
  /** `--server`, if given. */
  server: string | undefined;
  /** `--json`. */
  json: boolean;
};
