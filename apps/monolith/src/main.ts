import { runMain } from "@kinora/service";
import { startMonolith } from "./start.ts";

await runMain({ name: "kinora", start: startMonolith });
