import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

/** The repository's root folder. */
export const repositoryRoot = resolve(import.meta.dirname, "../../..");

/** The sample video that ships with the project: an excerpt of Sintel's trailer. */
export const sampleVideo = join(repositoryRoot, "samples/sintel-trailer.mp4");

/** The real videos of `../shared/media` beside the repository, or the shipped sample on a machine that has none. */
export function realVideos(): string[] {
  const folder = resolve(repositoryRoot, "../shared/media");
  const videos = ["sintel_trailer-720p.mp4", "movie-hello-720p.mp4"].map((name) => join(folder, name));
  const found = videos.filter((path) => existsSync(path));
  return found.length > 0 ? found : [sampleVideo];
}
