/**
 * Who is at fault: `input` is final, `machine` is worth another try, `cancelled` was asked for by the signal. `crash`: the task's process ended by a fault in its own program; the
 * machine's, unless the same happens elsewhere.
 */
export type TaskFault = "input" | "machine" | "crash" | "cancelled";

/** Why a task came to nothing; the message is a sentence for a person. */
export class TaskError extends Error {
  override readonly name = "TaskError";
  readonly kind: TaskFault;

  constructor(kind: TaskFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
