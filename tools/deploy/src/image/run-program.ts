import { spawn } from "node:child_process";
import { DeployError } from "../deploy-error.ts";

/** Runs a program to its end. @returns what it printed. @throws DeployError with the end of what it said */
export function runProgram(
  program: string,
  args: readonly string[],
  signal: AbortSignal,
  report: (line: string) => void,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], signal, killSignal: "SIGTERM" });
    let printed = "";
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
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
      if (code === 0) resolve(printed);
      else reject(new DeployError(`${program} ${args[0]} failed (exit code ${code}):\n${said}`));
    });
  });
}
