import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { budgetSettings, createBudget } from "./budget.ts";

describe("createBudget", () => {
  it("never gives out more than its start and a tenth of the successes", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 3000 }), (events) => {
        const budget = createBudget();
        let earned = 0;
        let spent = 0;
        for (const success of events) {
          if (success) {
            budget.earn();
            earned++;
          } else if (budget.spend()) {
            spent++;
          }
          expect(spent).toBeLessThanOrEqual(budgetSettings.first + earned * budgetSettings.perSuccess);
        }
      }),
    );
  });

  it("gives back a retry after ten successes, exactly", () => {
    const budget = createBudget({ first: 0, perSuccess: 0.1, most: 2 });
    for (let i = 0; i < 9; i++) {
      budget.earn();
    }
    expect(budget.spend()).toBe(false);
    budget.earn();
    expect(budget.spend()).toBe(true);
    expect(budget.spend()).toBe(false);
  });

  it("saves up to its limit", () => {
    const budget = createBudget({ first: 1, perSuccess: 0.1, most: 2 });
    for (let i = 0; i < 1000; i++) {
      budget.earn();
    }
    expect([budget.spend(), budget.spend(), budget.spend()]).toEqual([true, true, false]);
  });
});
