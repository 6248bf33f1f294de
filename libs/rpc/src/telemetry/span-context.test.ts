import { type Context, createContextKey, INVALID_SPAN_CONTEXT, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import fc from "fast-check";
import { expect, it } from "vitest";
import { contextWithSpan } from "./span-context.ts";

const keys = ["a", "b", "c"].map((name) => createContextKey(name));

it("is a context like those that the API makes", () => {
  const span = () => trace.wrapSpanContext({ ...INVALID_SPAN_CONTEXT });
  const step = fc.oneof(
    fc.record({ set: fc.nat(2), value: fc.nat() }),
    fc.record({ remove: fc.nat(2) }),
    fc.constantFrom("set span", "remove span"),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const first = span();
      let ours: Context = contextWithSpan(ROOT_CONTEXT, first);
      let theirs: Context = trace.setSpan(ROOT_CONTEXT, first);
      for (const step of steps) {
        const before = [ours, theirs].map(valuesOf);
        const next = span();
        const apply = (context: Context, setSpan: typeof contextWithSpan) => {
          if (step === "set span") return setSpan(context, next);
          if (step === "remove span") return trace.deleteSpan(context);
          if ("set" in step) return context.setValue(keys[step.set] ?? Symbol(), step.value);
          return context.deleteValue(keys[step.remove] ?? Symbol());
        };
        const [ourNext, theirNext] = [apply(ours, contextWithSpan), apply(theirs, trace.setSpan)];
        expect(valuesOf(ourNext)).toEqual(valuesOf(theirNext));
        // Contexts don't change.
        expect([ours, theirs].map(valuesOf)).toEqual(before);
        [ours, theirs] = [ourNext, theirNext];
      }
    }),
  );
});

function valuesOf(context: Context): unknown[] {
  return [trace.getSpan(context), ...keys.map((key) => context.getValue(key))];
}
