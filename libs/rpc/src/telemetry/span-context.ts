import { type Context, type Span, trace } from "@opentelemetry/api";

/** A context in which `span` is the active one, at a fraction of the cost of `trace.setSpan`, which copies the whole context into a new one. */
export function contextWithSpan(parent: Context, span: Span): Context {
  return new SpanContext(parent instanceof SpanContext ? parent.rest : parent, span);
}

class SpanContext implements Context {
  readonly rest: Context;
  readonly #span: unknown;

  constructor(rest: Context, span: unknown) {
    this.rest = rest;
    this.#span = span;
  }

  getValue(key: symbol): unknown {
    return key === spanKey ? this.#span : this.rest.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return key === spanKey
      ? new SpanContext(this.rest, value)
      : new SpanContext(this.rest.setValue(key, value), this.#span);
  }

  deleteValue(key: symbol): Context {
    return key === spanKey ? this.rest.deleteValue(key) : new SpanContext(this.rest.deleteValue(key), this.#span);
  }
}

/** The key under which the API keeps the active span; it doesn't say, so it is watched. */
const spanKey = keyOf((probe) => trace.deleteSpan(probe));

function keyOf(use: (context: Context) => void): symbol {
  let found: symbol | undefined;
  const probe: Context = {
    getValue: () => undefined,
    setValue: () => probe,
    deleteValue(key) {
      found = key;
      return probe;
    },
  };
  use(probe);
  if (found === undefined) {
    throw new Error("@opentelemetry/api no longer keeps the active span in the context; span-context.ts has to follow");
  }
  return found;
}
