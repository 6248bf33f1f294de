/** How a stream's playlists are written; everything has a default, for a whole stream. */
export type StreamOptions = {
  /** Folder of the stream's files, such as `v2/`, relative to the playlist; empty if they lie beside it. */
  base?: string | undefined;
  /** Set while the stream grows: its playlists say that more will come. */
  growing?: Growing | undefined;
  /** At least this EXT-X-TARGETDURATION, in seconds: it must not change while a playlist grows. */
  targetSeconds?: number | undefined;
};

/** What a growing stream's playlists must know. */
export type Growing = {
  /** When everything that is listed has become available, for DASH: any time that is long enough ago, and the same in each version of the manifest. */
  availableSince: Date;
  /** The highest bit rate that each rendition is allowed, in bits per second, by its name: nobody can measure what is to come. */
  maxBitrates: ReadonlyMap<string, number>;
};
