import { runMain } from "@kinora/service";
import { migrateEncoder } from "./migrate.ts";
import { startEncoder } from "./start.ts";

await runMain({ name: "encoder", start: process.argv.includes("--migrate") ? migrateEncoder : startEncoder });
