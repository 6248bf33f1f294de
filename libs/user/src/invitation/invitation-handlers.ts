import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { InvitationSchema, InvitationService } from "@kinora/proto-user";
import { DomainError, requireUser } from "@kinora/rpc";
import { findAccount, findCredential } from "../account/account.store.ts";
import type { Account, Role } from "../account/account.ts";
import { fromRoleMessage, toRoleMessage } from "../account/account-message.ts";
import { emailKey } from "../account/email.ts";
import { recordEvent } from "../audit/audit.store.ts";
import { originOf } from "../check/origin.ts";
import {
  deleteInvitation,
  deleteInvitationOf,
  type EmailCode,
  listInvitations,
  lockAddress,
} from "../code/email-code.store.ts";
import type { EmailCodes } from "../code/email-codes.ts";
import type { MailQueue } from "../mail/mail-queue.ts";
import { canCreate, canGrant, type SignUp } from "../policy.ts";
import { requireLive } from "../session/live-caller.ts";
import type { Sql, Store } from "../store/store.ts";

/** What the handlers of user.v1.InvitationService need. */
export type InvitationHandlersDeps = {
  store: Store;
  codes: EmailCodes;
  mail: MailQueue;
  signUp: SignUp;
  now: () => Date;
};

/** Answers user.v1.InvitationService. */
export function createInvitationHandlers(deps: InvitationHandlersDeps): ServiceImpl<typeof InvitationService> {
  const { store, codes, mail, signUp, now } = deps;

  /** The caller, if they may invite as the database has them now. */
  async function manager(sql: Sql, context: HandlerContext): Promise<Account> {
    const caller = requireUser(context);
    await requireLive(sql, caller, now());
    const account = await findAccount(sql, caller.userId);
    if (account?.disableTime === null && canCreate("closed", account)) return account;
    throw new DomainError("permission_denied", "only administrators and owners invite people");
  }

  return {
    async createInvitation({ email, role: givenRole }, context) {
      if (signUp === "closed") {
        throw new DomainError(
          "failed_precondition",
          "sign-up is closed here (SIGN_UP=closed): make the account yourself",
        );
      }
      const role = fromRoleMessage(givenRole) ?? "member";
      const invitation = await store.transaction(context.signal, async (tx) => {
        const actor = await manager(tx, context);
        if (!canGrant(actor, role)) {
          throw new DomainError("permission_denied", "you can only give roles below your own; ask an owner");
        }
        await lockAddress(tx, emailKey(email));
        if ((await findCredential(tx, emailKey(email))) !== undefined) {
          throw new DomainError("already_exists", "this e-mail address has an account already");
        }
        await deleteInvitationOf(tx, emailKey(email));
        const made = await codes.request(tx, {
          purpose: "invitation",
          email,
          genuine: true,
          details: { role, by: actor.id },
        });
        await recordEvent(tx, {
          type: "invitation.created",
          actorId: actor.id,
          origin: originOf(context),
          time: now(),
          details: { invitation: made.id, role },
        });
        return { ...made, email, createTime: now(), details: { role } };
      });
      mail.hurry();
      return { invitation: toMessage(invitation) };
    },

    async listInvitations(_request, context) {
      const sql = store.on(context.signal);
      await manager(sql, context);
      return { invitations: (await listInvitations(sql, now())).map(toMessage) };
    },

    async deleteInvitation({ id }, context) {
      await store.transaction(context.signal, async (tx) => {
        const actor = await manager(tx, context);
        const gone = await deleteInvitation(tx, id);
        if (gone === undefined) return;
        if (!canGrant(actor, gone.details.role as Role)) {
          throw new DomainError("permission_denied", "only an owner can take this invitation back");
        }
        const event = { actorId: actor.id, origin: originOf(context), time: now(), details: { invitation: id } };
        await recordEvent(tx, { type: "invitation.deleted", ...event });
      });
      return {};
    },
  };
}

function toMessage(
  invitation: Pick<EmailCode, "id" | "email" | "details" | "createTime" | "expireTime">,
): MessageInitShape<typeof InvitationSchema> {
  return {
    id: invitation.id,
    email: invitation.email,
    role: toRoleMessage(invitation.details.role as Role),
    createTime: timestampFromDate(invitation.createTime),
    expireTime: timestampFromDate(invitation.expireTime),
  };
}
