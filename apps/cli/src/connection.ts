import { type EncoderClient, encoderClient } from "./clients.ts";
import type { Context } from "./context.ts";
import { findServer, type ServerAddress } from "./server-address.ts";
import { openSession, type Session } from "./session.ts";

/** A server, and the person who is logged in there. */
export type Connection = { server: ServerAddress; session: Session; encoder: EncoderClient };

/** Finds the server and opens what commands need; calls nothing but the server's directory. */
export async function connect(context: Context): Promise<Connection> {
  const server = await findServer(context);
  const session = openSession(context, server);
  return { server, session, encoder: encoderClient(server.encoder, session) };
}
