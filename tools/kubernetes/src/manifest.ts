/** An object for Kubernetes, of a class of `kubernetes-models`. */
export type Manifest = {
  apiVersion: string;
  kind: string;
  metadata?: { name?: string; namespace?: string };
  /** Throws when a field is wrong. It lets fields pass that it doesn't know; those the compiler refuses. */
  validate(): void;
  toJSON(): unknown;
};
