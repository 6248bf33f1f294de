/** What a service account stands for. */
export type ServiceAccountKind = "program" | "service" | "worker";

/** An account without a person. */
export type ServiceAccount = {
  id: string;
  name: string;
  kind: ServiceAccountKind;
  scopes: readonly string[];
  createTime: Date;
  /** When it was disabled: its keys can't be exchanged then; null if it isn't. */
  disableTime: Date | null;
};

/** Service accounts that an installation may have. */
export const maxServiceAccounts = 1000;
