import { DatabaseError } from "../database-error.ts";

/** What a person must do when a file operation, initdb or Postgres failed in `folder`; `undefined` if only the text itself can tell. */
export function explain(text: string, folder: string): string | undefined {
  for (const [pattern, sentence] of causes) {
    const match = pattern.exec(text);
    if (match) return sentence(folder, match);
  }
  return undefined;
}

const causes: [RegExp, (folder: string, match: RegExpExecArray) => string][] = [
  [
    /No space left on device|disk is full|ENOSPC|Disk quota exceeded|EDQUOT/i,
    (folder) =>
      `The disk that holds ${folder} is full. Free some space (a new database needs about 100 MB) and start again.`,
  ],
  [
    /could not look up effective user ID (\d+)/,
    (_, [, uid]) =>
      `Postgres needs to know its user by name, and user ${uid} isn't in /etc/passwd. Add it there, run Kinora as another user, or set DATABASE_URL to a Postgres server.`,
  ],
  [
    /pre-existing shared memory block|lock file "postmaster\.pid" already exists/,
    (folder) => `Another Postgres that Kinora didn't start is running in ${folder}. Stop it and start again.`,
  ],
  [
    /could not (?:create|map|resize) .*shared memory/i,
    () =>
      "Postgres doesn't get the shared memory it needs (about 50 MB). Free some memory or raise the container's limit (docker run --shm-size) and start again.",
  ],
  [
    /database files are incompatible|initialized by PostgreSQL version (\d+)/,
    (folder, [, version]) =>
      `The database in ${folder} was made by ${version ? `Postgres ${version}` : "another Postgres"}. Start it with the Kinora that made it, or move the folder away to begin anew.`,
  ],
  [
    /could not create Unix socket|could not bind Unix address/,
    (folder) =>
      `The file system that holds ${folder} can't hold a socket. Set KINORA_DATA to a folder on a local disk.`,
  ],
  [
    /ENOTDIR|EEXIST|Not a directory/,
    (folder) => `${folder} can't be made, as a file is in its place. Set KINORA_DATA to another folder.`,
  ],
  [
    /Read-only file system|readonly database|EROFS/i,
    (folder) => `${folder} is on a read-only disk. Set KINORA_DATA to a folder that can be written.`,
  ],
  [
    /Permission denied|unable to open database file|EACCES|EPERM|Operation not permitted|data directory .* has wrong ownership/i,
    (folder) =>
      `This user may not use ${folder}. Start Kinora as the user that the folder belongs to, or set KINORA_DATA to another folder.`,
  ],
];

/** The error for whoever started the process, of something that happened while opening the cluster in `folder`. */
export function asDatabaseError(error: unknown, folder: string): unknown {
  if (error instanceof DatabaseError || !(error instanceof Error)) return error;
  if (error.name === "TimeoutError") {
    return new DatabaseError(`Postgres in ${folder} took too long. Check the disk, and start again.`, { cause: error });
  }
  if (!("code" in error)) return error; // a mistake of ours, not of the system
  const known = explain(`${error.code} ${error.message}`, folder);
  return new DatabaseError(known ?? `The database in ${folder} can't be used: ${error.message}`, { cause: error });
}
