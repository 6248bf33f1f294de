import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { Service } from "kubernetes-models/v1/Service";
import { expect, it } from "vitest";
import { renderYaml } from "./render.ts";

it("makes one file of several objects", () => {
  const service = (name: string) => new Service({ metadata: { name } });
  expect(renderYaml([service("a"), service("b")])).toBe(
    "# Made by `npx kinora-manifests` from TypeScript: change that, not this.\n" +
      "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: a\n---\napiVersion: v1\nkind: Service\nmetadata:\n  name: b\n",
  );
});

it("refuses an object that its schema refuses, by name", () => {
  const broken = new Deployment({
    metadata: { name: "broken" },
    spec: {
      selector: {},
      template: { spec: { containers: [{ name: "x", ports: [{ containerPort: "grpc" as never }] }] } },
    },
  });
  expect(() => renderYaml([broken])).toThrow(/^Deployment broken: .*containerPort/);
});
