import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { TimestampSchema, timestampMs } from "@bufbuild/protobuf/wkt";
import type { HandlerContext } from "@connectrpc/connect";
import type { TokensSchema } from "@kinora/proto-user";
import { DomainError } from "@kinora/rpc";
import { invalidField } from "../fault.ts";

type Tokens = MessageInitShape<typeof TokensSchema>;

/**
 * Keeps refresh tokens where scripts can't read them, for browsers that ask for it by the header `Kinora-Cookies: 1`: the token goes out as a cookie instead of in the answer, and comes in
 * as one. Everything else about sessions is the same for browsers and programs.
 */
export type BrowserCookies = {
  /** The refresh token that the call brings: the request's, or else the browser's. Throws `invalid` if there is none. */
  take(context: HandlerContext, refreshToken: string): string;
  /** What the answer has of the tokens; the rest goes out as a cookie if a browser asked. */
  give(context: HandlerContext, tokens: Tokens): Tokens;
  /** Has the browser forget its cookie. */
  forget(context: HandlerContext): void;
};

/** A page of another site can't send this without asking first (CORS), and is refused then. */
const header = "kinora-cookies";

export function createBrowserCookies(deps: { publicUrl: () => string; now: () => Date }): BrowserCookies {
  const { publicUrl, now } = deps;

  /**
   * Whether a browser wants cookies. Browsers say where a request comes from (`Sec-Fetch-Site`, before that `Origin`), and pages can't change what they say: one that comes from elsewhere is refused, even
   * though the custom header and `SameSite` should have kept it away (ASVS 3.5.1 to 3.5.3).
   */
  function wantsCookies({ requestHeader }: HandlerContext): boolean {
    if (!requestHeader.has(header)) return false;
    const site = requestHeader.get("sec-fetch-site");
    const own = site === null ? requestHeader.get("origin") === new URL(publicUrl()).origin : site === "same-origin";
    if (own) return true;
    throw new DomainError("permission_denied", "cookies are only for pages of this Kinora; other sites use tokens");
  }

  const isSecure = () => publicUrl().startsWith("https:");
  // Browsers take a `__Host-` cookie from nobody but this host itself, and only over TLS.
  const nameNow = () => (isSecure() ? "__Host-kinora_session" : "kinora_session");

  function write(context: HandlerContext, value: string, seconds: number): void {
    const secure = isSecure() ? "; Secure" : "";
    const cookie = `${nameNow()}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${secure}`;
    context.responseHeader.append("set-cookie", cookie);
    context.responseHeader.set("cache-control", "no-store");
  }

  return {
    take(context, refreshToken) {
      if (refreshToken !== "") return refreshToken;
      const found = wantsCookies(context) ? readCookie(context.requestHeader.get("cookie"), nameNow()) : undefined;
      if (found === undefined) throw invalidField("refresh_token", "is required");
      return found;
    },
    give(context, tokens) {
      if (!wantsCookies(context)) return tokens;
      const { refreshToken = "", refreshExpireTime } = tokens;
      const end = refreshExpireTime === undefined ? 0 : timestampMs(create(TimestampSchema, refreshExpireTime));
      write(context, refreshToken, Math.max(0, Math.floor((end - now().getTime()) / 1000)));
      return { ...tokens, refreshToken: "" };
    },
    forget(context) {
      if (wantsCookies(context)) write(context, "", 0);
    },
  };
}

/** The value of the one cookie of this name; undefined if there is none, or more than one, as somebody has put a second one there. */
export function readCookie(cookies: string | null, name: string): string | undefined {
  const values = (cookies ?? "")
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  const [value] = values;
  return values.length === 1 && value !== undefined && /^[\w-]{1,500}$/.test(value) ? value : undefined;
}
