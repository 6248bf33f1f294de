import { Code, ConnectError, createContextValues } from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import { clientAddressKey } from "../client-address.ts";
import { peerCertificateKey } from "../peer-certificate.ts";
import type { HttpRequest, HttpResponse } from "../routes.ts";
import { sendCallError, sendError } from "./send-error.ts";
import { certificateOfPeer } from "./tls.ts";

/** Runs one call that came over HTTP: Connect's handler between Node's request and response. */
export async function serveCall(
  handler: UniversalHandler,
  request: HttpRequest,
  response: HttpResponse,
): Promise<void> {
  const { socket } = request;
  const values = createContextValues()
    .set(clientAddressKey, socket.remoteAddress ?? "")
    .set(peerCertificateKey, () => certificateOfPeer(socket));
  let universalRequest: ReturnType<typeof universalRequestFromNodeRequest>;
  try {
    universalRequest = universalRequestFromNodeRequest(request, response, undefined, values);
  } catch (error) {
    // Its host or path can't be made a URL of.
    sendError(
      response,
      new ConnectError("the request's address is malformed", Code.InvalidArgument, undefined, undefined, error),
    );
    return;
  }
  if (!("stream" in request)) {
    // Connect-node's iterator destroys the request of a handler that stops halfway, which leaves the connection unread for ever.
    universalRequest.body = request.iterator({ destroyOnReturn: false });
  }
  let universalResponse: UniversalServerResponse;
  try {
    universalResponse = await handler(universalRequest);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    // What is wrong with the message can't be said in a header (Connect 2): the text of the fault ends within a character.
    const fault = new ConnectError("the message can't be read", Code.InvalidArgument, undefined, undefined, error);
    sendCallError(request, response, fault);
    return;
  }
  // Not awaited: connect-node's promise for the written response never settles over HTTP/1.1 or HTTP/2, only for a failed one.
  universalResponseToNodeResponse(universalResponse, response).catch(() => {
    // The client is gone, or the answer broke off in the middle; the call's own line in the log says how it ended.
    response.destroy();
  });
}
