import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A video to measure with. */
export type Source = { name: string; path: string };

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const folder = process.env.BENCH_MEDIA ?? join(root, "../shared/media");

/** The real videos that are at hand: those of `BENCH_MEDIA`, or the excerpt that comes with the project. */
export function realSources(): Source[] {
  const names = ["sintel_trailer-720p.mp4", "movie-hello-720p.mp4"];
  const found = names.map((name) => ({ name, path: join(folder, name) })).filter(({ path }) => existsSync(path));
  return found.length > 0 ? found : [{ name: "the shipped excerpt", path: shipped }];
}

/** A short excerpt, for trying things out. */
const shipped = join(root, "samples/sintel-trailer.mp4");

/** The source for measuring time: the whole video, or only the excerpt in a hurry. */
export function mainSource(quick: boolean): Source {
  const [first] = realSources();
  return quick || !first ? { name: "sample", path: shipped } : first;
}

/** A long video: the source again and again, by stream copy. Needs `ffmpeg`. */
export function loopedSource(source: Source, times: number, target: string): Source {
  const args = [
    "-v",
    "error",
    "-y",
    "-stream_loop",
    String(times - 1),
    "-i",
    source.path,
    "-map",
    "0:v:0",
    "-map",
    "0:a:0",
  ];
  execFileSync("ffmpeg", [...args, "-c", "copy", "-movflags", "+faststart", target]);
  return { name: `${source.name} × ${times}`, path: target };
}
