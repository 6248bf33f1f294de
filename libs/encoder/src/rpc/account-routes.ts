import type { ConnectRouter } from "@connectrpc/connect";
import { AccountService } from "@kinora/proto-encoder";
import type { Context } from "../context.ts";
import { deleteAccountData } from "../video/delete-video.ts";

/** The handlers of encoder.v1.AccountService. */
export function accountRoutes(router: ConnectRouter, context: Context): void {
  router.service(AccountService, {
    async deleteAccountData({ userId }, call) {
      return { videos: await deleteAccountData(context, userId, call.signal) };
    },
  });
}
