import { settingsIn } from "@kinora/kubernetes/testing";
import { expect, it } from "vitest";
import { manifests } from "../deploy/manifests.ts";
import { readEncoderConfig } from "./config.ts";

it.each(["staging", "production"] as const)(
  "what a pod is told in %s is what the service understands",
  (environment) => {
    const settings = settingsIn(manifests, environment, { DATABASE_URL: "postgres://h/d" });
    expect(settings.length).toBeGreaterThan(0);
    for (const env of settings) {
      const known = Object.keys(readEncoderConfig(env));
      // Read by others: the AWS SDK, OpenTelemetry.
      expect(Object.keys(env).filter((name) => !known.includes(name) && !/^(AWS|OTEL)_/.test(name))).toEqual([]);
    }
  },
);
