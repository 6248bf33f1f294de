import type { DescMessage, DescMethod, DescService, Message } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { statementOf } from "@kinora/proto-common";
import { DomainError } from "./domain-error.ts";

/** Who may name a resource at all; what they may do with it, a handler may narrow further. */
export type Owner = {
  /** Such as `video`; for the sentence of who asks for one that isn't theirs, or that doesn't exist. */
  what: string;
  isTheirs(id: string, context: HandlerContext): boolean | Promise<boolean>;
  /** Of methods that end what is there and find nothing wrong with nothing: a resource that isn't theirs is answered with an empty message, like none. */
  nothingIsDone?: true;
};

/** For each method whose contract names a resource, whose that is. */
export type Owners<S extends DescService> = { readonly [M in keyof S["method"]]?: Owner };

/** Implementations that ask for the owner first. */
const guarded = new WeakSet<object>();

/**
 * A service's handlers behind the question whose resource a request names, as its contract states it (`requires.resource`): a call about somebody else's is `not_found`, in the same
 * words as one about nothing, and doesn't reach the handler. An empty field names nothing. Throws at the start for a method that names a resource and has no owner here, or has one and
 * names none.
 */
export function owned<S extends DescService>(service: S, owners: Owners<S>, handlers: ServiceImpl<S>): ServiceImpl<S> {
  const implementation: Record<string, unknown> = { ...handlers };
  for (const method of service.methods) {
    const owner = (owners as Readonly<Record<string, Owner | undefined>>)[method.localName];
    const { resource } = statementOf(method);
    if ((resource === "") !== (owner === undefined)) {
      const fault =
        owner === undefined ? `names the resource ${resource} and has no owner` : "has an owner and names no resource";
      throw new Error(
        `${method.parent.typeName}.${method.name} ${fault}: the contract and the table of owners must agree`,
      );
    }
    const handler = implementation[method.localName];
    if (owner === undefined || typeof handler !== "function") continue;
    const idOf = reader(method, resource);
    const isTheirs: Check = (request, context) => {
      const id = idOf(request);
      return id === "" || owner.isTheirs(id, context);
    };
    const refuse = (request: Message) => {
      if (owner.nothingIsDone) return {};
      throw absent(owner.what, idOf(request));
    };
    const guard = method.methodKind === "server_streaming" ? guardStream : guardUnary;
    implementation[method.localName] = guard(isTheirs, handler as Handler, refuse);
  }
  guarded.add(implementation);
  return implementation as ServiceImpl<S>;
}

/** Whether a service's handlers are behind `owned`, or need not be, as none of its methods names a resource. */
export function isOwned(service: DescService, implementation: object): boolean {
  return guarded.has(implementation) || service.methods.every((method) => statementOf(method).resource === "");
}

/** What is answered for a resource that isn't the caller's, or isn't there. */
export function absent(what: string, id: string): DomainError {
  return new DomainError("not_found", `There is no ${what} ${id}.`);
}

type Handler = (request: Message, context: HandlerContext) => unknown;
type Check = (request: Message, context: HandlerContext) => boolean | Promise<boolean>;
type Refuse = (request: Message) => object;

function guardUnary(isTheirs: Check, handler: Handler, refuse: Refuse): Handler {
  return (request, context) => {
    const answer = isTheirs(request, context);
    // At once where that is known at once: a promise more would be felt in the smallest calls.
    if (typeof answer === "boolean") return answer ? handler(request, context) : refuse(request);
    return answer.then((theirs) => (theirs ? handler(request, context) : refuse(request)));
  };
}

function guardStream(isTheirs: Check, handler: Handler, refuse: Refuse): Handler {
  return async function* (request, context) {
    if (await isTheirs(request, context)) yield* handler(request, context) as AsyncIterable<unknown>;
    else refuse(request);
  };
}

/** Reads a field by its path in the contract, such as `lease.task_id`. */
function reader(method: DescMethod, path: string): (request: Message) => string {
  const names: string[] = [];
  let message: DescMessage | undefined = method.input;
  for (const part of path.split(".")) {
    const field: DescMessage["fields"][number] | undefined = message?.fields.find(({ name }) => name === part);
    if (field === undefined)
      throw new Error(`${method.parent.typeName}.${method.name} names the resource ${path}, which isn't there`);
    names.push(field.localName);
    message = field.message;
  }
  return (request) => {
    let value: unknown = request;
    for (const name of names) value = (value as Record<string, unknown> | undefined)?.[name];
    return typeof value === "string" ? value : "";
  };
}
