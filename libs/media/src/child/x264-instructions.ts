import { closeSync, openSync, readSync } from "node:fs";

/** What a processor says of itself, in Linux's words; empty where nobody knows. */
export type Processor = { vendor: string; flags: readonly string[] };

/**
 * The instruction sets that x264 is to use, by its names; empty for its own choice, which is all that there are. The pictures are the same but for rounding, which x264 does differently with different ones anyway.
 * On Intel's servers since Sapphire Rapids (known by AVX-512 for 16-bit floats) x264 takes 5 % less CPU at "veryfast" without its functions for 256 and 512 bits, and as much at "medium", as one of them was
 * measured (docs/benchmarks.md). No other processor was.
 */
export function x264Instructions({ vendor, flags }: Processor): string {
  return vendor === "GenuineIntel" && flags.includes("avx512_fp16") ? "MMX2,SSE2Fast,SSSE3,SSE4.2,AVX" : "";
}

/** Bytes of the file that tell of the first processor; there may be hundreds, each of which takes time to ask. */
const firstBytes = 8_192;

/** This machine's processor. */
export function readProcessor(path = "/proc/cpuinfo"): Processor {
  try {
    const file = openSync(path, "r");
    try {
      const buffer = Buffer.alloc(firstBytes);
      return parseProcessor(buffer.toString("latin1", 0, readSync(file, buffer)));
    } finally {
      closeSync(file);
    }
  } catch {
    return parseProcessor("");
  }
}

/** Reads the first processor of /proc/cpuinfo. */
export function parseProcessor(text: string): Processor {
  const line = (name: string) => new RegExp(`^${name}\\s*:(.*)$`, "m").exec(text)?.[1]?.trim() ?? "";
  return { vendor: line("vendor_id"), flags: line("flags").split(" ") };
}
