import { type Client, Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { EncoderService, ProfileService, WebhookService } from "@kinora/proto-encoder";
import { AccountService, KeyService, SessionService, UserService } from "@kinora/proto-user";
import { createClientTransport } from "@kinora/rpc/client";

/** Gives access tokens, and replaces one that a server no longer takes. */
export type TokenSource = {
  token(signal: AbortSignal): Promise<string>;
  /** A token other than `refused`; throws when there can be none without a new login. */
  renew(refused: string, signal: AbortSignal): Promise<string>;
};

export type EncoderClient = Client<typeof EncoderService>;
export type ProfileClient = Client<typeof ProfileService>;
export type WebhookClient = Client<typeof WebhookService>;
export type UserClient = Client<typeof UserService>;
export type SessionClient = Client<typeof SessionService>;
export type KeyClient = Client<typeof KeyService>;

/** Where an error of a call names its server. */
export const serverHeader = "x-kinora-server";

/** Deadline of a unary call in milliseconds. */
const callTimeoutMs = 15_000;

/** Calls the encoder as the person who is logged in. */
export function encoderClient(url: string, tokens: TokenSource): EncoderClient {
  return createClient(EncoderService, transportTo(url, [authorize(tokens)]));
}

/** Calls the encoder's profiles as the person who is logged in. */
export function profileClient(url: string, tokens: TokenSource): ProfileClient {
  return createClient(ProfileService, transportTo(url, [authorize(tokens)]));
}

/** Calls the encoder's webhooks as the person who is logged in. */
export function webhookClient(url: string, tokens: TokenSource): WebhookClient {
  return createClient(WebhookService, transportTo(url, [authorize(tokens)]));
}

/** Calls the user service's session methods; with `tokens`, as the person who is logged in. */
export function sessionClient(url: string, tokens?: TokenSource): SessionClient {
  return createClient(SessionService, transportTo(url, tokens ? [authorize(tokens)] : []));
}

/** Calls the user service's methods about API keys; with `tokens`, as the person who is logged in. */
export function keyClient(url: string, tokens?: TokenSource): KeyClient {
  return createClient(KeyService, transportTo(url, tokens ? [authorize(tokens)] : []));
}

/** The way to the user service for calls of the person who is logged in. */
export function authorizedTransport(url: string, tokens: TokenSource) {
  return transportTo(url, [authorize(tokens)]);
}

/** Calls the user service's methods that need no login. */
export function userClient(url: string): UserClient {
  return createClient(UserService, transportTo(url, []));
}

/** Calls the account methods that need no login. */
export function accountClient(url: string): Client<typeof AccountService> {
  return createClient(AccountService, transportTo(url, []));
}

/** Connect over HTTP/1.1: what every proxy between here and a server lets through. */
function transportTo(baseUrl: string, interceptors: Interceptor[]) {
  return createClientTransport({
    baseUrl,
    protocol: "connect",
    httpVersion: "1.1",
    interceptors: [nameServer(baseUrl), nameProgram, ...interceptors],
    timeoutMs: callTimeoutMs,
  });
}

/** Notes on an error which server it came from, for the sentence that tells it (`describe-error.ts`). */
function nameServer(url: string): Interceptor {
  return (next) => async (request) => {
    try {
      return await next(request);
    } catch (error) {
      const fault = ConnectError.from(error);
      fault.metadata.set(serverHeader, url);
      throw fault;
    }
  };
}

/** The audit log says with what people did things. */
const nameProgram: Interceptor = (next) => (request) => {
  request.header.set("user-agent", "kinora");
  return next(request);
};

/** Sends the access token; a unary call that is refused for it is made once more with a new one. */
function authorize(tokens: TokenSource): Interceptor {
  return (next) => async (request) => {
    const token = await tokens.token(request.signal);
    request.header.set("authorization", `Bearer ${token}`);
    try {
      return await next(request);
    } catch (error) {
      if (request.stream || ConnectError.from(error).code !== Code.Unauthenticated) throw error;
      request.header.set("authorization", `Bearer ${await tokens.renew(token, request.signal)}`);
      return next(request);
    }
  };
}
