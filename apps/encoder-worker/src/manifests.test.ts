import { settingsIn } from "@kinora/kubernetes/testing";
import { expect, it } from "vitest";
import { manifests } from "../deploy/manifests.ts";
import { readWorkerConfig } from "./config.ts";

it.each(["staging", "production"] as const)(
  "what a pod is told in %s is what the service understands",
  (environment) => {
    const settings = settingsIn(manifests, environment, {});
    expect(settings.length).toBeGreaterThan(0);
    for (const env of settings) {
      const known = Object.keys(readWorkerConfig(env));
      // Read by OpenTelemetry. Nothing is the AWS SDK's: addresses that workers get are signed, and they hold no credential of the storage or the database.
      expect(Object.keys(env).filter((name) => !known.includes(name) && !/^OTEL_/.test(name))).toEqual([]);
      expect(Object.keys(env).filter((name) => /^AWS_|STORAGE|DATABASE|POSTGRES/.test(name))).toEqual([]);
    }
  },
);
