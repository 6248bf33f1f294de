// The longest that a timer of Node can wait; one set for longer fires at once.
const longestMs = 2 ** 31 - 1;

/** Milliseconds of each unit of `grpc-timeout`: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests */
const units: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/**
 * A request's headers with a deadline that Connect's handlers can keep: `defaultMs` where the client asks for none, and none beyond what a timer can wait.
 * Each protocol reads its own header; saying it there lets Connect do the rest, from the handler's signal to `timeoutMs()`.
 */
export function withDeadline(header: Headers, defaultMs: number | undefined): Headers {
  const result = new Headers(header);
  const connect = header.get("connect-timeout-ms");
  const grpc = header.get("grpc-timeout");
  if (connect === null && defaultMs !== undefined) {
    result.set("connect-timeout-ms", String(defaultMs));
  } else if (connect !== null && /^\d{1,10}$/.test(connect) && Number(connect) > longestMs) {
    result.set("connect-timeout-ms", String(longestMs));
  }
  if (grpc === null && defaultMs !== undefined) {
    result.set("grpc-timeout", `${defaultMs}m`);
  } else if (grpc !== null && grpcMs(grpc) > longestMs) {
    result.set("grpc-timeout", `${Math.floor(longestMs / 1000)}S`);
  }
  return result;
}

function grpcMs(text: string): number {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(text) ?? [];
  return digits === undefined || unit === undefined ? 0 : Number(digits) * (units[unit] ?? 0);
}
