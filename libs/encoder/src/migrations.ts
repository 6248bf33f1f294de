import type { Migration } from "@kinora/database";

/** The encoder's tables. The task queue's own (pg-boss) are in the schema `encoder_queue`. */
export const migrations: readonly Migration[] = [];
