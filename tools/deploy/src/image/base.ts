import { DeployError } from "../deploy-error.ts";
import { runProgram } from "./run-program.ts";

/** Whether an image is named by what it is: a tag can be moved to another. */
export const isPinned = (image: string): boolean => /@sha256:[0-9a-f]{64}$/.test(image);

/** How each engine is asked for the digest of an image in a registry: of its list of platforms, where it has one. */
const questions: Record<string, [program: string, ...args: string[]]> = {
  docker: ["docker", "buildx", "imagetools", "inspect", "--format", "{{.Manifest.Digest}}"],
  // buildah itself can't tell; Debian has both from one source.
  buildah: ["skopeo", "inspect", "--no-tags", "--format", "{{.Digest}}"],
};

/** @throws DeployError when the engine or the registry can't tell */
export async function digestInRegistry(
  engine: string,
  image: string,
  signal: AbortSignal,
  report: (line: string) => void,
): Promise<string> {
  const [program, ...args] = questions[engine] ?? [];
  if (program === undefined) throw new DeployError(`--engine: "${engine}" is neither docker nor buildah.`);
  const name = program === "skopeo" ? `docker://${image}` : image;
  return (await runProgram(program, [...args, name], signal, report)).trim();
}
