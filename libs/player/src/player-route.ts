import type { HttpRoute } from "@kinora/rpc";
import { filesRoute } from "@kinora/service";

/** Where the page finds its files. */
export const playerFolder = "/player/";

/** The page's files. Browsers run them as they are: there is no build. Addresses stand here in full, since bundles find the files by them. */
const files: ReadonlyMap<string, string> = new Map([
  ["hls.js", import.meta.resolve("hls.js/dist/hls.min.js")],
  ["player.css", new URL("./browser/player.css", import.meta.url).href],
  ["main.js", new URL("./browser/main.js", import.meta.url).href],
  ["controls.js", new URL("./browser/controls.js", import.meta.url).href],
  ["notice.js", new URL("./browser/notice.js", import.meta.url).href],
  ["pace.js", new URL("./browser/pace.js", import.meta.url).href],
  ["status.js", new URL("./browser/status.js", import.meta.url).href],
  ["storyboard.js", new URL("./browser/storyboard.js", import.meta.url).href],
  ["stream.js", new URL("./browser/stream.js", import.meta.url).href],
  ["time.js", new URL("./browser/time.js", import.meta.url).href],
]);

/** Serves the page's files. */
export function playerRoute(): HttpRoute {
  return filesRoute({ folder: playerFolder, files, keepSeconds: { "hls.js": 86_400 } });
}
