import { type Balancer, createLoad, type Load, observeAnswer } from "../client/balancer.ts";
import { createMethodLatency } from "../client/method-latency.ts";

/** A simulated backend. */
export type Backend = { inFlight: number; calls: number; times: number; workers: number[] };

/** What to simulate, in milliseconds of a virtual clock. */
export type Scenario = {
  /** How many times as long each backend takes. Changed by `during` while the simulation runs. */
  slow: readonly number[];
  /** Calls that the client keeps in flight. */
  concurrency: number;
  calls: number;
  /** How many calls a backend works on at a time; others queue. */
  workers: number;
  /** How long a call takes at a healthy backend. */
  service: () => number;
  balancer: Pick<Balancer<Backend>, "pick">;
  /** Called before each call; returns how slow the backends are from now on. */
  during?: (call: number) => readonly number[];
};

/** What came of it: the 99th percentile of all calls' latency, and which part of the calls each backend got. */
export type Simulated = { p99: number; shares: number[]; picks: number[]; mostInFlight: number[] };

/** A closed loop of calls against backends with first-in-first-out queues, without any real time passing. */
export function simulateBackends(scenario: Scenario): Simulated {
  const backends: Backend[] = scenario.slow.map((times) => ({
    inFlight: 0,
    calls: 0,
    times,
    workers: new Array<number>(scenario.workers).fill(0),
  }));
  const loads = backends.map((backend) => createLoad(backend, 0));
  const latency = createMethodLatency();
  const events = createAgenda();
  const durations: number[] = [];
  const picks: number[] = [];
  const mostInFlight = backends.map(() => 0);
  let now = 0;

  function start(): void {
    if (picks.length === scenario.calls) {
      return;
    }
    scenario.during?.(picks.length).forEach((times, i) => {
      Object.assign(backends[i] ?? {}, { times });
    });
    const load = scenario.balancer.pick(loads, () => 0, now);
    if (load === undefined) {
      throw new Error("nothing was picked");
    }
    const index = loads.indexOf(load);
    picks.push(index);
    begin(load, index);
  }

  function begin(load: Load<Backend>, index: number): void {
    const backend = load.endpoint;
    const started = now;
    backend.inFlight++;
    backend.calls++;
    mostInFlight[index] = Math.max(mostInFlight[index] ?? 0, backend.inFlight);
    const worker = backend.workers.indexOf(Math.min(...backend.workers));
    const end = Math.max(now, backend.workers[worker] ?? 0) + scenario.service() * backend.times;
    backend.workers[worker] = end;
    events.add(end + 0.2, () => {
      backend.inFlight--;
      durations.push(now - started);
      observeAnswer(load, latency.relative(now - started), now);
      start();
    });
  }

  for (let i = 0; i < scenario.concurrency; i++) {
    start();
  }
  for (let event = events.next(); event !== undefined; event = events.next()) {
    now = event.at;
    event.run();
  }
  durations.sort((a, b) => a - b);
  return {
    p99: durations[Math.floor(durations.length * 0.99)] ?? 0,
    shares: backends.map(({ calls }) => calls / scenario.calls),
    picks,
    mostInFlight,
  };
}

type Event = { at: number; run: () => void };

/** Few events at a time: a sorted list will do. */
function createAgenda() {
  const events: Event[] = [];
  return {
    add(at: number, run: () => void) {
      const later = events.findIndex((event) => event.at > at);
      events.splice(later === -1 ? events.length : later, 0, { at, run });
    },
    next: () => events.shift(),
  };
}

/** The same numbers from 0 to 1 each time: a linear congruential generator (Numerical Recipes). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
}
