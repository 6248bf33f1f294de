import { type EnvironmentName, environments } from "../deploy/environments.ts";
import type { Manifests, Target } from "./service-manifests.ts";

type Rendered = { spec?: { template?: { spec: { containers: { env?: { name: string; value?: string }[] }[] } } } };

/** The environment variables of every container of a service, for tests of whether the service understands them. `secrets` stand for those that have a form; others get some text. */
export function settingsIn(
  manifests: (target: Target) => Manifests,
  environment: EnvironmentName,
  secrets: Readonly<Record<string, string>>,
): Record<string, string>[] {
  const ports = { user: 8081, encoder: 8082, "encoder-worker": 8083 };
  const { before, objects } = manifests({ environment: environments[environment], image: "image:1", ports });
  return [...before, ...objects]
    .map((manifest): Rendered => JSON.parse(JSON.stringify(manifest.toJSON())))
    .flatMap(({ spec }) => spec?.template?.spec.containers ?? [])
    .map(({ env = [] }) =>
      Object.fromEntries(
        env.map(({ name, value }) => [name, value ?? secrets[name] ?? "some-secret-of-the-test-long-enough-for-all"]),
      ),
    );
}
