import { type Context, type ExitCode, namedService } from "./context.ts";

/** `history`: what an environment ran, newest first. */
export async function history(context: Context): Promise<ExitCode> {
  const { records, print } = context;
  const { env, json } = context.arguments.values;
  const { name } = namedService(context);
  const entries = records.numbers(env, name).map((number) => records.get(env, name, number));
  if (json) {
    const shown = entries.map(({ number, recordedAt, hash, commit, image, rollbackTo }) => ({
      number,
      recordedAt,
      hash,
      commit,
      image,
      rollbackTo,
    }));
    print(JSON.stringify(shown));
    return 0;
  }
  if (entries.length === 0) print(`${env} has no record of ${name}.`);
  for (const { number, recordedAt, commit, image, rollbackTo } of entries) {
    const back = rollbackTo === null ? "" : ` (back to ${rollbackTo})`;
    print(`${String(number).padStart(4)}  ${recordedAt}  ${commit.slice(0, 12)}  ${image}${back}`);
  }
  return 0;
}
