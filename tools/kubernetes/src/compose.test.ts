import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { portsIn } from "./services.ts";

const workspace = fileURLToPath(new URL("../../../", import.meta.url));
const text = readFileSync(join(workspace, "compose.yaml"), "utf8");
const example = readFileSync(join(workspace, "compose.env.example"), "utf8");
const { services, volumes, networks } = parse(text, { merge: true });
/** A new service may be for clusters alone. */
const ours = Object.entries(portsIn(workspace)).filter(([name]) => name in services);

describe("compose.yaml", () => {
  it("has what makes Kinora", () => {
    expect(ours.map(([name]) => name)).toEqual(expect.arrayContaining(["encoder", "encoder-worker", "user"]));
  });

  it.each(ours)("runs %s as a cluster would: not root, nothing to write to but its own, no rights", (name) => {
    expect(services[name]).toMatchObject({
      user: "65532:65532",
      read_only: true,
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
      restart: "unless-stopped",
    });
  });

  it.each(ours)("finds %s at the port where it listens", (name, port) => {
    const addresses = [...text.matchAll(new RegExp(`http://${name}:(\\d+)`, "g"))].map(([, at]) => Number(at));
    const published = (services[name].ports ?? []).map((entry: string) => Number(entry.split(":").at(-1)));
    expect(new Set([port, ...addresses, ...published])).toEqual(new Set([port]));
  });

  it("keeps what has to be kept, and lets workers reach no database", () => {
    for (const name of ["postgres", "user", "encoder"]) {
      expect(Object.keys(volumes)).toContain(services[name].volumes[0].split(":")[0]);
    }
    expect(services["encoder-worker"].networks).toEqual(["services"]);
    expect(services.postgres.networks).toEqual(["databases"]);
    expect(networks.databases).toEqual({ internal: true });
  });

  it("asks for nothing that compose.env.example doesn't name", () => {
    const asked = new Set([...text.matchAll(/\$\{(\w+)/g)].map(([, name]) => name));
    const named = new Set([...example.matchAll(/^#?(\w+)=/gm)].map(([, name]) => name));
    expect([...asked].filter((name) => !named.has(name))).toEqual([]);
  });
});
