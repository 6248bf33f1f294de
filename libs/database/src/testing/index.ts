/** Databases for tests. Never part of a service. */
export { openTestDatabase } from "./test-database.ts";
