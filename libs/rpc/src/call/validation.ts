import type { DescMessage, Message } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";

type Protovalidate = typeof import("@bufbuild/protovalidate");
type Loaded = { library: Protovalidate; validator: ReturnType<Protovalidate["createValidator"]> };

let loading: Promise<Loaded> | undefined;

/**
 * Loads Protovalidate, which takes longer to load than all the rest of a server: the first call does it, or whoever wants to be ready for that.
 */
export function loadValidator(): Promise<Loaded> {
  loading ??= import("@bufbuild/protovalidate").then((library) => ({ library, validator: library.createValidator() }));
  return loading;
}

/** Refuses messages that break the rules of their contract, as `invalid_argument` with `buf.validate.Violations` among the details. */
export function validationInterceptor(): Interceptor {
  return (next) => async (request) => {
    if (request.service.typeName.startsWith("grpc.")) {
      // gRPC's own contracts have no rules, and a health probe shouldn't wait for the validator.
      return next(request);
    }
    const loaded = await loadValidator();
    const schema = request.method.input;
    if (request.stream) {
      return next({ ...request, message: validateEach(loaded, schema, request.message) });
    }
    validate(loaded, schema, request.message);
    return next(request);
  };
}

async function* validateEach<T extends Message>(loaded: Loaded, schema: DescMessage, messages: AsyncIterable<T>) {
  for await (const message of messages) {
    validate(loaded, schema, message);
    yield message;
  }
}

function validate({ library, validator }: Loaded, schema: DescMessage, message: Message): void {
  const result = validator.validate(schema, message);
  if (result.kind === "error") {
    throw result.error;
  }
  if (result.kind === "invalid") {
    const [value, desc] = library.violationsToProto(result.violations);
    const text = result.violations
      .map(({ field, message }) => `${pathToString(field) || "request"}: ${message}`)
      .join("; ");
    throw new ConnectError(text, Code.InvalidArgument, undefined, [{ desc, value }]);
  }
}
