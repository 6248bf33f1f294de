import { runMain } from "@kinora/service";
import { migrateUser } from "./migrate.ts";
import { startUser } from "./start.ts";

await runMain({ name: "user", start: process.argv.includes("--migrate") ? migrateUser : startUser });
