/** The part of mpd-parser (which ships no types) that the tests use. */
declare module "mpd-parser" {
  export type Playlist = {
    uri: string;
    attributes: {
      NAME: string;
      BANDWIDTH: number;
      CODECS: string;
      RESOLUTION?: { width: number; height: number };
      "FRAME-RATE"?: number;
    };
    endList: boolean;
    targetDuration: number;
    segments: { uri: string; resolvedUri: string; duration: number; presentationTime: number; map: { uri: string } }[];
  };
  export type Manifest = {
    duration: number;
    playlists: Playlist[];
    mediaGroups: { AUDIO: Record<string, Record<string, { language: string; playlists: Playlist[] }>> };
  };
  export function parse(xml: string, options: { manifestUri: string }): Manifest;
}
