/** Runs all of Kinora in one process. */
export { startMonolith } from "./start.ts";
