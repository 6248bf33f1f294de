import { type Owner, requireUser } from "@kinora/rpc";
import type { Db } from "../store/db.ts";
import { wasDeleted } from "../store/deleted.store.ts";
import { belongsTo, type OwnedKind } from "../store/owner.store.ts";

/** Whose a resource is, for `owned`: everything here is one person's, and nobody else's. */
export function ownerOf(db: Db, kind: OwnedKind): Owner {
  return { what: kind, isTheirs: (id, call) => belongsTo(db, kind, id, requireUser(call).userId) };
}

/** The same where deleting it twice is no error: what they deleted lately is theirs, too. */
export function ownerOfDeleted(db: Db, kind: OwnedKind): Owner {
  return {
    what: kind,
    async isTheirs(id, call) {
      const { userId } = requireUser(call);
      return (await belongsTo(db, kind, id, userId)) || (await wasDeleted(db, id, userId));
    },
  };
}
