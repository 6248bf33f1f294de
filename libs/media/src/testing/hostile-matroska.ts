/** Matroska files that lie. The sound base is 75 pictures in 3 s, each a key frame, and sound. */
import { editSegment, element, elementsOf, endless, ids, unsigned } from "./elements.ts";
import { frames, type HostileFile, noPicture, unreadable } from "./hostile-files.ts";

const text = (value: string) => Buffer.from(value);

/** With more elements before the first cluster. */
const withElements = (file: Buffer, ...extra: Buffer[]) =>
  editSegment(file, (elements) => {
    const first = elements.findIndex(({ id }) => id === ids.cluster);
    const all = elements.map(({ id, content }) => element(id, content));
    return [...all.slice(0, first), ...extra, ...all.slice(first)];
  });

/** With more tracks. */
const withTracks = (file: Buffer, count: number, track: (number: number) => Buffer) =>
  editSegment(file, (elements) =>
    elements.map(({ id, content }) =>
      element(id, content, ...(id === ids.tracks ? Array.from({ length: count }, (_, index) => track(index + 3)) : [])),
    ),
  );

const subtitles = (number: number) =>
  element(
    ids.track,
    element("d7", unsigned(number)),
    element("73c5", unsigned(number)),
    element("83", unsigned(17)),
    element("86", text("S_TEXT/UTF8")),
  );

const nested = (depth: number, id: string, inner: Buffer): Buffer => {
  const headers: Buffer[] = [];
  let length = inner.length;
  for (let level = 0; level < depth; level++) {
    const header = element(id, Buffer.alloc(0)).subarray(0, id.length / 2 + 8);
    header.writeBigUInt64BE(BigInt(length) | (1n << 56n), id.length / 2);
    headers.unshift(header);
    length += header.length;
  }
  return Buffer.concat([...headers, inner]);
};

/** Changes the time of each cluster, in units of 1 ms. */
const withTimes = (file: Buffer, time: (index: number, now: number) => number) => {
  let index = 0;
  return editSegment(file, (elements) =>
    elements.map(({ id, content }) =>
      id !== ids.cluster
        ? element(id, content)
        : element(
            id,
            ...elementsOf(content).map((one) =>
              one.id === "e7"
                ? element("e7", unsigned(time(index++, Number(`0x${one.content.toString("hex")}`))))
                : element(one.id, one.content),
            ),
          ),
    ),
  );
};

/** Changes the tracks' own elements. */
const withTrackElements = (file: Buffer, change: (elements: { id: string; content: Buffer }[]) => Buffer[]) =>
  editSegment(file, (elements) =>
    elements.map(({ id, content }) =>
      id !== ids.tracks
        ? element(id, content)
        : element(
            id,
            // Without the checksum, which has no elements in it.
            ...elementsOf(content)
              .filter((child) => child.id === ids.track)
              .map((track) => element(track.id, ...change(elementsOf(track.content)))),
          ),
    ),
  );

const same = ({ id, content }: { id: string; content: Buffer }) => element(id, content);

/** With links to parts in other files (RFC 9559, 17): the one before, the one behind, and an edition whose chapter is elsewhere. Players are meant to look for these. */
export const linkedParts = (file: Buffer, name: string) =>
  editSegment(file, (elements) =>
    elements.flatMap(({ id, content }) => {
      if (id !== ids.info) return [element(id, content)];
      const other = Buffer.alloc(16, 7);
      const chapter = element("b6", element("73c4", unsigned(1)), element("91", unsigned(0)), element("6e67", other));
      return [
        element(
          id,
          content,
          element("3cb923", other),
          element("3c83ab", text(name)),
          element("3eb923", other),
          element("3e83bb", text(name)),
        ),
        element(ids.chapters, element("45b9", element("45dd", unsigned(1)), chapter)),
      ];
    }),
  );

/** With fonts whose names lead out of the folder. */
const withAttachments = (file: Buffer, count: number) =>
  withElements(
    file,
    element(
      ids.attachments,
      ...Array.from({ length: count }, (_, index) =>
        element(
          "61a7",
          element("466e", text(`../../etc/${index}.ttf`)),
          element("4660", text("font/ttf")),
          element("465c", Buffer.alloc(100)),
          element("46ae", unsigned(index + 1)),
        ),
      ),
    ),
  );

export const hostileMatroska: HostileFile[] = [
  { name: "1,000 tracks of subtitles", make: (file) => withTracks(file, 1000, subtitles), ends: frames },
  { name: "50 tracks of subtitles", make: (file) => withTracks(file, 50, subtitles), ends: frames },
  { name: "5,000 attachments", make: (file) => withAttachments(file, 5000), ends: frames },
  { name: "30 attachments", make: (file) => withAttachments(file, 30), ends: frames },
  {
    name: "tags in tags, 10,000 deep",
    make: (file) =>
      withElements(file, element(ids.tags, element("7373", nested(10_000, "67c8", element("45a3", text("A")))))),
    ends: frames,
  },
  {
    name: "chapters in chapters, 10,000 deep",
    make: (file) =>
      withElements(file, element(ids.chapters, element("45b9", nested(10_000, "b6", element("73c4", unsigned(1)))))),
    ends: frames,
  },
  {
    name: "unknown elements in each other, 100,000 deep",
    make: (file) => withElements(file, nested(100_000, "4321", Buffer.alloc(0))),
    ends: frames,
  },
  {
    name: "a million empty elements",
    make: (file) =>
      withElements(file, Buffer.concat(Array.from({ length: 1_000_000 }, () => Buffer.from("ec80", "hex")))),
    ends: frames,
  },
  {
    name: "lengths that are not told",
    make: (file) =>
      editSegment(
        file,
        (elements) =>
          elements.map(({ id, content }) => (id === ids.cluster ? endless(id, content) : element(id, content))),
        endless,
      ),
    ends: frames,
  },
  {
    name: "an element of 2^56 - 2 bytes",
    make: (file) => withElements(file, Buffer.from("4321", "hex"), Buffer.from("01fffffffffffffe", "hex")),
    ends: frames,
  },
  {
    name: "times that jump by minutes",
    make: (file) => withTimes(file, (index, now) => now + index * 300_000),
    ends: frames,
  },
  {
    name: "times that go back",
    make: (file) => withTimes(file, (_, now) => (now < 2000 ? now + 10_000 : now)),
    ends: /^The times of this file go back: \d+ of its 75 pictures/,
  },
  { name: "times near 2^63", make: (file) => withTimes(file, (_, now) => 2 ** 52 + now), ends: frames },
  { name: "a timestamp scale of 0", make: (file) => withScale(file, 0n), ends: frames },
  {
    name: "a timestamp scale of 1",
    make: (file) => withScale(file, 1n),
    ends: /^The video has 1875 pictures a second/,
  },
  { name: "a timestamp scale of 2^63", make: (file) => withScale(file, 1n << 63n), ends: unreadable },
  {
    name: "a length of 10^300 s",
    make: (file) =>
      editSegment(file, (elements) =>
        elements.map((one) =>
          one.id === ids.info
            ? element(
                one.id,
                ...elementsOf(one.content).map((part) =>
                  part.id === "4489" ? element("4489", double(1e300)) : same(part),
                ),
              )
            : same(one),
        ),
      ),
    ends: frames,
  },
  {
    name: "a frame duration of 1 ns",
    make: (file) => withTrackElements(file, (elements) => [...elements.map(same), element("23e383", unsigned(1))]),
    ends: /^The video has 30000 pictures a second/,
  },
  {
    name: "a display size of 2^32 - 1",
    make: (file) =>
      withTrackElements(file, (elements) =>
        elements.map((one) =>
          one.id === "e0"
            ? element("e0", one.content, element("54b0", unsigned(2 ** 32 - 1)), element("54ba", unsigned(1)))
            : same(one),
        ),
      ),
    ends: frames,
  },
  {
    name: "a crop that leaves nothing",
    make: (file) =>
      withTrackElements(file, (elements) =>
        elements.map((one) =>
          one.id === "e0"
            ? element("e0", one.content, element("54bb", unsigned(2000)), element("54aa", unsigned(2000)))
            : same(one),
        ),
      ),
    ends: unreadable,
  },
  {
    name: "an encoding by zlib of what isn't",
    make: (file) =>
      withTrackElements(file, (elements) => [
        ...elements.map(same),
        element("6d80", element("6240", element("5034", element("4254", unsigned(0))))),
      ]),
    ends: noPicture,
  },
  {
    name: "encryption",
    make: (file) =>
      withTrackElements(file, (elements) => [
        ...elements.map(same),
        element("6d80", element("6240", element("5033", unsigned(1)), element("5035", element("47e1", unsigned(5))))),
      ]),
    ends: frames,
  },
  {
    name: "a track of the same number twice",
    make: (file) =>
      editSegment(file, (elements) =>
        elements.map((one) => (one.id === ids.tracks ? element(one.id, one.content, one.content) : same(one))),
      ),
    ends: frames,
  },
];

const double = (value: number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
};

const withScale = (file: Buffer, scale: bigint) =>
  editSegment(file, (elements) =>
    elements.map((one) =>
      one.id === ids.info
        ? element(
            one.id,
            ...elementsOf(one.content).map((part) =>
              part.id === "2ad7b1" ? element("2ad7b1", unsigned(scale)) : same(part),
            ),
          )
        : same(one),
    ),
  );
