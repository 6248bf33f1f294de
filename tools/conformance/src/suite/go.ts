import { runCommand } from "./run-command.ts";

/** The suite is a Go program. */
export const suiteModule = "connectrpc.com/conformance";
export const suiteVersion = "v1.0.5";
const oldestGo = { major: 1, minor: 24 };

/** Where to run Go, and when to stop. */
export type GoOptions = { cwd: string; env: NodeJS.ProcessEnv; echo?: (text: string) => void; signal?: AbortSignal };

/** Whether what `go version` prints is a version that can build the suite. */
export function isGoNewEnough(words: string): boolean {
  const [, major, minor] = /\bgo(\d+)\.(\d+)/.exec(words) ?? [];
  return Number(major) > oldestGo.major || (Number(major) === oldestGo.major && Number(minor) >= oldestGo.minor);
}

/** Throws, with what to do about it, unless there is a Go that can build the suite. */
export async function requireGo(options: GoOptions): Promise<void> {
  const wanted = `Go ${oldestGo.major}.${oldestGo.minor} or newer`;
  const found = await runCommand("go", ["version"], { ...options, echo: () => {}, milliseconds: 60_000 }).catch(
    (error) => {
      options.signal?.throwIfAborted();
      throw new Error(
        `The conformance suite is a program in Go, and there is no "go" here (${error.message}). Install ${wanted} from https://go.dev/dl and put it on the PATH.`,
      );
    },
  );
  if (!isGoNewEnough(found.output)) {
    throw new Error(
      `The conformance suite needs ${wanted}; "go version" says: ${found.output.trim()}. Get a newer one from https://go.dev/dl.`,
    );
  }
}

/** Builds the suite's program into a folder. The first time it fetches it and what it needs; Go checks all that by its hashes. */
export async function installSuite(folder: string, options: GoOptions): Promise<void> {
  const program = `${suiteModule}/cmd/connectconformance@${suiteVersion}`;
  const env = { ...options.env, GOBIN: folder };
  await succeed(["install", program], { ...options, env });
}

/** The folder with the suite's source, where its contracts are. */
export async function suiteSource(options: GoOptions): Promise<string> {
  const output = await succeed(["mod", "download", "-json", `${suiteModule}@${suiteVersion}`], {
    ...options,
    echo: () => {},
  });
  const { Dir }: { Dir?: unknown } = JSON.parse(output.slice(output.indexOf("{"), output.lastIndexOf("}") + 1));
  if (typeof Dir !== "string") {
    throw new Error(`"go mod download" doesn't say where it put the suite: ${output}`);
  }
  return Dir;
}

/** Builds a tool of the module in `options.cwd`, whose go.mod says which version of it and of what it needs. */
export async function buildTool(program: string, output: string, options: GoOptions): Promise<void> {
  await succeed(["build", "-o", output, program], options);
}

async function succeed(args: readonly string[], options: GoOptions): Promise<string> {
  const { output, code } = await runCommand("go", args, { ...options, milliseconds: 10 * 60_000 });
  if (code !== 0) {
    throw new Error(
      `"go ${args.join(" ")}" failed. It needs the Go module proxy (or GOPROXY), or a module cache that has the suite.\n${output}`,
    );
  }
  return output;
}
