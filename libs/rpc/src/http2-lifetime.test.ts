import { fork } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:http2";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { nativeSession } from "./http2-lifetime.ts";
import { open } from "./testing/hostile-client.ts";
import { flag, frame, frameType, headerBlock, preface, settings, uint32 } from "./testing/http2-frames.ts";
import { startRawServer } from "./testing/raw-server.ts";

const callBlock = headerBlock([
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/large"],
  [":authority", "test"],
]);
const trailers = headerBlock([["x-more", "v".repeat(300)]]);

describe("a peer whose trailers don't end and that breaks the connection", () => {
  it("doesn't end the server's process when garbage is collected", async () => {
    const child = fork(fileURLToPath(new URL("./testing/large-answers-main.ts", import.meta.url)), {
      execArgv: ["--max-old-space-size=200"],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    let complaints = "";
    child.stderr?.on("data", (chunk) => {
      complaints += String(chunk);
    });
    const exit = once(child, "exit");
    const [port] = await once(child, "message");
    for (let round = 0; round < 4 && child.exitCode === null; round++) {
      for (let i = 0; i < 25; i++) {
        const socket = open(Number(port)).pause();
        const wide = [
          frame(frameType.settings, 0, 0, settings([4, 0x7fffffff])),
          frame(frameType.windowUpdate, 0, 0, uint32(0x7fff0000)),
        ];
        socket.write(Buffer.concat([preface, ...wide, frame(frameType.headers, flag.endHeaders, 1, callBlock)]));
        await once(socket, "connect");
        await new Promise((resolve) => setTimeout(resolve, 5));
        socket.write(frame(frameType.headers, flag.endStream, 1, trailers));
        await new Promise((resolve) => setTimeout(resolve, 5));
        socket.resetAndDestroy();
      }
      child.send("collect");
      await Promise.race([once(child, "message"), exit]);
    }
    expect(complaints).toBe("");
    expect(child.exitCode).toBe(null);
    child.disconnect();
    await exit;
  });
});

describe("the native part of a session", () => {
  it("is found in this Node", async () => {
    using server = await startRawServer(() => {});
    const session = connect(server.url);
    await once(session, "connect");
    expect(nativeSession(session)?.constructor.name).toBe("Http2Session");
    session.destroy();
  });
});
