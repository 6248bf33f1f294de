/** Runs the user service as a process of its own. */
export { startUser } from "./start.ts";
