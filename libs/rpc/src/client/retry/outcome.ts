import { Code, ConnectError } from "@connectrpc/connect";
import type { Outcome } from "../channel.ts";
import { isUnseen } from "../faults.ts";

/** What an attempt's error says about the endpoint that it was made at. */
export function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof ConnectError)) {
    return "ok";
  }
  if (isUnseen(error)) {
    return "unseen";
  }
  const { code } = error;
  if (error.isWireError) {
    return code === Code.Unavailable || code === Code.ResourceExhausted ? "rejected" : "ok";
  }
  switch (code) {
    case Code.Unavailable:
    case Code.Internal:
      return "fault";
    case Code.DeadlineExceeded:
      return "late";
    case Code.Canceled:
      return "abandoned";
    default:
      return "ok";
  }
}
