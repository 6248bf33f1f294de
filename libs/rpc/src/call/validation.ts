import type { DescMessage, DescService, Message } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";

type Protovalidate = typeof import("@bufbuild/protovalidate");
type Loaded = { library: Protovalidate; validator: ReturnType<Protovalidate["createValidator"]> };

let loading: Promise<Loaded> | undefined;
let ready: Loaded | undefined;

/**
 * Loads Protovalidate, which takes longer to load than all the rest of a server: the first call does it, or whoever wants to be ready for that.
 */
export function loadValidator(): Promise<Loaded> {
  loading ??= import("@bufbuild/protovalidate").then((library) => {
    ready = { library, validator: library.createValidator() };
    return ready;
  });
  return loading;
}

/** Refuses a message that breaks a rule of its contract; see `validationInterceptor`. A promise only while Protovalidate is being loaded. */
export function validateMessage(schema: DescMessage, message: Message): void | Promise<void> {
  if (ready === undefined) {
    return loadValidator().then((loaded) => validate(loaded, schema, message));
  }
  validate(ready, schema, message);
}

/** Whether a service's messages are to be validated. gRPC's own contracts have no rules, and a health probe shouldn't wait for the validator. */
export function isValidated(service: DescService): boolean {
  return !service.typeName.startsWith("grpc.");
}

/** Refuses messages that break the rules of their contract, as `invalid_argument` with `buf.validate.Violations` among the details. */
export function validationInterceptor(): Interceptor {
  return (next) => async (request) => {
    if (!isValidated(request.service)) {
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
