import { context, createContextKey, ROOT_CONTEXT } from "@opentelemetry/api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { currentTrace, remainingMs, runInCall } from "../call/call-scope.ts";
import { startSpan } from "../call/trace.ts";
import { createContextManager } from "./context-manager.ts";

const key = createContextKey("a value");
const valued = (value: unknown) => ROOT_CONTEXT.setValue(key, value);
const current = () => context.active().getValue(key);

describe("the context manager", () => {
  beforeAll(() => void context.setGlobalContextManager(createContextManager()));
  afterAll(() => context.disable());

  it("has the root context where nothing was made active", () => {
    expect(context.active()).toBe(ROOT_CONTEXT);
  });

  it("makes a context active for a function and for all that it starts", async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const returned = context.with(
      valued("outer"),
      function (this: { name: string }, a: number, b: number) {
        setTimeout(() => resolve(current()), 1);
        expect(context.with(valued("inner"), current)).toBe("inner");
        return [this.name, a + b, current()];
      },
      { name: "this" },
      1,
      2,
    );
    expect(returned).toEqual(["this", 3, "outer"]);
    expect(await promise).toBe("outer");
    expect(current()).toBeUndefined();
  });

  it("lets what is thrown pass, and is left all the same", () => {
    const fail = () => {
      throw new Error("thrown");
    };
    expect(() => context.with(valued("failing"), fail)).toThrow("thrown");
    expect(current()).toBeUndefined();
  });

  it("binds functions to a context; leaves everything else as it is", () => {
    const object = { say: context.bind(valued("bound"), (word: string) => `${word} ${current()}`) };
    expect(context.with(valued("other"), () => object.say("is"))).toBe("is bound");
    const emitter = { on() {} };
    expect(context.bind(valued("bound"), emitter)).toBe(emitter);
  });

  it("knows a call's context, and keeps the call within contexts that its code makes active", () => {
    const scope = { trace: startSpan(undefined), deadline: performance.now() + 10_000, ended: false };
    runInCall({ ...scope, context: valued("the call's") }, () => {
      expect(current()).toBe("the call's");
      context.with(valued("own"), () => {
        expect(current()).toBe("own");
        expect(currentTrace()).toBe(scope.trace);
        expect(remainingMs()).toBeGreaterThan(0);
      });
      expect(current()).toBe("the call's");
    });
  });
});
