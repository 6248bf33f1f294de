/** Environment variables as `process.env` has them. */
export type Env = Readonly<Record<string, string | undefined>>;

/** How to read one variable. */
export type Setting<T> = {
  /** Turns the variable's text (never empty, trimmed) into a value; undefined where the text is wrong. */
  parse(text: string): T | undefined;
  /** What a right value looks like, such as "a port from 0 to 65535". */
  expected: string;
  /** The value when the variable isn't set (or empty). Without it the variable must be set. */
  fallback?: { value: T };
  /** Never show the value. */
  secret?: boolean;
};

/** Names of variables and how to read them. */
export type ConfigSpec = Readonly<Record<string, Setting<unknown>>>;

/** The values of a spec, under the same names. */
export type ConfigOf<S extends ConfigSpec> = { [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

/** The environment is wrong. The message names every wrong variable, its value (unless secret) and what was expected. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/**
 * Reads every variable of the spec; throws one ConfigError that names all that are wrong.
 *
 * @example
 * const config = readConfig(env, { PORT: port({ default: 8081 }), DATABASE_URL: optional(url({ secret: true })) });
 */
export function readConfig<S extends ConfigSpec>(env: Env, spec: S): ConfigOf<S> {
  const values: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const [name, setting] of Object.entries(spec)) {
    const text = env[name]?.trim() ?? "";
    if (text === "") {
      if (setting.fallback === undefined) {
        faults.push(`${name} is not set; expected ${setting.expected}`);
      } else {
        values[name] = setting.fallback.value;
      }
      continue;
    }
    const value = setting.parse(text);
    if (value === undefined) {
      faults.push(
        `${name}${setting.secret ? " (not shown)" : `=${JSON.stringify(text)}`}: expected ${setting.expected}`,
      );
    } else {
      values[name] = value;
    }
  }
  if (faults.length > 0) {
    throw new ConfigError(`wrong configuration: ${faults.join("; ")}`);
  }
  return values as ConfigOf<S>;
}
