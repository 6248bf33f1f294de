import { runMain } from "@kinora/service";
import { startEncoderWorker } from "./start.ts";

await runMain({ name: "encoder-worker", start: startEncoderWorker });
