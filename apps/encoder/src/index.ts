/** Runs the encoder service as a process of its own. */
export { startEncoder } from "./start.ts";
