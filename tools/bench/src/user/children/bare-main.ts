import { availableParallelism } from "node:os";
import { hash, verify } from "@node-rs/argon2";
import pg from "pg";
import { answerParent, childParameters } from "../../harness/child.ts";
import { type Closed, closedLoop } from "../closed-loop.ts";

/** The database and whom to look up there. */
export type BareParameters = { databaseUrl: string; id: string };

const { databaseUrl, id } = await childParameters<BareParameters>();
const pool = new pg.Pool({ connectionString: databaseUrl, max: 10, options: "-c search_path=user" });
// The service's own statement (libs/user/src/account/account.store.ts).
const statement = `select id, email, name, coalesce(to_char(birth_date, 'YYYY-MM-DD'), '') as "birthDate", role,
  create_time as "createTime", update_time as "updateTime", email_verify_time as "emailVerifyTime", disable_time as "disableTime"
  from users where id = $1`;
// As the service hashes (libs/user/src/password/password-hasher.ts).
const parameters = { algorithm: 2, memoryCost: 65_536, timeCost: 3, parallelism: 1 } as const;
const phc = hash("a password of the usual length", parameters);

answerParent({
  query: (how: Closed) => closedLoop(how, () => pool.query(statement, [id])),
  argon2: async ({ milliseconds }: Closed) => {
    const known = await phc;
    return closedLoop({ inFlight: availableParallelism(), milliseconds }, () =>
      verify(known, "a password of the usual length"),
    );
  },
});
