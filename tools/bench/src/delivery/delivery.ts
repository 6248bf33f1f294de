import type { Benchmark } from "../harness/benchmark.ts";
import { oneService } from "./one-service.ts";
import { plan } from "./plan.ts";

/** What it costs to have services go out by themselves: `npm run bench -- delivery`. */
export const delivery: Benchmark = {
  name: "delivery",
  about: "the time of a deploy's plan, and of a one-service change through CI against building everything",
  parts: [plan, oneService],
};
