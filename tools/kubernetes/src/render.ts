import { stringify } from "yaml";
import type { Manifest } from "./manifest.ts";

const head = "# Made by `npx kinora-manifests` from TypeScript: change that, not this.\n";

/**
 * Objects as one YAML file, each checked against its schema.
 * @throws with the name of the object that is wrong
 */
export function renderYaml(manifests: readonly Manifest[]): string {
  return head + manifests.map((manifest) => `---\n${toYaml(checked(manifest))}`).join("");
}

function checked(manifest: Manifest): unknown {
  try {
    manifest.validate();
  } catch (error) {
    const what = `${manifest.kind} ${manifest.metadata?.name}`;
    throw new Error(`${what}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
  return manifest.toJSON();
}

/** Without anchors, which kubectl reads and people don't. */
function toYaml(value: unknown): string {
  return stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 });
}
