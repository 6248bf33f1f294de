import { toJson } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { EncodeSettingsSchema, type Profile, ProfileSchema } from "@kinora/proto-encoder";
import { type ProfileClient, profileClient } from "../clients.ts";
import { defineCommand } from "../command.ts";
import { connect } from "../connection.ts";
import type { Context } from "../context.ts";
import { UsageError } from "../errors.ts";
import { jsonLine } from "../json-line.ts";
import { readSettings, settingsOption } from "../settings-option.ts";
import { renderTable } from "../table.ts";
import { lookOf } from "../terminal.ts";
import { printable } from "../text-width.ts";

type Values = { settings?: string; about?: string };

export const command = defineCommand({
  options: {
    settings: settingsOption,
    about: { type: "string", value: "TEXT", about: "what the profile is for" },
  },
  details: [
    "kinora profiles                          Kinora's profiles and yours",
    "kinora profiles save NAME --settings …   make or replace one of yours",
    "kinora profiles delete NAME              delete one of yours",
    "",
    'Encode with one: kinora encode FILE --profile NAME. Settings are those of "EncodeSettings" in',
    "the contract: codec, ladder, rungs, preset, crf, qualityTarget, segmentSeconds, audioBitrate, encoder.",
  ].join("\n"),
  positionals: [0, 2],
  json: true,
  async run(context, { positionals: [action = "list", name], values }) {
    const { server, session } = await connect(context);
    const profiles = profileClient(server.encoder, session);
    const { signal } = context;
    if (action === "list") {
      const { profiles: found } = await profiles.listProfiles({}, { signal });
      return show(context, found);
    }
    if (name === undefined) throw new UsageError(`kinora profiles ${action}: name the profile.`);
    if (action === "save") return show(context, [await save(context, profiles, name, values)]);
    if (action !== "delete") throw new UsageError(`kinora profiles ${action}: expected save or delete.`);
    await profiles.deleteProfile({ name }, { signal });
    context.stderr.write(`The profile ${name} is deleted.\n`);
  },
});

async function save(context: Context, profiles: ProfileClient, name: string, values: Values): Promise<Profile> {
  const settings = await readSettings(context, values.settings);
  if (settings === undefined) throw new UsageError("kinora profiles save: state the settings with --settings.");
  const stated = { name, description: values.about ?? "", settings };
  const { signal } = context;
  const { profile } = await profiles.createProfile(stated, { signal }).catch((error: unknown) => {
    if (ConnectError.from(error).code !== Code.AlreadyExists) throw error;
    return profiles.updateProfile(stated, { signal });
  });
  if (profile === undefined) throw new Error("The server's answer is incomplete: it has no profile.");
  return profile;
}

function show(context: Context, profiles: readonly Profile[]): void {
  const { stdout } = context;
  if (context.json) {
    for (const profile of profiles) stdout.write(jsonLine(ProfileSchema, profile));
    return;
  }
  const look = lookOf(stdout, context.env);
  const rows = profiles.map((profile) => [
    profile.name,
    printable(profile.description),
    profile.settings ? printable(JSON.stringify(toJson(EncodeSettingsSchema, profile.settings))) : "",
  ]);
  const columns = [{ title: "NAME" }, { title: "FOR", flexible: { minimum: 10 } }, { title: "SETTINGS" }];
  const [head = "", ...lines] = renderTable(columns, rows, look.live ? look.columns() : Number.POSITIVE_INFINITY);
  stdout.write(`${[look.paint("bold", head), ...lines].join("\n")}\n`);
}
