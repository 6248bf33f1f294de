/** The command line, as a function. */
export { type RunContext, run } from "./run.ts";
