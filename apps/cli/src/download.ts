import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, rmdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { Playback } from "@kinora/proto-encoder";
import { CliError, UsageError } from "./errors.ts";
import { fetchFile } from "./fetch-file.ts";
import { pathOfReference, playlistReferences } from "./stream-files.ts";

const parallel = 6;
const maxPlaylistBytes = 16 * 1024 * 1024;
const maxFiles = 200_000;

/** Refuses a folder that the stream can't be put into: best before anything is sent. */
export async function checkOutFolder(out: string): Promise<void> {
  const parent = dirname(resolve(out));
  if (!(await stat(parent).catch(() => undefined))?.isDirectory()) {
    throw new UsageError(`There is no folder ${parent} to put "${basename(out)}" into.`);
  }
  let names: string[] = [];
  try {
    names = await readdir(out);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOTDIR") throw new UsageError(`${out} is a file. Choose a folder that is empty or doesn't exist.`);
    if (code !== "ENOENT") throw error;
  }
  if (names.length > 0) throw new UsageError(`${out} is not empty. Choose a folder that is empty or doesn't exist.`);
}

/**
 * Brings a finished stream into the folder `out`: the master playlist, the media playlists with everything they refer to, the manifest and the
 * poster. The folder comes into being whole, by a rename; nothing is left when it fails.
 */
export async function downloadStream(options: {
  playback: Pick<Playback, "hlsUrl" | "dashUrl" | "posterUrl">;
  out: string;
  signal: AbortSignal;
  onProgress(progress: { files: number; totalFiles: number; bytes: number }): void;
}): Promise<{ files: number; bytes: number }> {
  const { playback, out, signal, onProgress } = options;
  const target = resolve(out);
  const base = playback.hlsUrl.slice(0, playback.hlsUrl.lastIndexOf("/") + 1);
  const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(4).toString("hex")}`);
  await mkdir(temporary);
  const failed = new AbortController(); // one failure ends the other transfers
  const either = AbortSignal.any([signal, failed.signal]);
  const done = { files: 0, bytes: 0 };

  /** Fetches one file of the stream; `path` is below its folder. */
  async function bring(path: string): Promise<string> {
    const file = join(temporary, path);
    await mkdir(dirname(file), { recursive: true });
    const bytes = await fetchFile(base + path, file, either);
    done.bytes += bytes; // not `+= await`: that would add to what was there before the wait
    done.files++;
    return file;
  }

  try {
    const below = (url: string) => (url.startsWith(base) ? [pathOfReference("", url.slice(base.length))] : []);
    const playlists = new Set(below(playback.hlsUrl));
    const files = new Set([...below(playback.dashUrl), ...below(playback.posterUrl)]);
    // The set grows while it is walked: the master playlist refers to media playlists.
    for (const playlist of playlists) {
      const file = await bring(playlist);
      if ((await stat(file)).size > maxPlaylistBytes) throw new CliError("A playlist of the stream is far too long.");
      for (const { uri, kind } of playlistReferences(await readFile(file, "utf8"))) {
        (kind === "playlist" ? playlists : files).add(pathOfReference(playlist, uri));
      }
      if (files.size + playlists.size > maxFiles) throw new CliError(`The stream has more than ${maxFiles} files.`);
    }
    const totalFiles = playlists.size + files.size;
    const queue = files.values();
    const worker = async () => {
      for (const path of queue) {
        await bring(path);
        onProgress({ files: done.files, totalFiles, bytes: done.bytes });
      }
    };
    await Promise.all(Array.from({ length: parallel }, () => worker().catch((error) => failed.abort(error))));
    either.throwIfAborted();
    await rmdir(target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw new CliError(`${out} isn't empty any more; the stream was not put there.`);
    });
    await rename(temporary, target);
    return done;
  } catch (error) {
    failed.abort(error);
    await rm(temporary, { recursive: true, force: true, maxRetries: 3 });
    throw error;
  }
}
