type SystemError = { code: string; syscall?: string; path?: string; port?: number; address?: string };

/**
 * What to do about an error of the operating system (searched along the causes), in one line; undefined for an error that isn't one of those that people can do
 * something about.
 */
export function explainSystemError(error: unknown): string | undefined {
  const found = findSystemError(error);
  if (found === undefined) {
    return undefined;
  }
  const { path } = found;
  const place = path === undefined ? "a file" : path;
  if (found.syscall === "listen" || found.syscall === "bind") {
    return explainListening(found);
  }
  switch (found.code) {
    case "EACCES":
    case "EPERM":
      return `not allowed to use ${place}: give this user access to it, or set KINORA_DATA to another folder`;
    case "EROFS":
      return `${place} is on a read-only file system: set KINORA_DATA to a folder that can be written`;
    case "ENOSPC":
    case "EDQUOT":
      return `no space left for ${place}: free some, or set KINORA_DATA to a folder on another disk`;
    case "ENOTDIR":
    case "EEXIST":
      return `${place} can't be a folder because a file is in its way: remove that, or set KINORA_DATA to another folder`;
    case "EMFILE":
    case "ENFILE":
      return "too many open files: raise the limit (ulimit -n)";
    default:
      return undefined;
  }
}

function explainListening({ code, port, address }: SystemError): string | undefined {
  switch (code) {
    case "EADDRINUSE":
      return `port ${port} is taken: stop what uses it, or set PORT to another one`;
    case "EACCES":
    case "EPERM":
      return `not allowed to listen on port ${port}: set PORT to one above 1023`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `this machine doesn't have the address ${address}: set HOST to one that it has, such as 127.0.0.1 or 0.0.0.0`;
    default:
      return undefined;
  }
}

function findSystemError(error: unknown): SystemError | undefined {
  const seen = new Set<unknown>();
  for (let current = error; current instanceof Error && !seen.has(current); current = current.cause) {
    seen.add(current);
    if (isSystemError(current)) {
      return current;
    }
  }
  return undefined;
}

function isSystemError(error: Error): error is Error & SystemError {
  return "code" in error && typeof error.code === "string" && "syscall" in error;
}
