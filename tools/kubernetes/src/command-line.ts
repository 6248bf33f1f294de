import { parseArgs } from "node:util";

export const usage = `Usage: kinora-manifests [SERVICE…] [--env ENV] [--image SERVICE=IMAGE]… [--out FOLDER] [--check]

Writes the Kubernetes objects of services as YAML, each checked against its schema. Without more it brings the files in
apps/SERVICE/deploy/ENV up to date, which are there to be read and reviewed.

  --env ENV              this environment alone
  --image SERVICE=IMAGE  the image to run, by digest: registry.example.org/kinora/user@sha256:…
  --out FOLDER           writes below this folder: what a deploy applies
  --check                writes nothing; exit code 1 if a file isn't what it would be`;

export type Options = {
  services: string[];
  environment?: string;
  images: Record<string, string>;
  out?: string;
  check: boolean;
  help: boolean;
};

/** @throws {TypeError} with a sentence for the person */
export function readCommandLine(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      env: { type: "string" },
      image: { type: "string", multiple: true, default: [] },
      out: { type: "string" },
      check: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const images = values.image.map((text) => {
    const [, service, image] = /^([a-z][a-z0-9-]*)=([^@\s]+@sha256:[0-9a-f]{64}|[^@\s]+:[\w][\w.-]*)$/.exec(text) ?? [];
    if (service === undefined || image === undefined) {
      throw new TypeError(`--image ${text}: expected SERVICE=NAME@sha256:DIGEST, or SERVICE=NAME:TAG.`);
    }
    return [service, image] as const;
  });
  if (values.check && values.out !== undefined)
    throw new TypeError("--check looks at the files in the repository: leave out --out.");
  return {
    services: positionals,
    ...(values.env !== undefined && { environment: values.env }),
    images: Object.fromEntries(images),
    ...(values.out !== undefined && { out: values.out }),
    check: values.check,
    help: values.help,
  };
}
