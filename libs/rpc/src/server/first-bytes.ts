import type { Socket } from "node:net";

// How every HTTP/2 connection begins (RFC 9113, section 3.4). No method of HTTP/1.1 starts with these three letters.
const preface = Buffer.from("PRI");

/**
 * Looks at a connection's first bytes and puts them back. "none" when it ends, or sends fewer than it takes to tell, within `milliseconds`.
 * The socket is paused afterwards.
 */
export function firstBytes(socket: Socket, milliseconds: number): Promise<"http1" | "http2" | "none"> {
  const { promise, resolve } = Promise.withResolvers<"http1" | "http2" | "none">();
  let seen: Buffer = Buffer.alloc(0);
  const timer = setTimeout(() => finish("none"), milliseconds);
  const close = () => finish("none");

  function finish(kind: "http1" | "http2" | "none"): void {
    clearTimeout(timer);
    socket.off("data", look);
    socket.off("end", close);
    socket.off("close", close);
    socket.pause();
    if (kind !== "none") {
      socket.unshift(seen);
    }
    resolve(kind);
  }

  function look(chunk: Buffer): void {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const head = seen.subarray(0, preface.length);
    if (!preface.subarray(0, head.length).equals(head)) {
      finish("http1");
    } else if (head.length === preface.length) {
      finish("http2");
    }
  }

  socket.on("data", look);
  socket.once("end", close);
  socket.once("close", close);
  return promise;
}
