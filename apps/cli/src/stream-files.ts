/** What an HLS playlist refers to, by its own relative address. */
export type Reference = { uri: string; kind: "playlist" | "file" };

/**
 * Lists what a playlist (RFC 8216) refers to: lines that aren't tags, and the URI attribute of tags (renditions, initialisation segments,
 * keys, I-frame playlists), each once.
 */
export function playlistReferences(text: string): Reference[] {
  if (!text.startsWith("#EXTM3U")) throw new Error("This is no HLS playlist.");
  const uris = new Set<string>();
  for (const line of text.split(/\r?\n/).map((raw) => raw.trim())) {
    if (line.startsWith("#EXT")) {
      const uri = /[:,]URI="([^"]*)"/.exec(line)?.[1];
      if (uri) uris.add(uri);
    } else if (line !== "" && !line.startsWith("#")) {
      uris.add(line);
    }
  }
  return [...uris].map((uri) => ({ uri, kind: /\.m3u8$/i.test(uri) ? "playlist" : "file" }));
}

/**
 * The path below the stream's folder of what `base` (a path in that folder) refers to as `uri`. Throws for anything that leads out of the
 * folder or to another server: what a server sends must never choose where a file is written.
 */
export function pathOfReference(base: string, uri: string): string {
  const segment = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;
  const folder = base.includes("/") ? base.slice(0, base.lastIndexOf("/") + 1) : "";
  const path = `${folder}${uri}`;
  if (path.length > 500 || !path.split("/").every((part) => segment.test(part))) {
    throw new Error(`The stream refers to "${uri.slice(0, 100)}", which isn't a plain path within it.`);
  }
  return path;
}
