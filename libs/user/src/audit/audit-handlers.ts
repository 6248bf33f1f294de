import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { AuditService } from "@kinora/proto-user";
import { DomainError, permits, requireUser } from "@kinora/rpc";
import { findAccount } from "../account/account.store.ts";
import { invalidField } from "../fault.ts";
import { manages } from "../policy.ts";
import type { Store } from "../store/store.ts";
import { listEvents } from "./audit.store.ts";

const defaultPageSize = 50;

/** Answers user.v1.AuditService. */
export function createAuditHandlers({ store }: { store: Store }): ServiceImpl<typeof AuditService> {
  return {
    async listAuditEvents(request, context) {
      const caller = requireUser(context);
      const sql = store.on(context.signal);
      const actor = await findAccount(sql, caller.userId);
      if (actor === undefined || actor.disableTime !== null) {
        throw new DomainError("unauthenticated", "this account has been deleted or disabled");
      }
      const asked = request.userId === "" ? undefined : request.userId.toLowerCase();
      const all = manages(actor.role) && permits(caller.scopes, "users:read");
      if (!all && asked !== undefined && asked !== actor.id) throw new DomainError("not_found", "no such user");
      const before = request.pageToken === "" ? undefined : readPageToken(request.pageToken);
      const size = request.pageSize === 0 ? defaultPageSize : request.pageSize;
      const filter = {
        userId: all ? asked : actor.id,
        type: request.type,
        start: request.startTime && timestampDate(request.startTime),
        end: request.endTime && timestampDate(request.endTime),
        before,
      };
      const found = await listEvents(sql, filter, size + 1);
      const page = found.slice(0, size);
      return {
        events: page.map(({ id, time, type, userId, actorId, address, device, details }) => ({
          id: BigInt(id),
          time: timestampFromDate(time),
          type,
          userId: userId ?? "",
          actorId: actorId ?? "",
          address,
          device,
          details,
        })),
        nextPageToken: found.length > size ? String(page.at(-1)?.id ?? "") : "",
      };
    },
  };
}

/** Events are numbered, so a page's token is the number of its last event. */
function readPageToken(token: string): number {
  if (!/^\d{1,15}$/.test(token))
    throw invalidField("page_token", "must be the next_page_token of an earlier answer, or empty");
  return Number(token);
}
