import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampNow } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import { Role, SessionService, type User, UserSchema, UserService } from "@kinora/proto-user";
import type { Script } from "./script.ts";

type Account = { user: User; password: string };
type Login = { user: User; refresh: string; used: Set<string> };

/** The accounts and sessions of a scripted server. */
export type ScriptedAccounts = {
  routes(router: ConnectRouter): void;
  owner: { email: string; password: string };
  userOf(authorization: string | null | undefined): User | undefined;
  requireUser(context: HandlerContext): User;
  /** Ends every access token at once, as a new signing key would. */
  revokeAccess(): void;
};

/** Makes the accounts, with an owner's among them. Names of calls are noted in `calls`. */
export function createAccounts(script: Script, calls: string[]): ScriptedAccounts {
  const owner = { email: "owner@localhost", password: "a-password-that-is-long" };
  const accounts = new Map<string, Account>();
  const logins = new Map<string, Login>();
  let access = new Map<string, { login: Login; expires: number }>();

  function addUser(email: string, name: string, password: string, role: Role): User {
    const user = create(UserSchema, { id: randomUUID(), email, name, role, createTime: timestampNow() });
    accounts.set(email, { user, password });
    return user;
  }
  addUser(owner.email, "Owner", owner.password, Role.OWNER);

  function issue(login: Login) {
    const accessToken = `access-${randomUUID()}`;
    const expires = Date.now() + script.accessMs;
    access.set(accessToken, { login, expires });
    login.used.add(login.refresh);
    login.refresh = `refresh-${randomUUID()}`;
    logins.set(login.refresh, login);
    return { accessToken, accessExpireTime: timestampFromMs(expires), refreshToken: login.refresh };
  }

  function userOf(authorization: string | null | undefined): User | undefined {
    const found = access.get(authorization?.replace(/^Bearer /, "") ?? "");
    return found && found.expires > Date.now() && logins.has(found.login.refresh) ? found.login.user : undefined;
  }
  function requireUser({ requestHeader }: HandlerContext): User {
    const user = userOf(requestHeader.get("authorization"));
    if (user === undefined) throw new ConnectError("the access token is not valid", Code.Unauthenticated);
    return user;
  }

  const routes = (router: ConnectRouter) => {
    router.service(UserService, {
      createUser({ email, name, password }) {
        calls.push("CreateUser");
        if (password.length < 15) throw new ConnectError("password: too short", Code.InvalidArgument);
        if (accounts.has(email)) return { user: create(UserSchema, { id: randomUUID(), email, name }) };
        return { user: addUser(email, name, password, Role.MEMBER) };
      },
    });
    router.service(SessionService, {
      createSession({ email, password }) {
        calls.push("CreateSession");
        const account = accounts.get(email);
        if (account?.password !== password) {
          throw new ConnectError("the e-mail address or the password is wrong", Code.Unauthenticated);
        }
        const login: Login = { user: account.user, refresh: "", used: new Set() };
        return { sessionId: randomUUID(), tokens: issue(login), user: account.user };
      },
      async refreshSession({ refreshToken }) {
        calls.push("RefreshSession");
        await sleep(50); // long enough for others to come meanwhile
        const login = logins.get(refreshToken);
        if (login?.used.has(refreshToken)) {
          logins.delete(login.refresh); // a replay ends the session
          throw new ConnectError("the session has ended", Code.Unauthenticated);
        }
        if (login?.refresh !== refreshToken) throw new ConnectError("the session has ended", Code.Unauthenticated);
        return { tokens: issue(login) };
      },
      revokeSession({ refreshToken }) {
        calls.push("RevokeSession");
        logins.delete(refreshToken);
        return {};
      },
      getSession(_, context) {
        calls.push("GetSession");
        return { sessionId: randomUUID(), user: requireUser(context) };
      },
    });
  };
  return {
    routes,
    owner,
    userOf,
    requireUser,
    revokeAccess() {
      access = new Map();
    },
  };
}
