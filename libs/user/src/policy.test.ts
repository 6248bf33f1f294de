import type { Caller } from "@kinora/rpc";
import { describe, expect, it } from "vitest";
import type { Role } from "./account/account.ts";
import type { AccountChange } from "./account/update-mask.ts";
import { canCreate, canList, canSee, refuseDelete, refuseUpdate } from "./policy.ts";

const user = (userId: string, role: Role): Caller => ({ kind: "user", userId, role, sessionId: "s" });

describe("who sees whom", () => {
  it.each<[Caller, boolean, boolean, boolean]>([
    // caller, sees u1, sees u2, lists
    [{ kind: "anonymous" }, false, false, false],
    [{ kind: "worker" }, false, false, false],
    [{ kind: "service" }, true, true, true],
    [user("u1", "member"), true, false, false],
    [user("u1", "admin"), true, true, true],
    [user("u1", "owner"), true, true, true],
  ])("%j", (caller, seesSelf, seesOther, lists) => {
    expect([canSee(caller, "u1"), canSee(caller, "u2"), canList(caller)]).toEqual([seesSelf, seesOther, lists]);
  });
});

describe("canCreate", () => {
  it.each<["open" | "closed", Role | undefined, boolean]>([
    ["open", undefined, true],
    ["open", "member", true],
    ["closed", undefined, false],
    ["closed", "member", false],
    ["closed", "admin", true],
    ["closed", "owner", true],
  ])("sign-up %s, by %s: %s", (signUp, role, expected) => {
    expect(canCreate(signUp, role && { id: "a", role })).toBe(expected);
  });
});

describe("refuseUpdate", () => {
  it.each<[Role, "self" | Role, AccountChange, string | undefined]>([
    ["member", "self", { name: "x" }, undefined],
    ["member", "self", { role: "member" }, undefined],
    ["member", "self", { role: "admin" }, "permission_denied"],
    ["member", "self", { role: "owner" }, "permission_denied"],
    ["member", "member", { name: "x" }, "not_found"],
    ["member", "owner", { name: "x" }, "not_found"],
    ["admin", "self", { role: "member" }, undefined],
    ["admin", "self", { role: "owner" }, "failed_precondition"],
    ["admin", "member", { name: "x", role: "admin" }, undefined],
    ["admin", "admin", { role: "member" }, undefined],
    ["admin", "member", { role: "owner" }, "failed_precondition"],
    ["admin", "owner", { name: "x" }, "permission_denied"],
    ["owner", "self", { name: "x", role: "owner" }, undefined],
    ["owner", "self", { role: "admin" }, "failed_precondition"],
    ["owner", "admin", { role: "member" }, undefined],
    ["owner", "member", { role: "owner" }, "failed_precondition"],
  ])("%s changes %s to %j: %s", (role, target, change, reason) => {
    const actor = { id: "a", role };
    const person = target === "self" ? actor : { id: "b", role: target };
    expect(refuseUpdate(actor, person, change)?.reason).toBe(reason);
  });
});

describe("refuseDelete", () => {
  it.each<[Role, "self" | Role, string | undefined]>([
    ["member", "self", undefined],
    ["member", "member", "not_found"],
    ["member", "owner", "not_found"],
    ["admin", "self", undefined],
    ["admin", "admin", undefined],
    ["admin", "owner", "failed_precondition"],
    ["owner", "member", undefined],
    ["owner", "self", "failed_precondition"],
  ])("%s deletes %s: %s", (role, target, reason) => {
    const actor = { id: "a", role };
    expect(refuseDelete(actor, target === "self" ? actor : { id: "b", role: target })?.reason).toBe(reason);
  });
});
