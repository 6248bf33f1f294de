/** Runs the encoding worker as a process of its own. */
export { startEncoderWorker } from "./start.ts";
