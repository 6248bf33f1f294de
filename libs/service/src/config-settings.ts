import { BlockList, isIP } from "node:net";
import { resolve } from "node:path";
import type { Setting } from "./config.ts";

type Options<T> = { default?: T };

function setting<T>(options: Options<T>, rest: Omit<Setting<T>, "fallback">): Setting<T> {
  return options.default === undefined ? rest : { ...rest, fallback: { value: options.default } };
}

/** The variable may be missing: undefined then. */
export function optional<T>(inner: Setting<T>): Setting<T | undefined> {
  return { ...inner, fallback: { value: undefined } };
}

/** A whole number between `min` and `max` (both included). */
export function integer(options: Options<number> & { min?: number; max?: number } = {}): Setting<number> {
  const min = options.min ?? Number.MIN_SAFE_INTEGER;
  const max = options.max ?? Number.MAX_SAFE_INTEGER;
  const range =
    options.max !== undefined ? ` from ${min} to ${max}` : options.min !== undefined ? `, ${min} or more` : "";
  return setting(options, {
    expected: `a whole number${range}`,
    parse(text) {
      const value = /^[+-]?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
      return value >= min && value <= max ? value : undefined;
    },
  });
}

/** A TCP port; 0 stands for any free one. */
export function port(options: Options<number> = {}): Setting<number> {
  return { ...integer({ ...options, min: 0, max: 65535 }), expected: "a port number from 0 to 65535" };
}

/** An address with one of the schemes (http and https if not given), without a slash at its end. */
export function url(
  options: Options<string> & { schemes?: readonly string[]; secret?: boolean } = {},
): Setting<string> {
  const schemes = options.schemes ?? ["http", "https"];
  return setting(options, {
    expected: `an address such as ${schemes[0]}://host:1234`,
    ...(options.secret ? { secret: true } : {}),
    parse(text) {
      const parsed = URL.parse(text);
      const right = parsed !== null && schemes.includes(parsed.protocol.slice(0, -1)) && parsed.hostname !== "";
      return right ? text.replace(/\/+$/, "") : undefined;
    },
  });
}

/** A file or folder; the value is absolute (relative ones start at the working directory). */
export function path(options: Options<string> = {}): Setting<string> {
  const made = setting(options.default === undefined ? {} : { default: resolve(options.default) }, {
    expected: "a path",
    parse: (text: string) => (text.includes("\0") ? undefined : resolve(text)),
  });
  return made;
}

/** One of a few words. */
export function oneOf<const T extends string>(words: readonly T[], options: Options<NoInfer<T>> = {}): Setting<T> {
  return setting<T>(options, {
    expected: `one of ${words.join(", ")}`,
    parse: (text) => words.find((word) => word === text),
  });
}

/** Any text. */
export function text(options: Options<string> & { maxLength?: number } = {}): Setting<string> {
  const maxLength = options.maxLength ?? 1000;
  return setting(options, {
    expected: `text of at most ${maxLength} characters`,
    parse: (value) => (value.length <= maxLength ? value : undefined),
  });
}

/** IP addresses and networks, separated by commas: `10.0.0.0/8, 2001:db8::1`. Not all there are (`0.0.0.0/0`): whoever is named is trusted with something. */
export function networks(): Setting<BlockList> {
  return {
    expected: "IP addresses and networks (but not everybody's) separated by commas, such as 10.0.0.0/8,192.0.2.1",
    parse(text) {
      const list = new BlockList();
      for (const entry of text.split(",")) {
        const [, address = "", bits] = /^\s*([\d.a-f:]+)(?:\/(\d{1,3}))?\s*$/i.exec(entry) ?? [];
        const family = isIP(address);
        const most = family === 4 ? 32 : 128;
        const prefix = bits === undefined ? most : Number(bits);
        if (family === 0 || prefix > most || prefix === 0) return undefined;
        list.addSubnet(address, prefix, family === 4 ? "ipv4" : "ipv6");
      }
      return list;
    },
  };
}

/** A token or password; its value never appears in messages. */
export function secret(options: Options<string> & { minLength?: number } = {}): Setting<string> {
  const minLength = options.minLength ?? 16;
  return setting(options, {
    expected: `a secret of ${minLength} to 1000 visible ASCII characters without spaces`,
    secret: true,
    parse: (value) =>
      /^[\x21-\x7e]+$/.test(value) && value.length >= minLength && value.length <= 1000 ? value : undefined,
  });
}
