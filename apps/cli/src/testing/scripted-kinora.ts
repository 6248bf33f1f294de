import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import type { Encode } from "@kinora/proto-encoder";
import { answer } from "./answer.ts";
import { createScript, type Script } from "./script.ts";
import { createAccounts } from "./scripted-accounts.ts";
import { createEncodes, type ScriptedVideo } from "./scripted-encodes.ts";
import { createSettings } from "./scripted-settings.ts";
import { answerUpload } from "./scripted-upload.ts";

/** A server that behaves as the contracts say, held in memory, with faults on request. */
export type ScriptedKinora = {
  url: string;
  script: Script;
  owner: { email: string; password: string };
  /** Names of the calls and requests that came, in order. */
  calls: string[];
  videos: Map<string, ScriptedVideo>;
  encodes: Map<string, Encode>;
  /** Ends every access token at once, as a new signing key would. */
  revokeAccess(): void;
  /** Cuts all connections and stops listening. */
  stop(): Promise<void>;
  /** Listens again, on the same port. */
  start(): Promise<void>;
} & AsyncDisposable;

/** Starts the server. */
export async function startScriptedKinora(): Promise<ScriptedKinora> {
  const script = createScript();
  const calls: string[] = [];
  let url = "";
  const accounts = createAccounts(script, calls);
  const { routes, videos, encodes } = createEncodes(script, calls, accounts, () => url);
  const rpc = connectNodeAdapter({
    routes(router) {
      accounts.routes(router);
      routes(router);
      createSettings(accounts)(router);
    },
  });
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? "";
    const [, kind = "", id = "", ...rest] = path.split("/");
    if (path === "/.well-known/kinora") return answer(response, 200, JSON.stringify({ user: url, encoder: url }));
    if (kind === "uploads") {
      calls.push(request.method ?? "");
      if (!accounts.userOf(request.headers.authorization)) return answer(response, 401);
      return answerUpload(script, videos.get(id), request, response);
    }
    if (kind === "videos") {
      if (script.failDownloads > 0) {
        script.failDownloads--;
        return answer(response, 503);
      }
      const file = script.files[rest.join("/")];
      return file === undefined ? answer(response, 404) : answer(response, 200, file);
    }
    rpc(request, response);
  }

  let server: Server;
  let port = 0;
  async function start(): Promise<void> {
    server = createServer((request, response) => {
      handle(request, response).catch(() => response.destroy());
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("The server has no port.");
    port = address.port;
  }
  async function stop(): Promise<void> {
    server.close();
    server.closeAllConnections();
    if (server.listening) await once(server, "close");
  }
  await start();
  url = `http://127.0.0.1:${port}`;
  return {
    url,
    script,
    owner: accounts.owner,
    calls,
    videos,
    encodes,
    revokeAccess: accounts.revokeAccess,
    start,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
