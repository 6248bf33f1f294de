import { Code, createClient } from "@connectrpc/connect";
import { ProfileService } from "@kinora/proto-encoder";
import { createClientTransport } from "@kinora/rpc";
import { afterAll, describe, expect, it } from "vitest";
import { resolveSettings } from "./profile/resolve-settings.ts";
import { must, type Person } from "./testing/harness.ts";
import { useEncoder } from "./testing/use-encoder.ts";

const installation = useEncoder();
const transports: { close(): void }[] = [];
afterAll(() => {
  for (const transport of transports) transport.close();
});

function clientOf({ token }: Person) {
  const transport = createClientTransport({ baseUrl: installation.encoder.url, token });
  transports.push(transport);
  return createClient(ProfileService, transport);
}

const names = async (client: ReturnType<typeof clientOf>) =>
  (await client.listProfiles({})).profiles.map(({ name }) => name);

describe("profiles", () => {
  it("are Kinora's own and one's own, which nobody else sees", async () => {
    const person = installation.encoder.person();
    const [mine, others] = [clientOf(person), clientOf(installation.encoder.person())];
    expect(await names(mine)).toEqual(["h264-web", "hevc", "av1"]);
    const settings = { codec: "hevc", crf: 20 };
    const { profile } = await mine.createProfile({ name: "archive", description: "for ever", settings });
    expect(profile).toMatchObject({ name: "archive", description: "for ever", settings, builtIn: false });
    expect(await names(mine)).toEqual(["h264-web", "hevc", "av1", "archive"]);
    expect(await names(others)).toEqual(["h264-web", "hevc", "av1"]);
    await expect(others.getProfile({ name: "archive" })).rejects.toMatchObject({ code: Code.NotFound });
    await others.deleteProfile({ name: "archive" });
    expect((await mine.getProfile({ name: "archive" })).profile?.settings).toMatchObject(settings);
    expect(await resolveSettings(installation.database.pool, person.id, "archive", { crf: 30 })).toMatchObject({
      profile: "archive",
      settings: { codec: "hevc", crf: 30 },
    });
    expect(await resolveSettings(installation.database.pool, person.id, "")).toMatchObject({ profile: "h264-web" });

    await mine.updateProfile({ name: "archive", settings: { codec: "av1" } });
    const changed = must((await mine.getProfile({ name: "archive" })).profile);
    expect([changed.settings?.codec, changed.settings?.crf, changed.description]).toEqual(["av1", undefined, ""]);
    await mine.deleteProfile({ name: "archive" });
    await mine.deleteProfile({ name: "archive" });
    expect(await names(mine)).toEqual(["h264-web", "hevc", "av1"]);
  });

  it("are refused with the fields that are wrong", async () => {
    const person = installation.encoder.person();
    const client = clientOf(person);
    const refusal = (settings: object, name = "x") =>
      client.createProfile({ name, settings }).then(
        () => "taken",
        (error: { rawMessage: string }) => error.rawMessage,
      );
    expect(await refusal({ codec: "vp9" })).toContain("settings.codec");
    expect(await refusal({ codec: "av1", preset: "slow" })).toBe("settings.preset must be a preset of av1: 0 to 13.");
    expect(await refusal({ qualityTarget: 40 })).toContain("settings.quality_target");
    expect(await refusal({}, "Not A Name")).toContain("name");
    expect(await refusal({}, "hevc")).toBe("There is a profile hevc already.");
    await client.createProfile({ name: "x", settings: {} });
    expect(await refusal({})).toBe("There is a profile x already.");
    await expect(client.updateProfile({ name: "hevc", settings: {} })).rejects.toMatchObject({
      code: Code.FailedPrecondition,
    });
    await expect(client.updateProfile({ name: "y", settings: {} })).rejects.toMatchObject({ code: Code.NotFound });
    await expect(client.deleteProfile({ name: "av1" })).rejects.toMatchObject({ code: Code.FailedPrecondition });
    await expect(resolveSettings(installation.database.pool, person.id, "nothing")).rejects.toMatchObject({
      reason: "not_found",
    });
    await expect(
      resolveSettings(installation.database.pool, person.id, "av1", { preset: "fast" }),
    ).rejects.toMatchObject({ reason: "invalid", violations: [{ field: "settings.preset" }] });
  });
});
