import type { X509Certificate } from "node:crypto";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { Code, ConnectError, type ContextValues, createContextValues, type HandlerContext } from "@connectrpc/connect";
import { callerKey } from "../caller.ts";
import { clientAddressKey } from "../client-address.ts";
import { peerCertificateKey } from "../peer-certificate.ts";
import { type CallRecord, callRecordKey } from "./call-record.ts";

/** What a call's request says beside its message, made of whatever brought it when somebody asks. */
export type RequestFacts = {
  readonly requestMethod: string;
  url(): string;
  headers(): Headers;
  /** The caller's IP address; empty within the process. */
  clientAddress(): string;
  /** The certificate that the caller has identified itself with. */
  peerCertificate(): X509Certificate | undefined;
};

/** The context of a handler. Its parts are made when they are asked for: most handlers use few of them, and they cost more than the rest of a call. */
export class CallContext implements HandlerContext {
  readonly #call: CallRecord;
  readonly #request: RequestFacts;
  #requestHeader: Headers | undefined;
  #responseHeader: Headers | undefined;
  #responseTrailer: Headers | undefined;
  #values: ContextValues | undefined;
  #controller: AbortController | undefined;
  #ended: { reason: unknown } | undefined;

  constructor(call: CallRecord, request: RequestFacts) {
    this.#call = call;
    this.#request = request;
  }

  get method(): DescMethod {
    return this.#call.method.method;
  }

  get service(): DescService {
    return this.#call.method.method.parent;
  }

  get protocolName(): string {
    return this.#call.protocol;
  }

  get requestMethod(): string {
    return this.#request.requestMethod;
  }

  get url(): string {
    return this.#request.url();
  }

  get requestHeader(): Headers {
    this.#requestHeader ??= this.#request.headers();
    return this.#requestHeader;
  }

  get responseHeader(): Headers {
    this.#responseHeader ??= new Headers();
    return this.#responseHeader;
  }

  set responseHeader(header: Headers) {
    this.#responseHeader = header;
  }

  get responseTrailer(): Headers {
    this.#responseTrailer ??= new Headers();
    return this.#responseTrailer;
  }

  set responseTrailer(trailer: Headers) {
    this.#responseTrailer = trailer;
  }

  /** The response's headers, if anybody has asked for them. */
  get writtenHeader(): Headers | undefined {
    return this.#responseHeader;
  }

  /** The response's trailers, if anybody has asked for them. */
  get writtenTrailer(): Headers | undefined {
    return this.#responseTrailer;
  }

  get values(): ContextValues {
    if (this.#values === undefined) {
      this.#values = createContextValues();
      this.#values.set(callRecordKey, this.#call);
      this.#values.set(clientAddressKey, this.#request.clientAddress());
      this.#values.set(peerCertificateKey, () => this.#request.peerCertificate());
      if (this.#call.caller !== undefined) {
        this.#values.set(callerKey, this.#call.caller);
      }
    }
    return this.#values;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#ended !== undefined) {
        this.#controller.abort(this.#ended.reason);
      }
    }
    return this.#controller.signal;
  }

  /** A function of its own, so that handlers may take it out of the context. */
  get timeoutMs(): () => number | undefined {
    const { deadline } = this.#call;
    return () => (deadline === undefined ? undefined : Math.ceil(deadline - performance.now()));
  }

  /** The call is over, or must not go on: whoever waits by its signal hears of it. */
  end(reason?: unknown): void {
    if (this.#ended === undefined) {
      this.#ended = { reason: reason ?? over() };
      this.#controller?.abort(this.#ended.reason);
    }
  }
}

let overError: ConnectError | undefined;

/** One for all calls, and made when the first ends: its headers load Node's whole fetch client, which takes a process that starts 20 ms. */
function over(): ConnectError {
  overError ??= new ConnectError("the call is over", Code.Canceled);
  return overError;
}
