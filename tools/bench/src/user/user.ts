import type { Benchmark } from "../harness/benchmark.ts";
import { load } from "./parts/load.ts";
import { start } from "./parts/start.ts";
import { verify } from "./parts/verify.ts";

/** What identity costs: `npm run bench -- user`. */
export const user: Benchmark = {
  name: "user",
  about: "the user service: its start and memory, tokens, GetUser against bare pg, logins against bare argon2",
  parts: [verify, start, load],
};
