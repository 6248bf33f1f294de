/** Databases for tests. Never part of a service. */
export { faultsOfExpansion } from "../migrations/expansion.ts";
export { openTestDatabase } from "./test-database.ts";
