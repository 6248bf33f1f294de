import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampNow } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import {
  type Encode,
  EncodeProgressSchema,
  EncoderService,
  EncodeSchema,
  EncodeState,
  PlaybackSchema,
  StreamResultSchema,
  type Video,
  VideoSchema,
  VideoState,
} from "@kinora/proto-encoder";
import { Role, SessionService, type User, UserSchema, UserService } from "@kinora/proto-user";

/** What a test may change while the server runs. */
export type Script = {
  /** Access tokens live this long. */
  accessMs: number;
  /** How encodes end. */
  outcome: "succeeded" | "failed" | "never";
  /** The next PATCH is cut after this many bytes. */
  cutUploadAfter: number | undefined;
  /** CancelEncode takes this long. */
  cancelMs: number;
  /** Every PATCH waits this long before it takes its bytes. */
  uploadDelayMs: number;
  /** The next requests for files of the stream are answered with 503. */
  failDownloads: number;
  /** Files of finished streams. */
  files: Record<string, string>;
};

/** A server that behaves as the contracts say, held in memory, with faults on request. */
export type ScriptedKinora = {
  url: string;
  script: Script;
  owner: { email: string; password: string };
  /** Names of the calls and requests that came, in order. */
  calls: string[];
  videos: Map<string, { video: Video; bytes: Buffer }>;
  encodes: Map<string, Encode>;
  /** Ends every access token at once, as a new signing key would. */
  revokeAccess(): void;
  /** Cuts all connections and stops listening. */
  stop(): Promise<void>;
  /** Listens again, on the same port. */
  start(): Promise<void>;
} & AsyncDisposable;

type Account = { user: User; password: string };
type Login = { user: User; refresh: string; used: Set<string> };

const stream = {
  "master.m3u8": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\n240p/playlist.m3u8\n",
  "240p/playlist.m3u8": '#EXTM3U\n#EXT-X-MAP:URI="init.mp4"\n#EXTINF:4,\n1.m4s\n#EXTINF:2,\n2.m4s\n#EXT-X-ENDLIST\n',
  "240p/init.mp4": "initialisation",
  "240p/1.m4s": "first segment",
  "240p/2.m4s": "second segment",
  "manifest.mpd": "<MPD/>",
  "poster.jpg": "picture",
};

/** Starts the server. */
export async function startScriptedKinora(): Promise<ScriptedKinora> {
  const script: Script = {
    accessMs: 600_000,
    outcome: "succeeded",
    cutUploadAfter: undefined,
    cancelMs: 0,
    uploadDelayMs: 0,
    failDownloads: 0,
    files: { ...stream },
  };
  const owner = { email: "owner@localhost", password: "a-password-that-is-long" };
  const accounts = new Map<string, Account>();
  const logins = new Map<string, Login>();
  let access = new Map<string, { login: Login; expires: number }>();
  const videos = new Map<string, { video: Video; bytes: Buffer }>();
  const encodes = new Map<string, Encode>();
  const calls: string[] = [];

  function addUser(email: string, name: string, password: string, role: Role): User {
    if (accounts.has(email)) throw new ConnectError("this address has an account", Code.AlreadyExists);
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
  const found = <T>(value: T | undefined): T => {
    if (value === undefined) throw new ConnectError("there is no such thing", Code.NotFound);
    return value;
  };

  async function runEncode(encode: Encode): Promise<void> {
    const progress = (fraction: number) =>
      create(EncodeProgressSchema, { fraction, frames: BigInt(fraction * 144), speed: 2, remainingSeconds: 3 });
    const states: Partial<Encode>[] = [
      { state: EncodeState.PROBING },
      { state: EncodeState.ENCODING, progress: progress(0.25) },
      { state: EncodeState.ENCODING, progress: progress(0.75) },
    ];
    for (const next of states) {
      await sleep(30);
      if (encode.state === EncodeState.CANCELLED) return;
      Object.assign(encode, next);
    }
    if (script.outcome === "never") return;
    await sleep(30);
    if (encode.state === EncodeState.CANCELLED) return;
    if (script.outcome === "failed") {
      Object.assign(encode, { state: EncodeState.FAILED, error: "this is a text file, not a video" });
      return;
    }
    const base = `${url}/videos/${encode.videoId}`;
    encode.playback = create(PlaybackSchema, {
      hlsUrl: `${base}/master.m3u8`,
      dashUrl: `${base}/manifest.mpd`,
      posterUrl: `${base}/poster.jpg`,
    });
    const segments = [
      { duration: 4000, bytes: 200_000 },
      { duration: 2000, bytes: 100_000 },
    ];
    const shape = { codecs: "avc1.640015", timescale: 1000, width: 426, height: 240, frames: 144 };
    const video240 = { name: "240p", ...shape, initBytes: 800, segments };
    encode.result = create(StreamResultSchema, { video: [video240], poster: "poster.jpg" });
    encode.state = EncodeState.SUCCEEDED;
    const video = videos.get(encode.videoId)?.video;
    if (video && encode.playback) video.playback = encode.playback;
  }

  const routes = (router: ConnectRouter) => {
    router.service(UserService, {
      createUser({ email, name, password }) {
        calls.push("CreateUser");
        if (password.length < 15) throw new ConnectError("password: too short", Code.InvalidArgument);
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
    router.service(EncoderService, {
      createVideo({ name, sizeBytes }, context) {
        requireUser(context);
        calls.push("CreateVideo");
        const state = VideoState.UPLOADING;
        const video = create(VideoSchema, { id: randomUUID(), name, sizeBytes, state, createTime: timestampNow() });
        videos.set(video.id, { video, bytes: Buffer.alloc(0) });
        return { video, uploadUrl: `${url}/uploads/${video.id}` };
      },
      getVideo({ id }, context) {
        requireUser(context);
        const { video } = found(videos.get(id));
        return { video, uploadUrl: video.state === VideoState.UPLOADED ? "" : `${url}/uploads/${id}` };
      },
      listVideos({ pageSize, pageToken }, context) {
        requireUser(context);
        const all = [...videos.values()].map(({ video }) => video);
        const from = Number(pageToken || 0);
        const end = from + Math.min(pageSize, 2); // servers may give less than asked for
        return { videos: all.slice(from, end), nextPageToken: end < all.length ? String(end) : "" };
      },
      deleteVideo({ id }, context) {
        requireUser(context);
        videos.delete(id);
        return {};
      },
      startEncode({ videoId }, context) {
        requireUser(context);
        calls.push("StartEncode");
        const { video } = found(videos.get(videoId));
        if (video.state !== VideoState.UPLOADED) throw new ConnectError("bytes are missing", Code.FailedPrecondition);
        if (video.latestEncode && video.latestEncode.state < EncodeState.SUCCEEDED)
          return { encode: video.latestEncode };
        const encode = create(EncodeSchema, { id: randomUUID(), videoId, state: EncodeState.QUEUED, attempt: 1 });
        encode.createTime = timestampNow();
        encodes.set(encode.id, encode);
        video.latestEncode = encode;
        void runEncode(encode);
        return { encode };
      },
      getEncode({ id }, context) {
        requireUser(context);
        return { encode: found(encodes.get(id)) };
      },
      async *watchEncode({ id }, context) {
        requireUser(context);
        calls.push("WatchEncode");
        while (!context.signal.aborted) {
          const encode = found(encodes.get(id));
          yield { encode };
          if (encode.state >= EncodeState.SUCCEEDED) return;
          await sleep(20);
        }
      },
      async cancelEncode({ id }, context) {
        requireUser(context);
        calls.push("CancelEncode");
        await sleep(script.cancelMs);
        const encode = found(encodes.get(id));
        if (encode.state === EncodeState.SUCCEEDED || encode.state === EncodeState.FAILED) {
          throw new ConnectError("the encode has ended", Code.FailedPrecondition);
        }
        encode.state = EncodeState.CANCELLED;
        return { encode };
      },
      deleteEncode({ id }, context) {
        requireUser(context);
        encodes.delete(id);
        return {};
      },
    });
  };

  async function upload(request: IncomingMessage, response: ServerResponse, id: string): Promise<void> {
    calls.push(request.method ?? "");
    const entry = videos.get(id);
    if (!userOf(request.headers.authorization)) return end(response, 401);
    if (!entry) return end(response, 404, "there is no such upload");
    if (request.method === "PATCH") {
      let offset = Number(request.headers["upload-offset"]);
      await sleep(script.uploadDelayMs);
      for await (const chunk of request as AsyncIterable<Buffer>) {
        // Checked for each chunk: a connection whose client is dead may still bring bytes.
        if (offset !== entry.bytes.length) return end(response, 409);
        const cut = script.cutUploadAfter ?? Number.POSITIVE_INFINITY;
        entry.bytes = Buffer.concat([entry.bytes, chunk.subarray(0, cut)]);
        offset = entry.bytes.length;
        if (cut <= chunk.length) {
          script.cutUploadAfter = undefined;
          request.socket.destroy();
          return;
        }
        if (script.cutUploadAfter !== undefined) script.cutUploadAfter -= chunk.length;
      }
      if (offset !== entry.bytes.length) return end(response, 409);
    }
    entry.video.uploadedBytes = BigInt(entry.bytes.length);
    if (entry.video.uploadedBytes === entry.video.sizeBytes) entry.video.state = VideoState.UPLOADED;
    response.setHeader("Upload-Offset", entry.bytes.length);
    end(response, request.method === "HEAD" ? 200 : 204);
  }

  const rpc = connectNodeAdapter({ routes });
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? "";
    const [, kind = "", id = "", ...rest] = path.split("/");
    if (path === "/.well-known/kinora") return end(response, 200, JSON.stringify({ user: url, encoder: url }));
    if (kind === "uploads") return upload(request, response, id);
    if (kind === "videos") {
      if (script.failDownloads > 0) {
        script.failDownloads--;
        return end(response, 503);
      }
      const file = script.files[rest.join("/")];
      return file === undefined ? end(response, 404) : end(response, 200, file);
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
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    script,
    owner,
    calls,
    videos,
    encodes,
    revokeAccess() {
      access = new Map();
    },
    start,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function end(response: ServerResponse, status: number, body = ""): void {
  response.statusCode = status;
  response.setHeader("Content-Length", Buffer.byteLength(body));
  response.end(response.req.method === "HEAD" ? undefined : body);
}
