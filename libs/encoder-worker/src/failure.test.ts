import { Code, ConnectError } from "@connectrpc/connect";
import { TaskError } from "@kinora/media/task";
import { FailureKind } from "@kinora/proto-encoder";
import { expect, it } from "vitest";
import { describeFailure } from "./failure.ts";
import { PutError } from "./put-file.ts";
import { TaskStopped } from "./stop-reason.ts";

const full = Object.assign(new Error("write"), { code: "ENOSPC" });
const { INPUT, MACHINE, RETURNED } = FailureKind;

it.each<[unknown, FailureKind, string]>([
  [new TaskError("input", "This is a text file."), INPUT, "This is a text file."],
  [new TaskError("machine", "The work stood still."), MACHINE, "The work stood still."],
  [full, MACHINE, "The encoding machine's disk is full: make room below KINORA_DATA/worker there."],
  [
    new TaskError("machine", "No more.", { cause: full }),
    MACHINE,
    "The encoding machine's disk is full: make room below KINORA_DATA/worker there.",
  ],
  [
    new TaskError("machine", "1.m4s could not be written: ENOSPC: no space left on device, write"),
    MACHINE,
    "The encoding machine's disk is full: make room below KINORA_DATA/worker there.",
  ],
  [
    new PutError(507, "x"),
    MACHINE,
    "The encoder has no room left for the stream: make room where it keeps its objects.",
  ],
  [new PutError(413, "Answered with 413."), MACHINE, "The encoder did not take a finished file. Answered with 413."],
  [new ConnectError("no", Code.FailedPrecondition), MACHINE, "The encoder refused a call of its worker: no"],
  [new TaskStopped("returned"), RETURNED, "The worker shuts down."],
  [new TaskStopped("displaced"), RETURNED, "The worker's memory doesn't suffice for all its tasks."],
  [new Error("two\n  lines"), MACHINE, "two lines"],
  [new Error(""), MACHINE, "The task failed."],
  ["text", MACHINE, "text"],
])("%s", (error, kind, message) => {
  expect(describeFailure(error)).toMatchObject({ kind, message });
});

it("tells a crash from the machine's other faults", () => {
  const crash = new TaskError("crash", "The process that handles the video was ended by SIGSEGV.");
  expect(describeFailure(crash)).toEqual({
    kind: MACHINE,
    message: crash.message,
    crashed: true,
    outcome: "machine fault",
  });
  expect(describeFailure(new TaskError("machine", "The work stood still."))).toMatchObject({ crashed: false });
});

it("keeps a message within what the contract takes", () => {
  expect(Array.from(describeFailure(new Error("🎬".repeat(5_000))).message)).toHaveLength(2_000);
});
