/** @typedef {{ start: number, end: number, url: string, x: number, y: number, width: number, height: number }} Tile */

const time = String.raw`(?:(\d+):)?(\d\d):(\d\d\.\d{3})`;
const cue = new RegExp(`^${time} --> ${time}[^\\n]*\\n(\\S+)#xywh=(\\d+),(\\d+),(\\d+),(\\d+)$`, "gm");

/**
 * Reads a storyboard: WebVTT whose cues name parts of pictures (`file.jpg#xywh=x,y,width,height`). Anything else in it is passed over.
 * @param {string} vtt
 * @param {string} base the storyboard's own address, which its pictures are relative to
 * @returns {Tile[]}
 */
export function parseStoryboard(vtt, base) {
  return [...vtt.replaceAll("\r\n", "\n").matchAll(cue)].map((match) => {
    const [h1, m1, s1, h2, m2, s2] = match.slice(1, 7).map((part) => Number(part ?? 0));
    const [x, y, width, height] = match.slice(8).map(Number);
    return /** @type {Tile} */ ({
      start: seconds(h1, m1, s1),
      end: seconds(h2, m2, s2),
      url: new URL(match[7] ?? "", base).href,
      x,
      y,
      width,
      height,
    });
  });
}

const seconds = (hours = 0, minutes = 0, rest = 0) => hours * 3600 + minutes * 60 + rest;

/**
 * The picture for a moment; past the end, the last one.
 * @param {readonly Tile[]} tiles
 * @param {number} moment in seconds
 */
export function tileAt(tiles, moment) {
  return tiles.find((tile) => moment < tile.end) ?? tiles.at(-1);
}
