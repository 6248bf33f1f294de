/** MP4 files whose index lies. The sound base is 75 pictures in 3 s, B-frames, sound, its index last. */
import { box, boxesOf, editBox, full, inTable, u16, u32, u64 } from "./boxes.ts";
import { beyondReason, frames, type HostileFile, noPicture, tooCostly, unreadable } from "./hostile-files.ts";

const all = 2 ** 32 - 1;
const media = "moov/trak/mdia";

/** A table of one run: how often, and what. */
const run = (...values: number[]) => Buffer.concat([full, u32(1, ...values)]);

/** Tells the index that the samples lie in one chunk, however many there are. */
function oneChunk(file: Buffer, samples: number): Buffer {
  const at = file.readUInt32BE(file.indexOf("stco", file.indexOf("moov")) + 12);
  const chunked = editBox(file, inTable("stsc"), () => Buffer.concat([full, u32(1, 1, samples, 1)]));
  return editBox(chunked, inTable("stco"), () => Buffer.concat([full, u32(1, at)]));
}

const nested = (depth: number, type: string, inner: Buffer) => {
  const heads: Buffer[] = [];
  for (let level = depth; level > 0; level--) heads.push(u32(inner.length + level * 8), Buffer.from(type));
  return Buffer.concat([...heads, inner]);
};

/** An edit list of version 0 with edits of this many movie units (1/1000 s) from these media times on. */
const edits = (list: [length: number, from: number][]) =>
  box(
    "edts",
    box("elst", full, u32(list.length), Buffer.concat(list.map(([length, from]) => u32(length, from, 65_536)))),
  );

const withoutEdits = (file: Buffer) =>
  [0, 1].reduce(
    (changed, index) =>
      editBox(changed, `moov/trak[${index}]`, (track) =>
        Buffer.concat(
          boxesOf(track)
            .filter(({ type }) => type !== "edts")
            .map(({ bytes }) => bytes),
        ),
      ),
    file,
  );

const withEdits = (file: Buffer, list: [number, number][]) =>
  editBox(file, "moov/trak", (track) =>
    Buffer.concat([
      ...boxesOf(track).flatMap((one) =>
        one.type === "edts" ? [] : one.type === "tkhd" ? [one.bytes, edits(list)] : [one.bytes],
      ),
    ]),
  );

const withTimescale = (file: Buffer, timescale: number) =>
  editBox(withoutEdits(file), `${media}/mdhd`, (content) =>
    Buffer.concat([content.subarray(0, 12), u32(timescale), content.subarray(16)]),
  );

const withMatrix = (file: Buffer, matrix: number[]) =>
  editBox(file, "moov/trak/tkhd", (content) =>
    Buffer.concat([content.subarray(0, 40), u32(...matrix), content.subarray(76)]),
  );

/** With a box behind those in the first track's sample entry. */
const withEntryBox = (file: Buffer, extra: Buffer) =>
  editBox(file, inTable("stsd"), (content) => {
    const entry = content.subarray(8);
    const rest = Buffer.concat([entry.subarray(4), extra]);
    return Buffer.concat([content.subarray(0, 8), u32(rest.length + 4), rest]);
  });

/** Distances of the pictures, run by run, in 1/90000 s. */
const withDistances = (file: Buffer, runs: [number, number][]) =>
  editBox(withoutEdits(file), inTable("stts"), () =>
    Buffer.concat([full, u32(runs.length), ...runs.map((one) => u32(...one))]),
  );

const moreTracks = (file: Buffer, count: number, type: string) =>
  editBox(file, "moov", (movie) => {
    const tracks = boxesOf(movie).filter((one) => one.type === "trak");
    const track = tracks.find(({ bytes }) => bytes.includes(type));
    if (!track) throw new RangeError(`no track ${type}`);
    return Buffer.concat([movie, ...Array.from({ length: count }, () => track.bytes)]);
  });

const reference = (file: Buffer, entry: Buffer) =>
  editBox(file, `${media}/minf/dinf/dref`, () => Buffer.concat([full, u32(1), entry]));

/** How a table ends that claims more than there is. */
const claims = {
  stts: beyondReason,
  ctts: unreadable,
  stsz: unreadable,
  stss: unreadable,
  stsc: unreadable,
  stco: unreadable,
};

export const hostileMp4: HostileFile[] = [
  { name: "1,000 tracks of pictures", make: (file) => moreTracks(file, 1000, "vide"), ends: beyondReason },
  { name: "1,000 tracks of sound", make: (file) => moreTracks(file, 1000, "soun"), ends: beyondReason },
  ...(Object.keys(claims) as (keyof typeof claims)[]).map(
    (type): HostileFile => ({
      name: `4,294,967,295 entries in ${type}, and no bytes behind`,
      make: (file) =>
        editBox(file, inTable(type), (content) =>
          type === "stsz"
            ? Buffer.concat([full, u32(0, all)])
            : Buffer.concat([full, u32(all), content.subarray(8, 12)]),
        ),
      ends: claims[type],
    }),
  ),
  {
    name: "an index without most of the pictures",
    make: (file) =>
      editBox(file, inTable("stco"), (content) => Buffer.concat([full, u32(20), content.subarray(8, 88)])),
    ends: /^Only 21 of 75 pictures can be found: the file's index is damaged/,
  },
  {
    name: "4,294,967,295 samples of one size",
    make: (file) => editBox(file, inTable("stsz"), () => Buffer.concat([full, u32(1, all)])),
    ends: noPicture,
  },
  {
    name: "4,294,967,295 samples of no bytes, in one chunk",
    make: (file) =>
      oneChunk(
        withDistances(
          editBox(file, inTable("stsz"), () => Buffer.concat([full, u32(0, all)])),
          [[all, 1]],
        ),
        all,
      ),
    ends: unreadable,
  },
  {
    name: "a million packets of one byte",
    make: (file) =>
      oneChunk(
        withDistances(
          editBox(file, inTable("stsz"), () => Buffer.concat([full, u32(1, 1_000_000)])),
          [[1_000_000, 3600]],
        ),
        1_000_000,
      ),
    ends: noPicture,
  },
  { name: "a box of 2^63 bytes around the index", make: (file) => around(file, 1n << 63n), ends: frames },
  { name: "a box of 2^63 - 1 bytes around the index", make: (file) => around(file, (1n << 63n) - 1n), ends: frames },
  {
    name: "a long box of no bytes",
    make: (file) => Buffer.concat([box("ftyp", Buffer.from("isom")), u32(1), Buffer.from("moov"), u64(0n), file]),
    ends: unreadable,
  },
  {
    name: "boxes of length 0 and 1 in the index",
    make: (file) =>
      editBox(file, "moov", (movie) =>
        Buffer.concat([u32(0), Buffer.from("udta"), u32(1), Buffer.from("udta"), movie]),
      ),
    ends: /^This file contains no video track\.$/,
  },
  {
    name: "boxes in boxes, 10,000 deep",
    make: (file) => editBox(file, "moov", (movie) => Buffer.concat([movie, nested(10_000, "udta", box("free"))])),
    ends: unreadable,
  },
  {
    name: "tracks in tracks, 10,000 deep",
    make: (file) => editBox(file, "moov", (movie) => Buffer.concat([nested(10_000, "trak", box("free")), movie])),
    ends: frames,
  },
  {
    name: "a million empty boxes",
    make: (file) =>
      editBox(file, "moov", (movie) =>
        Buffer.concat([movie, Buffer.concat(Array.from({ length: 1_000_000 }, () => box("free")))]),
      ),
    ends: frames,
  },
  {
    name: "an edit list that shows the video 100,000 times",
    make: (file) =>
      withEdits(
        file,
        Array.from({ length: 100_000 }, () => [3000, 0]),
      ),
    ends: tooCostly,
  },
  {
    name: "an edit list of 1,000,000 moments",
    make: (file) =>
      withEdits(
        file,
        Array.from({ length: 1_000_000 }, (_, index) => [1, (index * 7919 * 90) % 270_000]),
      ),
    ends: tooCostly,
  },
  {
    name: "an edit list that begins after 24 days",
    make: (file) =>
      withEdits(file, [
        [2 ** 31, -1],
        [3000, 0],
      ]),
    ends: noPicture,
  },
  { name: "an edit list that shows nothing", make: (file) => withEdits(file, [[3000, 2 ** 31 - 1]]), ends: noPicture },
  {
    name: "a timescale of 0",
    make: (file) => withTimescale(file, 0),
    ends: /^The video says that it is 7\d hours long/,
  },
  {
    name: "a negative timescale",
    make: (file) => withTimescale(file, -90_000),
    ends: /^The video says that it is 7\d hours long/,
  },
  {
    name: "a timescale of 1",
    make: (file) => withTimescale(file, 1),
    ends: /^The video says that it is 7\d hours long/,
  },
  {
    name: "a timescale of 2^31 - 1",
    make: (file) => withTimescale(file, 2 ** 31 - 1),
    ends: /^The video has 596523 pictures a second/,
  },
  {
    name: "pictures that take no time",
    make: (file) => withDistances(file, [[frames, 0]]),
    ends: /^The video has \d+ pictures a second/,
  },
  {
    name: "pictures that go back in time",
    make: (file) =>
      withDistances(file, [
        [49, 3600],
        [1, -49 * 3600],
        [25, 3600],
      ]),
    ends: frames,
  },
  {
    name: "pictures that go back and forth",
    make: (file) =>
      withDistances(
        file,
        Array.from({ length: frames }, (_, index) => [1, index % 2 ? -1800 : 3600 * 3]),
      ),
    ends: frames,
  },
  {
    name: "pictures that jump by hours",
    make: (file) =>
      withDistances(file, [
        [40, 3600],
        [1, 90_000 * 3600 * 3],
        [34, 3600],
      ]),
    ends: frames,
  },
  {
    name: "pictures that jump by hours, many times",
    make: (file) =>
      withDistances(file, [
        [40, 3600],
        [35, 90_000 * 3600],
      ]),
    ends: /^The video says that it is 35 hours long/,
  },
  {
    name: "a last picture for 6 hours",
    make: (file) =>
      withDistances(file, [
        [74, 3600],
        [1, 90_000 * 3600 * 6],
      ]),
    ends: frames,
  },
  {
    name: "a first picture for 6 hours",
    make: (file) =>
      withDistances(file, [
        [1, 90_000 * 3600 * 6],
        [74, 3600],
      ]),
    ends: frames,
  },
  {
    name: "presentation times that are far from decode times",
    make: (file) => editBox(withoutEdits(file), inTable("ctts"), () => run(frames, 2 ** 31 - 1)),
    ends: frames,
  },
  {
    name: "presentation times at random",
    make: (file) =>
      editBox(withoutEdits(file), inTable("ctts"), () =>
        Buffer.concat([
          full,
          u32(frames),
          ...Array.from({ length: frames }, (_, index) => u32(1, (index * 2_654_435_761) >>> 4)),
        ]),
      ),
    ends: /./,
  },
  {
    name: "pixels 2^31 times as wide as high",
    make: (file) => withEntryBox(file, box("pasp", u32(2 ** 31 - 1, 1))),
    ends: frames,
  },
  {
    name: "pixels 1,000 times as high as wide",
    make: (file) => withEntryBox(file, box("pasp", u32(1, 1000))),
    ends: frames,
  },
  {
    name: "a clean aperture of less than nothing",
    make: (file) => withEntryBox(file, box("clap", u32(-5, 0, all, 1, 0, 0, 1, 0))),
    ends: frames,
  },
  { name: "a matrix of zeros", make: (file) => withMatrix(file, Array(9).fill(0)), ends: frames },
  {
    name: "a matrix of the largest numbers",
    make: (file) => withMatrix(file, Array(9).fill(2 ** 31 - 1)),
    ends: frames,
  },
  {
    name: "a turn by 33 degrees",
    make: (file) => withMatrix(file, [54_963, 35_694, 0, -35_694, 54_963, 0, 0, 0, 2 ** 30]),
    ends: frames,
  },
  {
    name: "pictures said to be in a text",
    make: (file) =>
      editBox(file, `${media}/hdlr`, (content) =>
        Buffer.concat([content.subarray(0, 8), Buffer.from("text"), content.subarray(12)]),
      ),
    ends: frames,
  },
  { name: "sound of 4,294,967,295 Hz in 65,535 channels", make: (file) => loudest(file), ends: frames },
  {
    name: "sound whose packets last for hours",
    make: (file) => editBox(withoutEdits(file), "moov/trak[1]/mdia/minf/stbl/stts", () => run(142, 48_000 * 3600)),
    ends: /^The sound says that it is 14\d hours long/,
  },
  {
    name: "sound that begins after 20 hours",
    make: (file) =>
      editBox(file, "moov/trak[1]", (track) =>
        Buffer.concat(
          boxesOf(track).flatMap((one) =>
            one.type === "edts"
              ? []
              : one.type === "tkhd"
                ? [
                    one.bytes,
                    edits([
                      [72_000_000, -1],
                      [3000, 0],
                    ]),
                  ]
                : [one.bytes],
          ),
        ),
      ),
    ends: frames,
  },
  {
    name: "a parameter set of 65,535 bytes",
    make: (file) =>
      editBox(file, inTable("stsd"), (content) => {
        const at = content.indexOf("avcC");
        const changed = Buffer.from(content);
        changed.writeUInt16BE(65_535, at + 10);
        return changed;
      }),
    ends: noPicture,
  },
  {
    name: "many sample descriptions",
    make: (file) =>
      editBox(file, inTable("stsd"), (content) =>
        Buffer.concat([full, u32(100_000), ...Array.from({ length: 10_000 }, () => content.subarray(8))]),
      ),
    ends: unreadable,
  },
];

function around(file: Buffer, length: bigint): Buffer {
  const boxes = boxesOf(file);
  return Buffer.concat(
    boxes.map((one) =>
      one.type === "moov"
        ? Buffer.concat([u32(1), Buffer.from("moov"), u64(length), one.bytes.subarray(8)])
        : one.bytes,
    ),
  );
}

function loudest(file: Buffer): Buffer {
  const table = "moov/trak[1]/mdia/minf/stbl/stsd";
  return editBox(file, table, () => {
    const description = box("twos", Buffer.alloc(6), u16(1, 0, 0, 0, 0, 65_535, 32, 0, 0), u32(all));
    return Buffer.concat([full, u32(1), description]);
  });
}

/** Tracks whose data are said to be elsewhere, at this address. */
export const referring = (file: Buffer, address: string): Buffer[] => [
  reference(file, box("url ", full, Buffer.from(`${address}\0`))),
  reference(file, box("urn ", full, Buffer.from(`name\0${address}\0`))),
  ...[0, 1].map((levels) => reference(file, box("alis", full, alias(address, levels)))),
  // QuickTime's reference movie (rmra): the whole film is elsewhere.
  Buffer.concat([
    box("ftyp", Buffer.from("qt  ")),
    box(
      "moov",
      box(
        "rmra",
        box("rmda", box("rdrf", full, Buffer.from("url "), u32(address.length + 1), Buffer.from(`${address}\0`))),
      ),
    ),
  ]),
];

/** A Macintosh alias record, as far as FFmpeg reads it: a volume, a file name, how many folders up it is (0: by the path alone), and the path as one of its records (type 2). */
function alias(path: string, levels: number): Buffer {
  const name = path.split("/").at(-1) ?? "";
  const volume = Buffer.alloc(28);
  volume[0] = 1;
  const file = Buffer.alloc(64);
  file[0] = name.length;
  file.write(name, 1, "latin1");
  const even = path.length % 2 ? `${path}\0` : path;
  return Buffer.concat([
    Buffer.alloc(10),
    volume,
    Buffer.alloc(12),
    file,
    Buffer.alloc(16),
    u16(levels, levels),
    Buffer.alloc(16),
    u16(2, even.length),
    Buffer.from(even),
    u16(65_535, 0),
  ]);
}
