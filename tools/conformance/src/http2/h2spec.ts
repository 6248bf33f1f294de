import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { buildTool, type GoOptions, requireGo } from "../suite/go.ts";
import type { FailedCase, Outcome } from "../suite/outcome.ts";
import { runCommand } from "../suite/run-command.ts";

const version = "v2.2.1";
const program = "github.com/summerwind/h2spec/cmd/h2spec";

/** Cases of h2spec, strict ones included. */
export const h2specCases = 146;

/** Builds h2spec below dist/, unless it is there, and returns the program. */
export async function prepareH2spec(root: string, options: Omit<GoOptions, "cwd">): Promise<string> {
  const folder = join(root, "dist/conformance");
  mkdirSync(folder, { recursive: true });
  const built = join(folder, `h2spec-${version}`);
  if (!existsSync(built)) {
    const go = { ...options, cwd: join(root, "tools/conformance/h2spec") };
    await requireGo(go);
    options.echo?.(`Building h2spec ${version} …\n`);
    await buildTool(program, built, go);
  }
  return built;
}

/** Runs all cases against an HTTP/2 server with TLS on a port of this machine; undefined when h2spec broke off. `path` answers a GET. */
export async function runH2spec(
  built: string,
  port: number,
  path: string,
  options: GoOptions,
): Promise<Outcome | undefined> {
  const where = ["--host", "127.0.0.1", "--port", String(port), "--tls", "--insecure", "--path", path];
  const { output } = await runCommand(built, ["--strict", ...where], { ...options, milliseconds: 5 * 60_000 });
  return readH2spec(output);
}

const summary = /^(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed$/m;

/** Reads what h2spec prints; undefined if that has no summary. */
export function readH2spec(output: string): Outcome | undefined {
  const found = summary.exec(output);
  if (found === null) {
    return undefined;
  }
  const [, , passed, skipped, failed] = found;
  const details = output.slice(output.indexOf("\nFailures:"));
  const named: FailedCase[] = [...details.matchAll(/^ *× (\d+: .*)\n((?: +(?:->|Expected:|Actual:| ).*\n?)*)/gm)].map(
    ([, name = "", words = ""]) => ({ name, words: words.trim() }),
  );
  const unnamed = Math.max(0, Number(failed) - named.length);
  return { passed: Number(passed), failed: named, notRun: Number(skipped) + unnamed };
}
