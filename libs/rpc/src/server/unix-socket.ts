import { once } from "node:events";
import { lstat, unlink } from "node:fs/promises";
import { connect } from "node:net";

// What `sockaddr_un` holds, less its final zero: 107 bytes on Linux, 103 on macOS.
const longestPath = process.platform === "darwin" ? 103 : 107;

/** Makes a path free to listen on: takes away the socket of a process that has ended. Rejects, saying what to do, when that can't be. */
export async function freeSocketPath(path: string): Promise<void> {
  if (Buffer.byteLength(path) > longestPath) {
    throw new Error(`the socket path ${path} is too long: the system takes ${longestPath} bytes`);
  }
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) {
    return;
  }
  if (!found.isSocket()) {
    throw new Error(`${path} exists and isn't a socket: remove it, or listen elsewhere`);
  }
  if (await answers(path)) {
    throw new Error(`a process listens on ${path} already: stop it, or listen elsewhere`);
  }
  await unlink(path);
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ECONNREFUSED") {
      return false;
    }
    throw error;
  } finally {
    socket.destroy();
  }
}
