import { totalmem } from "node:os";
import type { EncodePlan } from "@kinora/media";

const mebibyte = 2 ** 20;

/**
 * Bytes that a stream, or a part of it, may have at most: twice what its renditions have at their highest bit rates all the time, and room for headers and
 * poster. A plan without a known length or bit rate has a fixed limit.
 */
export function outputLimitBytes({ video, audio }: Pick<EncodePlan, "video" | "audio">): number {
  const { num, den } = video?.frameRate ?? { num: 0, den: 1 };
  const seconds = num > 0 ? ((video?.frameCount ?? 0) * den) / num : 0;
  if (seconds === 0 || video?.renditions.some(({ maxBitrate }) => maxBitrate === 0)) return 64 * 1024 * mebibyte;
  const bitrate = (video?.renditions ?? []).reduce((sum, { maxBitrate }) => sum + maxBitrate, audio?.bitrate ?? 0);
  return Math.ceil((2 * bitrate * seconds) / 8) + 64 * mebibyte;
}

/** Bytes of memory that all tasks of a worker may use together: three quarters of what this machine (or container) has. */
export function memoryBudgetBytes(available: number = memoryOfThisMachine()): number {
  return Math.floor(available * 0.75);
}

/**
 * Bytes of memory that one task's process may use: half of what all may, at least 1 GiB. Not its share of a slot: a source of 4K takes several times what others take, and the beginning of a stream, which
 * has all cores, more again.
 */
export function memoryLimitBytes(available: number = memoryOfThisMachine()): number {
  return Math.max(1024 * mebibyte, Math.floor(memoryBudgetBytes(available) / 2));
}

/** Bytes of memory that this machine (or container) has. */
export function memoryOfThisMachine(): number {
  const constrained = process.constrainedMemory(); // 0 or absurdly high where nothing constrains it
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
