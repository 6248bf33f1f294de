/** What a task asks a worker to do. `encode`: a whole stream in one go, as an earlier release planned it. */
export const taskKinds = ["probe", "encode", "analyse", "encode_chunk", "audio", "images", "trial", "verify"] as const;

/** One of `taskKinds`. */
export type TaskKind = (typeof taskKinds)[number];

/** Work that needs an encoder of one family; everything else is light, and goes on beside it. */
export const encoderKinds: readonly TaskKind[] = ["encode", "encode_chunk", "trial"];

/** Work that needs no encoder of pictures. */
export const lightKinds: readonly TaskKind[] = taskKinds.filter((kind) => !encoderKinds.includes(kind));

/** The encoder families that tasks are routed by. */
export const encoderFamilies = ["cpu", "nvenc", "qsv", "vaapi"] as const;

/** The queue of light work. */
export const lightQueue = "media.light";

/** The queue of an encoder family, such as `encode.cpu`. */
export function encoderQueue(family: string): string {
  return `encode.${family}`;
}

/** The encoder family whose tasks a queue has; undefined for the light one. */
export function familyOf(queue: string): string | undefined {
  return encoderFamilies.find((family) => encoderQueue(family) === queue);
}

/** Every queue of tasks; the light one first, since others wait for what comes of it. */
export const taskQueues: readonly string[] = [lightQueue, ...encoderFamilies.map(encoderQueue)];

/** The queues that a worker can serve: those of its encoders, and the light one, as far as it knows every kind of their work. */
export function queuesOf(kinds: readonly TaskKind[], encoders: readonly string[]): string[] {
  const knows = (group: readonly TaskKind[]) => group.every((kind) => kinds.includes(kind));
  return [
    ...(knows(lightKinds) ? [lightQueue] : []),
    ...(knows(encoderKinds) ? encoderFamilies.filter((family) => encoders.includes(family)).map(encoderQueue) : []),
  ];
}

/** What a task is called, for people. */
export function taskName(kind: TaskKind, chunk: number | undefined): string {
  switch (kind) {
    case "probe":
      return "look into the file";
    case "encode":
      return "encode the video";
    case "analyse":
      return "read the whole file";
    case "encode_chunk":
      return `encode chunk ${(chunk ?? 0) + 1}`;
    case "audio":
      return "encode a sound track";
    case "images":
      return "make the pictures";
    case "trial":
      return "make trial encodes";
    case "verify":
      return "check the stream";
  }
}
