import { create, toBinary } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { mergeNonProtocolHeaders } from "@connectrpc/connect/protocol";
import type { CallContext } from "../call/call-context.ts";

/** A failure as its caller has it after it has crossed the wire: details as bytes, and all headers and trailers as metadata. */
export function wireError(error: ConnectError, context: CallContext): ConnectError {
  const metadata = new Headers(context.writtenHeader);
  context.writtenTrailer?.forEach((value, name) => {
    metadata.append(name, value);
  });
  if (!error.isWireError) {
    mergeNonProtocolHeaders(metadata, error.metadata);
  }
  const received = new ConnectError(error.rawMessage, error.code, metadata);
  received.details = error.details.map((detail) =>
    "desc" in detail
      ? { type: detail.desc.typeName, value: toBinary(detail.desc, create(detail.desc, detail.value)) }
      : detail,
  );
  received.isWireError = true;
  return received;
}
