import type { Conditions, Outcome, Part } from "../../harness/benchmark.ts";
import { startChild } from "../../harness/child.ts";
import { median } from "../../harness/statistics.ts";
import { formatNumber } from "../../harness/table.ts";
import { atMost } from "../../harness/target.ts";

type Micros = { bare: number; fresh: number; seen: number };

/** What it costs to know who calls. */
export const verify: Part = {
  name: "verify",
  about: "an access token that is new, and one that was seen before, against a bare crypto.verify of its signature",
  async run(conditions: Conditions): Promise<Outcome> {
    const module = import.meta.resolve("../children/verify-main.ts");
    await using child = await startChild({ module, parameters: {}, core: conditions.serverCore });
    const request = conditions.quick ? { tokens: 100, repeats: 1 } : { tokens: 5_000, repeats: 5 };
    const rounds: Micros[] = [];
    for (let round = -1; round < conditions.rounds; round++) {
      conditions.signal.throwIfAborted();
      const micros = await child.ask<Micros>("compare", request);
      if (round >= 0) rounds.push(micros);
    }
    const ratio = (way: keyof Micros) => median(rounds.map((micros) => micros[way] / micros.bare));
    const row = (name: string, way: keyof Micros) => [
      name,
      formatNumber(median(rounds.map((micros) => micros[way]))),
      formatNumber(ratio(way)),
    ];
    conditions.show({
      title: "Verifying an access token",
      columns: ["", "µs", "× bare"],
      rows: [row("crypto.verify", "bare"), row("a new token", "fresh"), row("one seen before", "seen")],
    });
    return {
      results: { rounds },
      targets: [
        atMost("a new access token ÷ crypto.verify", ratio("fresh"), 1.3),
        atMost("an access token seen before ÷ crypto.verify", ratio("seen"), 0.1),
      ],
    };
  },
};
