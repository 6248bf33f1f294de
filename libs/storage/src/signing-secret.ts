import { randomBytes } from "node:crypto";
import { link, open, readFile, rm } from "node:fs/promises";

const secretBytes = 32;

/** Reads the secret that addresses are signed with from `file`, or makes it (mode 0600). Several processes may do so at once: all get the same. */
export async function signingSecret(file: string): Promise<Uint8Array> {
  for (;;) {
    const secret = await readFile(file).catch(absent);
    if (secret !== undefined) {
      if (secret.length === secretBytes) return secret;
      throw new Error(`${file} is damaged: delete it and start again; addresses given out before become invalid.`);
    }
    await make(file);
  }
}

// Written under another name first: a crash half way leaves no short secret, and `link` lets exactly one process win.
async function make(file: string): Promise<void> {
  const temporary = `${file}.${process.pid}.${randomBytes(6).toString("hex")}`;
  try {
    await using handle = await open(temporary, "wx", 0o600);
    await handle.writeFile(randomBytes(secretBytes));
    await handle.sync();
    await link(temporary, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(temporary, { force: true });
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
