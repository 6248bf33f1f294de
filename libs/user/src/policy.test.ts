import type { Caller } from "@kinora/rpc";
import { describe, expect, it } from "vitest";
import type { Role } from "./account/account.ts";
import type { AccountChange } from "./account/update-mask.ts";
import { canCreate, canList, canSee, refuseDelete, refuseDisable, refuseUpdate, type SignUp } from "./policy.ts";

const all = { scopes: "all", audiences: "all" } as const;
const user = (userId: string, role: Role): Caller => ({ kind: "user", userId, role, sessionId: "s", ...all });

describe("who sees whom", () => {
  it.each<[Caller, boolean, boolean, boolean]>([
    // caller, sees u1, sees u2, lists
    [{ kind: "anonymous" }, false, false, false],
    [{ kind: "worker", id: "w", ...all }, false, false, false],
    [{ kind: "service", id: "s", ...all }, true, true, true],
    [user("u1", "member"), true, false, false],
    [user("u1", "admin"), true, true, true],
    [user("u1", "owner"), true, true, true],
  ])("%j", (caller, seesSelf, seesOther, lists) => {
    expect([canSee(caller, "u1"), canSee(caller, "u2"), canList(caller)]).toEqual([seesSelf, seesOther, lists]);
  });
});

describe("canCreate", () => {
  it.each<[SignUp, Role | undefined, boolean]>([
    ["open", undefined, true],
    ["open", "member", true],
    ["invitation", undefined, false],
    ["invitation", "admin", true],
    ["closed", undefined, false],
    ["closed", "member", false],
    ["closed", "admin", true],
    ["closed", "owner", true],
  ])("sign-up %s, by %s: %s", (signUp, role, expected) => {
    expect(canCreate(signUp, role && { id: "a", role })).toBe(expected);
  });
});

describe("refuseUpdate", () => {
  it.each<[Role, "self" | Role, AccountChange, number, string | undefined]>([
    ["member", "self", { name: "x" }, 1, undefined],
    ["member", "self", { role: "member" }, 1, undefined],
    ["member", "self", { role: "admin" }, 1, "permission_denied"],
    ["member", "self", { role: "owner" }, 1, "permission_denied"],
    ["member", "member", { name: "x" }, 1, "not_found"],
    ["member", "owner", { name: "x" }, 1, "not_found"],
    ["admin", "self", { role: "member" }, 1, undefined],
    ["admin", "self", { role: "owner" }, 1, "permission_denied"],
    ["admin", "member", { name: "x" }, 1, undefined],
    ["admin", "member", { role: "admin" }, 1, "permission_denied"],
    ["admin", "member", { role: "owner" }, 1, "permission_denied"],
    ["admin", "admin", { name: "x" }, 1, "permission_denied"],
    ["admin", "admin", { role: "member" }, 1, "permission_denied"],
    ["admin", "owner", { name: "x" }, 1, "permission_denied"],
    ["owner", "self", { name: "x", role: "owner" }, 0, undefined],
    ["owner", "self", { role: "admin" }, 0, "failed_precondition"],
    ["owner", "self", { role: "admin" }, 1, undefined],
    ["owner", "admin", { role: "member" }, 1, undefined],
    ["owner", "member", { role: "owner" }, 1, undefined],
    ["owner", "owner", { role: "member" }, 1, undefined],
  ])("%s changes %s to %j with %i other owners: %s", (role, target, change, otherOwners, reason) => {
    const actor = { id: "a", role };
    const person = target === "self" ? actor : { id: "b", role: target };
    expect(refuseUpdate(actor, person, change, otherOwners)?.reason).toBe(reason);
  });
});

describe("refuseDelete", () => {
  it.each<[Role, "self" | Role, number, string | undefined]>([
    ["member", "self", 1, undefined],
    ["member", "member", 1, "not_found"],
    ["member", "owner", 1, "not_found"],
    ["admin", "self", 1, undefined],
    ["admin", "member", 1, undefined],
    ["admin", "admin", 1, "permission_denied"],
    ["admin", "owner", 1, "permission_denied"],
    ["owner", "member", 1, undefined],
    ["owner", "owner", 1, undefined],
    ["owner", "self", 1, undefined],
    ["owner", "self", 0, "failed_precondition"],
  ])("%s deletes %s with %i other owners: %s", (role, target, otherOwners, reason) => {
    const actor = { id: "a", role };
    const person = target === "self" ? actor : { id: "b", role: target };
    expect(refuseDelete(actor, person, otherOwners)?.reason).toBe(reason);
  });
});

describe("refuseDisable", () => {
  it.each<[Role, "self" | Role, string | undefined]>([
    ["member", "self", "failed_precondition"],
    ["member", "member", "not_found"],
    ["admin", "member", undefined],
    ["admin", "admin", "permission_denied"],
    ["admin", "owner", "permission_denied"],
    ["owner", "owner", undefined],
    ["owner", "self", "failed_precondition"],
  ])("%s disables %s: %s", (role, target, reason) => {
    const actor = { id: "a", role };
    expect(refuseDisable(actor, target === "self" ? actor : { id: "b", role: target })?.reason).toBe(reason);
  });
});
