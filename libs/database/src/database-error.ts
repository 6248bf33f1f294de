/**
 * The database can't be used, and `message` tells a person in one line what to do about it. It never holds a password.
 * The name is that of `StartupError` in `@kinora/service`, by which `runMain` knows what it may show as it is.
 */
export class DatabaseError extends Error {
  override readonly name = "StartupError";
}
