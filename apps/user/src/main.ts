import { runMain } from "@kinora/service";
import { startUser } from "./start.ts";

await runMain({ name: "user", start: startUser });
