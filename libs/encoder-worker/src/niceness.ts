import type { MediaTask } from "@kinora/media/task";

/** Far enough back that what people wait for has nine tenths of a core that both want. */
const back = 10;

/** How far a task stands back behind others on its machine, on the scale of `nice`: what a stream begins with comes first (probe, first chunk, sound), as do services on the same machine. */
export function nicenessOf(task: MediaTask): number {
  switch (task.kind) {
    case "encode-chunk":
      return task.chunk.index === 0 ? 0 : back;
    case "analyse":
      // Without a head, everything waits for it.
      return task.plan?.chunks?.length ? back : 0;
    case "encode":
    case "trial":
    case "images":
    case "verify":
      return back;
    default:
      return 0;
  }
}
