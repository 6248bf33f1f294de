/**
 * Why a task is stopped before its end: `cancelled` by its owner; `lost` because another attempt has the lease; `unreachable` because the encoder
 * hasn't answered for so long that the lease must be gone; `returned` because this worker shuts down; `displaced` because its memory doesn't suffice for all its tasks.
 */
export type StopReason = "cancelled" | "lost" | "unreachable" | "returned" | "displaced";

/** What a task's signal is aborted with, and what a call that learns of a lost lease throws. */
export class TaskStopped extends Error {
  override readonly name = "TaskStopped";
  readonly reason: StopReason;

  constructor(reason: StopReason, options?: ErrorOptions) {
    super(`The task was stopped: ${reason}.`, options);
    this.reason = reason;
  }
}
