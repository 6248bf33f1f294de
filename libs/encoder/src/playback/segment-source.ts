import type { Storage } from "@kinora/storage";

/**
 * Where players get segments and pictures: `encoder`, through this service; `storage`, by a redirect to a signed address of the S3 server; or below an address
 * such as `https://cdn.example.org`, behind which the bucket is. Playlists come from this service in any case: they are small, and they grow.
 */
export type PlaybackFrom = "encoder" | "storage" | { url: string };

/** PLAYBACK_FROM as a setting of a process. */
export const playbackFrom = {
  expected: "encoder, storage, or an address such as https://cdn.example.org",
  parse(text: string): PlaybackFrom | undefined {
    if (text === "encoder" || text === "storage") return text;
    const url = URL.parse(text);
    const right =
      url !== null && /^https?:$/.test(url.protocol) && url.search === "" && url.hash === "" && !url.username;
    return right ? { url: text.replace(/\/+$/, "") } : undefined;
  },
};

/** Where else a player gets an object, and for how many seconds a cache may keep that answer. */
export type Elsewhere = { location: string; keepSeconds: number };

/** Where else a player gets an object; undefined where it comes through this service. */
export type SegmentSource = {
  locate(key: string, contentType: string): Promise<Elsewhere | undefined>;
  /** The origin of all those places, which a page that plays must be allowed to reach. */
  origin?: string;
};

/** A signed address is good for this long, in seconds: longer than anybody pauses between two requests of one segment. */
const signedSeconds = 6 * 3600;
/** An answer that names one may be kept for this long, so that whoever gets it from a cache has time left. */
const keepSignedSeconds = 3600;
/** The same where it was signed with temporary credentials, whose end is its end as well: they are replaced five minutes before that. */
const keepTemporarySeconds = 60;
const keepPlainSeconds = 24 * 3600;

/** @throws {Error} where segments are to come from a storage that players can't reach */
export async function createSegmentSource(storage: Storage, from: PlaybackFrom): Promise<SegmentSource> {
  if (from === "encoder") return { locate: async () => undefined };
  if (storage.kind !== "s3") {
    throw new Error(
      "PLAYBACK_FROM sends players to a bucket, but there is none: set STORAGE_URL, or PLAYBACK_FROM=encoder.",
    );
  }
  const { store } = storage;
  if (from === "storage") {
    const sign = (key: string, contentType?: string) =>
      store.sign(key, { method: "GET", expiresInSeconds: signedSeconds, ...(contentType && { contentType }) });
    return {
      // Only the SDK knows which host it signs for.
      origin: new URL(await sign("any")).origin,
      async locate(key, contentType) {
        const location = await sign(key, contentType);
        const isTemporary = new URL(location).searchParams.has("X-Amz-Security-Token");
        return { location, keepSeconds: isTemporary ? keepTemporarySeconds : keepSignedSeconds };
      },
    };
  }
  return {
    origin: new URL(from.url).origin,
    locate: async (key) => ({ location: `${from.url}/${store.bucketKey(key)}`, keepSeconds: keepPlainSeconds }),
  };
}
