import type { MethodName } from "./client-spec.ts";

/** Makes calls of the benchmark's service in one way. */
export type BenchClient = {
  /** One call with the payload that the client was made for; rejects when it fails. For a stream it settles after the last message. */
  call(method: MethodName): Promise<void>;
  /** Bytes of all response bodies so far, where the client knows them. */
  dataBytes?(): number;
  close(): Promise<void> | void;
};
