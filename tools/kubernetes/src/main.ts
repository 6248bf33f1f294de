import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readCommandLine, usage } from "./command-line.ts";
import { renderFiles } from "./files.ts";

const workspace = fileURLToPath(new URL("../../../", import.meta.url));

try {
  const { out, check, help, ...options } = readCommandLine(process.argv.slice(2));
  if (help) {
    console.log(usage);
  } else {
    const files = await renderFiles({ ...options, workspace });
    const changed = files.filter(({ path, text }) => contentOf(join(out ?? workspace, path)) !== text);
    for (const { path, text } of check ? [] : changed) {
      const file = join(out ?? workspace, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
      console.log(file);
    }
    if (check && changed.length > 0) {
      console.error(
        `Not what the TypeScript says; run npx kinora-manifests:\n${changed.map(({ path }) => `  ${path}`).join("\n")}`,
      );
      process.exitCode = 1;
    }
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}

function contentOf(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}
