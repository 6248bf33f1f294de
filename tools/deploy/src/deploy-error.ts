/** Something that the person can mend: the message says what. Everything else that is thrown is a fault of this tool. */
export class DeployError extends Error {
  override name = "DeployError";
}
