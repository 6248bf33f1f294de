import { createHash } from "node:crypto";
import { missingPage, playerPage, playerPagePolicy } from "@kinora/player";
import type { HttpRequest, HttpResponse, HttpRoute } from "@kinora/rpc";
import { answerText, pathOf, serveObject } from "@kinora/storage";
import type { Context } from "../context.ts";
import { findPlayableStream } from "../store/playable-stream.store.ts";
import { findVideo } from "../store/video.store.ts";
import { type Located, locateFile } from "../stream/locate-file.ts";
import { videoManifest, videoMaster } from "../worker/publish-stream.ts";
import {
  dashType,
  hlsType,
  type PlaybackPath,
  parsePagePath,
  parsePlaybackPath,
  parseStatusPath,
} from "./playback-path.ts";
import { createVideoStatuses } from "./read-video-status.ts";
import type { Elsewhere, SegmentSource } from "./segment-source.ts";

// A stream's own addresses (with the encode's id) never change their content once it is verified, so they may be kept for ever. The video's addresses lead to whichever
// stream is published: kept for seconds only, and asked for again with the entity tag. Master and manifest of the video name the stream's
// own addresses, so a player that has begun one stream stays with it even if another is published meanwhile.
const forEver = "public, max-age=31536000, immutable";
const forSeconds = "public, max-age=5, must-revalidate";
const whileItGrows = "public, max-age=1, must-revalidate";

const rerouted: Readonly<Record<string, string>> = { "master.m3u8": videoMaster, "manifest.mpd": videoManifest };

/**
 * Serves published streams at `/videos/{videoId}/…` and `/videos/{videoId}/{encodeId}/…`, a page that plays them at `/videos/{videoId}`, and what that page tells of a video
 * that isn't whole yet, to anybody who knows the address.
 */
export function playbackRoute(context: Context, segments: SegmentSource): HttpRoute {
  const statuses = createVideoStatuses(context.db);
  return {
    path: "/videos/",
    async handle(request, response) {
      allowEveryOrigin(response);
      if (request.method === "OPTIONS") {
        response.setHeader("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS");
        response.setHeader("Access-Control-Allow-Headers", "Range, If-None-Match, If-Modified-Since, If-Range");
        response.setHeader("Access-Control-Max-Age", 86_400);
        response.statusCode = 204;
        response.end();
        return;
      }
      if (request.method !== "GET" && request.method !== "HEAD") {
        response.setHeader("Allow", "GET, HEAD, OPTIONS");
        return answerText(request, response, 405, "Only GET and HEAD are possible here.");
      }
      const page = parsePagePath(pathOf(request));
      if (page !== undefined) {
        const isThere = (await findVideo(context.db, page.videoId)) !== undefined;
        return answerPage(request, response, isThere ? page.videoId : undefined, playerPagePolicy(segments.origin));
      }
      const asked = parseStatusPath(pathOf(request));
      const status = asked && (await statuses.find(asked.videoId));
      if (status !== undefined) {
        return answerMade(request, response, JSON.stringify(status), "application/json", whileItGrows);
      }
      const path = parsePlaybackPath(pathOf(request));
      const located = path && (await locate(context, path));
      if (path === undefined || located === undefined) {
        response.setHeader("Cache-Control", "no-store");
        return answerText(request, response, 404, "There is no such stream.");
      }
      if ("moved" in located) return answerElsewhere(response, { location: located.moved, keepSeconds: 0 }, false);
      // Until a stream has passed its verification, chunks of it may be made again, or all of it by another encoder.
      const stays = path.versioned && located.final;
      const growing = path.versioned && "text" in located;
      const keep = stays ? forEver : growing ? whileItGrows : forSeconds;
      if ("text" in located) return answerMade(request, response, located.text, path.contentType, keep);
      const elsewhere = isPlaylist(path) ? undefined : await segments.locate(located.key, path.contentType);
      if (elsewhere !== undefined) return answerElsewhere(response, elsewhere, stays);
      await serveObject(context.storage, located.key, request, response, {
        "Content-Type": path.contentType,
        "Cache-Control": keep,
      });
    },
  };
}

/** Playlists come from here in any case: players resolve what they name against the address that they were asked for. */
function isPlaylist({ contentType }: PlaybackPath): boolean {
  return contentType === hlsType || contentType === dashType;
}

/** `stays`: the object at this address will always be the same one. */
function answerElsewhere(response: HttpResponse, { location, keepSeconds }: Elsewhere, stays: boolean): void {
  response.statusCode = 302;
  response.setHeader("Location", location);
  response.setHeader("Cache-Control", stays ? `public, max-age=${keepSeconds}` : forSeconds);
  response.setHeader("Content-Length", 0);
  response.end();
}

/** Answers with a text that was made for whoever asks. */
function answerMade(
  request: HttpRequest,
  response: HttpResponse,
  text: string,
  contentType: string,
  keep: string,
): void {
  const body = Buffer.from(text);
  const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
  response.setHeader("ETag", etag);
  response.setHeader("Cache-Control", keep);
  response.setHeader("X-Content-Type-Options", "nosniff");
  if (request.headers["if-none-match"]?.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag)) {
    response.statusCode = 304;
    response.end();
    return;
  }
  response.statusCode = 200;
  response.setHeader("Content-Type", contentType);
  response.setHeader("Content-Length", body.length);
  response.end(request.method === "HEAD" ? "" : body);
}

/** Answers with a video's page, or with one that says that there is none. */
function answerPage(request: HttpRequest, response: HttpResponse, videoId: string | undefined, policy: string): void {
  const page = videoId === undefined ? missingPage : playerPage(videoId);
  response.statusCode = videoId === undefined ? 404 : 200;
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  response.setHeader("Content-Length", Buffer.byteLength(page));
  response.setHeader("Content-Security-Policy", policy);
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.setHeader("Referrer-Policy", "no-referrer");
  response.setHeader("Cache-Control", videoId === undefined ? "no-store" : forSeconds);
  response.end(request.method === "HEAD" ? "" : page);
}

/** `moved`: where a playlist is now, relative to where it was asked for. */
type Answer = Located | { moved: string };

async function locate(context: Context, path: PlaybackPath): Promise<Answer | undefined> {
  const { videoId, encodeId, edition = 1, file, versioned } = path;
  const stream = await findPlayableStream(context.db, videoId, encodeId);
  if (stream === undefined) return undefined;
  if (!stream.chunked) return { key: stream.prefix + (versioned ? file : (rerouted[file] ?? file)), final: true };
  const current = stream.edition > 1 ? `${stream.edition}/` : "";
  if (versioned && file.includes("/") && edition !== stream.edition) {
    // Whoever has played what was made before goes over by the playlist, and must not get the new files for the old ones.
    const up = edition > 1 ? "../../" : "../";
    return isPlaylist(path) && edition < stream.edition ? { moved: `${up}${current}${file}` } : undefined;
  }
  return await locateFile(context, stream, file, (versioned ? "" : `${stream.encodeId}/`) + current);
}

function allowEveryOrigin(response: HttpResponse): void {
  response.setHeader("Access-Control-Allow-Origin", "*");
  response.setHeader(
    "Access-Control-Expose-Headers",
    "Content-Length, Content-Range, Accept-Ranges, ETag, Last-Modified, Date",
  );
  response.setHeader("Cross-Origin-Resource-Policy", "cross-origin");
}
