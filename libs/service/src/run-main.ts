/** A program. */
export type Program = {
  name: string;
  /** Starts everything; `signal` aborts when the process is asked to end while it still starts. */
  start(context: { env: NodeJS.ProcessEnv; signal: AbortSignal }): Promise<{ close(): Promise<void> }>;
};

/** Runs a program until a signal ends it. Only `main.ts` calls this. */
export function runMain(_program: Program): Promise<void> {
  throw new Error("not there yet");
}
