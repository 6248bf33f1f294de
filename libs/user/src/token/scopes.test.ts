import type { DescService } from "@bufbuild/protobuf";
import { statementOf } from "@kinora/proto-common";
import * as encoderContract from "@kinora/proto-encoder";
import { statements as encoderStatements } from "@kinora/proto-encoder/statements";
import * as userContract from "@kinora/proto-user";
import { statements as userStatements } from "@kinora/proto-user/statements";
import { describe, expect, it } from "vitest";
import { audiencesOf, scopesFor } from "./scopes.ts";

describe("the statements that scopes follow from", () => {
  it.each([
    ["encoder", encoderContract, encoderStatements],
    ["user", userContract, userStatements],
  ])("are those of every method of the %s contract", (_name, contract, statements) => {
    const methods = Object.values<unknown>(contract)
      .filter(isService)
      .flatMap((service) => service.methods);
    expect(methods.length).toBeGreaterThan(10);
    const stated = methods.map((method) => {
      const { access = 0, scope, role } = statementOf(method);
      const [audience] = method.parent.typeName.split(".", 1);
      return { method: `${method.parent.typeName}.${method.name}`, audience, access, scope, role };
    });
    const byName = (a: { method: string }, b: { method: string }) => (a.method < b.method ? -1 : 1);
    expect(statements.toSorted(byName)).toEqual(stated.sort(byName));
  });
});

it("gives a member less than the owner, and a worker nothing that a person has", () => {
  const [member, owner, worker] = [scopesFor("member"), scopesFor("owner"), scopesFor("worker")];
  expect(member).toContain("videos:write");
  expect(owner).toEqual(expect.arrayContaining([...member]));
  expect(owner.length).toBeGreaterThan(member.length);
  expect(worker.filter((scope) => owner.includes(scope))).toEqual([]);
});

it("knows whom a token is for", () => {
  expect(audiencesOf(["videos:read"])).toEqual(["encoder"]);
  expect(audiencesOf(["account:read", "videos:read"])).toEqual(["encoder", "user"]);
  expect(audiencesOf([])).toEqual([]);
});

function isService(exported: unknown): exported is DescService {
  return typeof exported === "object" && exported !== null && "kind" in exported && exported.kind === "service";
}
