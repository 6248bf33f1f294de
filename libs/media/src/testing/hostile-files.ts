/** A file made to do harm, from one that is sound. */
export type HostileFile = {
  /** What is wrong with it. */
  name: string;
  make: (sound: Buffer) => Buffer;
  /** How it ends: as a stream of so many pictures, or with this sentence. */
  ends: number | RegExp;
};

/** Pictures of a sound file; they last for 3 s. */
export const frames = 75;

/** Sentences for what nobody can make out, and for what has an index but no pictures. */
export const unreadable = /^This file is not a video that Kinora can read: its format is unknown, or it is damaged\.$/;
export const noPicture = /^No picture of this video can be decoded: it is damaged\.$/;
export const beyondReason =
  /^This file can't be read: it has more than 64 tracks, or its index claims more than a video can have\.$/;
export const tooCostly =
  /^This file can't be read: it keeps a computer busy (with more than|for) .* Send the video saved anew by another program\.$/;
