/** What people can be told of. */
export const eventTypes = [
  "video.uploaded",
  "video.deleted",
  "encode.started",
  "encode.playable",
  "encode.replanned",
  "encode.succeeded",
  "encode.failed",
  "encode.cancelled",
] as const;

/** A kind of event. */
export type EventType = (typeof eventTypes)[number];

/** Something that happened to a video of somebody. */
export type WebhookEvent = {
  type: EventType;
  ownerId: string;
  videoId: string;
  encodeId?: string;
  /** More of it, such as the name of a video or why an encode failed. */
  data?: Readonly<Record<string, string | number>>;
};

/** An event as it is stored for its receivers. */
export type StoredEvent = { eventId: string; type: string; happenedAt: Date; data: Record<string, unknown> };

/** The body of an event's request. Addresses of playback are added where there is something to play. */
export function eventBody(event: StoredEvent, publicUrl: string): string {
  const { videoId, encodeId } = event.data as { videoId?: string; encodeId?: string };
  const plays = event.type === "encode.playable" || event.type === "encode.succeeded";
  const stream = `${publicUrl}/videos/${videoId}/${encodeId}`;
  return JSON.stringify({
    type: event.type,
    timestamp: event.happenedAt.toISOString(),
    data: {
      ...event.data,
      ...(plays && {
        hlsUrl: `${stream}/master.m3u8`,
        dashUrl: `${stream}/manifest.mpd`,
        pageUrl: `${publicUrl}/videos/${videoId}`,
      }),
    },
  });
}
