import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { IncomingReply } from "./incoming-reply.ts";
import type { StreamReader } from "./stream-protocol.ts";

type Waiting<T> = { resolve(result: T): void; reject(error: unknown): void };

/** The messages of a reply, each made when it is asked for. Whoever stops early ends the call. */
export function iterateMessages<D extends DescMessage>(
  desc: D,
  reply: IncomingReply,
  reader: StreamReader,
): AsyncIterableIterator<MessageShape<D>, undefined> {
  type Result = IteratorResult<MessageShape<D>, undefined>;
  const waiting: Waiting<Result>[] = [];
  let done = false;

  /** The next result, if it is here. */
  function poll(): Result | undefined {
    if (done) {
      return { done, value: undefined };
    }
    try {
      for (;;) {
        const envelope = reply.take();
        if (envelope === "later") {
          return undefined;
        }
        if (envelope === "over") {
          done = true;
          reader.finish();
          return { done, value: undefined };
        }
        const value = reader.read(desc, envelope);
        if (value !== undefined) {
          return { done: false, value };
        }
      }
    } catch (error) {
      stop();
      throw error;
    }
  }

  function stop(): void {
    done = true;
    // Whoever stops settles those who wait.
    reply.onChange = () => {};
    reply.cancel();
  }

  /** Settles those who wait for what is here now. */
  function flush(): void {
    while (waiting.length > 0) {
      let result: Result | undefined;
      try {
        result = poll();
      } catch (error) {
        waiting.shift()?.reject(error);
        continue;
      }
      if (result === undefined) {
        return;
      }
      waiting.shift()?.resolve(result);
    }
  }

  reply.onChange = flush;

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next() {
      return new Promise((resolve, reject) => {
        let result: Result | undefined;
        try {
          result = waiting.length === 0 ? poll() : undefined;
        } catch (error) {
          reject(error);
          return;
        }
        if (result === undefined) {
          waiting.push({ resolve, reject });
        } else {
          resolve(result);
        }
      });
    },
    async return() {
      stop();
      flush();
      return { done: true, value: undefined };
    },
    async throw(error) {
      stop();
      flush();
      throw error;
    },
  };
}
