import { Code, ConnectError, type Transport } from "@connectrpc/connect";

/** A transport whose target is made later: two services that call each other need it, since one of them is made first. */
export function lateTransport(name: string): Transport & { connect(target: Transport): void } {
  let target: Transport | undefined;
  const current = () => {
    if (target === undefined) throw new ConnectError(`${name} is still starting; try again`, Code.Unavailable);
    return target;
  };
  return {
    connect: (transport) => {
      target = transport;
    },
    // `async` turns "still starting" into a rejected call, which callers retry
    unary: async (...call) => current().unary(...call),
    stream: async (...call) => current().stream(...call),
  };
}
