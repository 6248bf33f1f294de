/** The page that plays a video: what it consists of, and where a server finds it. */
export { missingPage, playerPage, playerPagePolicy } from "./player-page.ts";
export { playerRoute } from "./player-route.ts";
export type { TrackStatus, VideoStatus } from "./video-status.ts";
