/** Answers that many ask for at the same time. */
export type ShortMemory<T> = {
  /** The answer to `key`, at most `keepMs` old; everybody who asks before it is there waits for the same one. A failure is told to those alone. */
  get(key: string, keepMs: number, read: () => Promise<T>): Promise<T>;
};

/** Makes a memory of the `most` answers that were read last. */
export function createShortMemory<T>(most: number): ShortMemory<T> {
  const kept = new Map<string, { answer: Promise<T>; until: number }>();
  return {
    get(key, keepMs, read) {
      const known = kept.get(key);
      if (known && known.until > performance.now()) return known.answer;
      const answer = read().catch((error: unknown) => {
        if (kept.get(key)?.answer === answer) kept.delete(key);
        throw error;
      });
      kept.delete(key);
      kept.set(key, { answer, until: performance.now() + keepMs });
      const [oldest] = kept.keys();
      if (kept.size > most && oldest !== undefined) kept.delete(oldest);
      return answer;
    },
  };
}
