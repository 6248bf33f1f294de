import type { Migration } from "@kinora/database";

/** People take turns at light work as well, by a clock of its own. It begins where the other one is: places of light work were on that until now. */
export const lightTurns: Migration = {
  name: "0011_light_turns",
  sql: `
    ALTER TABLE fair_shares ADD COLUMN light_finish double precision NOT NULL DEFAULT 0;
    ALTER TABLE fair_clock ADD COLUMN light_reached double precision NOT NULL DEFAULT 0;
    UPDATE fair_clock SET light_reached = reached;
  `,
};
