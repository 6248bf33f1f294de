/** What a person may do beyond using their own videos. */
export type Role = "member" | "admin" | "owner";

/** A person's account as the rest of this service sees it; the password's hash stays in the store. */
export type Account = {
  id: string;
  email: string;
  name: string;
  /** `YYYY-MM-DD`; empty if not known. */
  birthDate: string;
  role: Role;
  createTime: Date;
  updateTime: Date;
  /** When its owner showed that mail reaches them; null if not yet. */
  emailVerifyTime: Date | null;
  /** When it was disabled; null if it isn't. */
  disableTime: Date | null;
};
