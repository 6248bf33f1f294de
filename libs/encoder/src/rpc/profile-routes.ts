import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { builtInProfiles, type EncodeSettings } from "@kinora/media";
import { EncodeSettingsSchema, type Profile, ProfileSchema, ProfileService } from "@kinora/proto-encoder";
import { DomainError, requireUser } from "@kinora/rpc";
import type { Context } from "../context.ts";
import { refuseFaults } from "../profile/resolve-settings.ts";
import { isClosed } from "../store/deleted.store.ts";
import {
  deleteProfile,
  findProfile,
  insertProfile,
  listProfiles,
  type ProfileRecord,
  updateProfile,
} from "../store/profile.store.ts";

/** Profiles that a person can have. */
const most = 100;

const descriptions: Readonly<Record<string, string>> = {
  "h264-web": "H.264 and AAC: plays everywhere. The default.",
  hevc: "HEVC: smaller files for devices that decode it, such as Apple's.",
  av1: "AV1: the smallest files, the longest encode; for current browsers.",
};

/** The handlers of encoder.v1.ProfileService. */
export function profileRoutes(router: ConnectRouter, { db }: Pick<Context, "db">): void {
  router.service(ProfileService, {
    async createProfile({ name, description, settings }, call) {
      const { userId } = requireUser(call);
      const stated = required(settings);
      refuseFaults(stated);
      const profile = await db.transact(call.signal, async (tx) => {
        if (await isClosed(tx, userId)) throw new DomainError("unauthenticated", "The account was deleted.");
        const own = await listProfiles(tx, userId);
        if (own.length >= most) {
          throw new DomainError("exhausted", `You have ${most} profiles. Delete one that you don't need.`);
        }
        return isBuiltIn(name) ? undefined : await insertProfile(tx, userId, { name, description, settings: stated });
      });
      if (profile === undefined) throw new DomainError("already_exists", `There is a profile ${name} already.`);
      return { profile: messageOf(profile) };
    },

    async getProfile({ name }, call) {
      const profile = isBuiltIn(name) ? undefined : await findProfile(db, requireUser(call).userId, name);
      if (profile !== undefined) return { profile: messageOf(profile) };
      if (!isBuiltIn(name)) throw new DomainError("not_found", `There is no profile ${name}.`);
      return { profile: builtIn(name) };
    },

    async listProfiles(_request, call) {
      const own = await listProfiles(db, requireUser(call).userId);
      return { profiles: [...Object.keys(builtInProfiles).map(builtIn), ...own.map(messageOf)] };
    },

    async updateProfile({ name, description, settings }, call) {
      refuseBuiltIn(name, "changed: make one of your own");
      const stated = required(settings);
      refuseFaults(stated);
      const profile = await updateProfile(db, requireUser(call).userId, { name, description, settings: stated });
      if (profile === undefined) throw new DomainError("not_found", `There is no profile ${name}.`);
      return { profile: messageOf(profile) };
    },

    async deleteProfile({ name }, call) {
      refuseBuiltIn(name, "deleted");
      await deleteProfile(db, requireUser(call).userId, name);
      return {};
    },
  });
}

function isBuiltIn(name: string): boolean {
  return Object.hasOwn(builtInProfiles, name);
}

function refuseBuiltIn(name: string, what: string): void {
  if (isBuiltIn(name))
    throw new DomainError("failed_precondition", `${name} is one of Kinora's own profiles and can't be ${what}.`);
}

function required(settings: EncodeSettings | undefined): EncodeSettings {
  if (settings === undefined) throw new DomainError("invalid", "State the settings.");
  return settings;
}

function builtIn(name: string): Profile {
  const settings = create(EncodeSettingsSchema, builtInProfiles[name]);
  return create(ProfileSchema, { name, description: descriptions[name] ?? "", settings, builtIn: true });
}

function messageOf(profile: ProfileRecord): Profile {
  return create(ProfileSchema, {
    name: profile.name,
    description: profile.description,
    settings: profile.settings,
    createTime: timestampFromDate(profile.createdAt),
    updateTime: timestampFromDate(profile.updatedAt),
  });
}
