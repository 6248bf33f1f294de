import { type Client, createClient } from "@connectrpc/connect";
import {
  AccountService,
  AuditService,
  FactorService,
  InvitationService,
  KeyService,
  QuotaService,
  UserService,
} from "@kinora/proto-user";
import { authorizedTransport, type TokenSource } from "./clients.ts";

/** What the user service has for people and those who manage them. */
export type UserClients = {
  users: Client<typeof UserService>;
  accounts: Client<typeof AccountService>;
  factors: Client<typeof FactorService>;
  invitations: Client<typeof InvitationService>;
  audit: Client<typeof AuditService>;
  keys: Client<typeof KeyService>;
  quotas: Client<typeof QuotaService>;
};

/** Calls the user service as the person who is logged in. */
export function userClients(url: string, tokens: TokenSource): UserClients {
  const transport = authorizedTransport(url, tokens);
  return {
    users: createClient(UserService, transport),
    accounts: createClient(AccountService, transport),
    factors: createClient(FactorService, transport),
    invitations: createClient(InvitationService, transport),
    audit: createClient(AuditService, transport),
    keys: createClient(KeyService, transport),
    quotas: createClient(QuotaService, transport),
  };
}
