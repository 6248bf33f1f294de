import type { HttpRequest } from "./http-message.ts";

/** The path of a request as it was sent: nothing is decoded or resolved, so that a check of it holds. */
export function pathOf(request: Pick<HttpRequest, "url">): string {
  return split(request)[0];
}

/** The query of a request. */
export function queryOf(request: Pick<HttpRequest, "url">): URLSearchParams {
  return new URLSearchParams(split(request)[1]);
}

function split({ url = "/" }: Pick<HttpRequest, "url">): [string, string] {
  const mark = url.indexOf("?");
  return mark < 0 ? [url, ""] : [url.slice(0, mark), url.slice(mark + 1)];
}
