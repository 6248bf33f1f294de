import { AV_PIX_FMT_YUV420P } from "node-av/constants";
import { Frame, Rational } from "node-av/lib";
import { expect, it } from "vitest";
import { openEncoder } from "./encoder.ts";
import { encoderOptions } from "./encoder-options.ts";
import { parseProcessor, readProcessor, x264Instructions } from "./x264-instructions.ts";

const cpuInfo = (vendor: string, flags: string) =>
  `processor\t: 0\nvendor_id\t: ${vendor}\nmodel name\t: A processor\nflags\t\t: fpu sse4_2 avx2 ${flags}\nvmx flags\t: ept\n\nprocessor\t: 1\nvendor_id\t: Other\nflags\t\t: none\n`;
const avx = "MMX2,SSE2Fast,SSSE3,SSE4.2,AVX";

it.each([
  ["GenuineIntel", "avx512f avx512_fp16 amx_tile", avx],
  ["GenuineIntel", "avx512f", ""],
  ["GenuineIntel", "", ""],
  ["AuthenticAMD", "avx512f avx512_fp16", ""],
])("narrow instructions only where they were measured to be faster: %s with %s", (vendor, flags, wanted) => {
  expect(x264Instructions(parseProcessor(cpuInfo(vendor, flags)))).toBe(wanted);
});

it("x264 chooses by itself where the processor doesn't tell what it is", () => {
  for (const text of ["", "processor : 0\nFeatures : fp asimd\nCPU implementer : 0x41\n", "flags\nvendor_id"])
    expect(x264Instructions(parseProcessor(text))).toBe("");
  expect(x264Instructions(readProcessor("/nowhere/cpuinfo"))).toBe("");
});

/** Pictures whose parts move differently, with noise that is the same each time, as x264 codes them: their bytes. */
async function encodedWith(preset: string, instructions: string): Promise<number> {
  const [width, height] = [320, 180];
  const plan = { name: "", width, height, crf: 24, maxBitrate: 0, bufferBits: 0, profile: "high", level: 30, preset };
  const { name, options } = encoderOptions(plan, 1, instructions);
  const encoder = await openEncoder(
    name,
    (context) => {
      context.width = width;
      context.height = height;
      context.pixelFormat = AV_PIX_FMT_YUV420P;
      context.timeBase = new Rational(1, 25);
      context.threadCount = 1;
    },
    options,
  );
  const coded: Buffer[] = [];
  let noise = 1;
  for (let at = 0; at < 24; at++) {
    const picture = Buffer.alloc((width * height * 3) / 2, 128);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        noise = (noise * 48_271) % 0x7fffffff;
        picture[y * width + x] = 60 + (((x + at * (1 + (y >> 6))) * 3 + y) % 120) + (noise % 13);
      }
    }
    const frame = Frame.fromVideoBuffer(picture, { width, height, format: AV_PIX_FMT_YUV420P });
    frame.pts = BigInt(at);
    for await (const { data } of encoder.encode(frame)) coded.push(data);
  }
  for await (const { data } of encoder.encode(null)) coded.push(data);
  encoder.close();
  expect(coded.length).toBe(24);
  return coded.reduce((sum, { length }) => sum + length, 0);
}

it.each(["veryfast", "medium"])(
  "pictures are as x264 makes them by its own choice, but for rounding (%s)",
  async (preset) => {
    const [narrow, own] = [await encodedWith(preset, avx), await encodedWith(preset, "")];
    expect(Math.abs(narrow / own - 1)).toBeLessThan(0.05);
  },
);
