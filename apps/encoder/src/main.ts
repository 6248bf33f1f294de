import { runMain } from "@kinora/service";
import { startEncoder } from "./start.ts";

await runMain({ name: "encoder", start: startEncoder });
