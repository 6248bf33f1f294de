import { createClient } from "@connectrpc/connect";
import { SessionService, UserService } from "@kinora/proto-user";
import { createClientTransport } from "@kinora/rpc";
import { answerParent, childParameters } from "../../harness/child.ts";
import { type Closed, closedLoop } from "../closed-loop.ts";

/** Whom to load, as whom. */
export type LoadParameters = { url: string; token: string; id: string; email: string; password: string };

const { url, token, id, email, password } = await childParameters<LoadParameters>();
const transport = createClientTransport({ baseUrl: url, token });
const users = createClient(UserService, transport);
const sessions = createClient(SessionService, createClientTransport({ baseUrl: url }));

answerParent({
  getUser: (how: Closed) => closedLoop(how, () => users.getUser({ id })),
  login: (how: Closed) => closedLoop(how, () => sessions.createSession({ email, password })),
});
