import { type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import { type Access, access, type Requirement, requires } from "../gen/kinora/access/v1/access_pb.ts";

/** What a method's contract states about its callers. */
export type Statement = Pick<Requirement, "scope" | "role" | "resource"> & {
  /** Undefined if it states none. */
  readonly access: Access | undefined;
};

const read = new WeakMap<DescMethod, Statement>();

/** Reads a method's options once: to find one in its descriptor takes long enough to be felt in a start that asks for all of them several times. */
export function statementOf(method: DescMethod): Statement {
  let statement = read.get(method);
  if (statement === undefined) {
    const { scope, role, resource } = getOption(method, requires);
    statement = { access: hasOption(method, access) ? getOption(method, access) : undefined, scope, role, resource };
    read.set(method, statement);
  }
  return statement;
}
