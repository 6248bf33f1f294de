import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type Key,
  KeySchema,
  ServiceAccountKind as KindMessage,
  type ServiceAccount as ServiceAccountMessage,
  ServiceAccountSchema,
} from "@kinora/proto-user";
import type { ApiKey } from "./api-key.ts";
import type { ServiceAccount, ServiceAccountKind } from "./service-account.ts";

const kindMessages: Readonly<Record<ServiceAccountKind, KindMessage>> = {
  program: KindMessage.PROGRAM,
  service: KindMessage.SERVICE,
  worker: KindMessage.WORKER,
};

/** The key as the contract shows it. */
export function toKeyMessage(key: ApiKey): Key {
  return create(KeySchema, {
    id: key.id,
    name: key.name,
    prefix: key.prefix,
    scopes: [...key.scopes],
    serviceAccountId: key.serviceAccountId ?? "",
    createTime: timestampFromDate(key.createTime),
    ...(key.expireTime && { expireTime: timestampFromDate(key.expireTime) }),
    ...(key.lastUseTime && { lastUseTime: timestampFromDate(key.lastUseTime) }),
  });
}

/** The service account as the contract shows it. */
export function toServiceAccountMessage(account: ServiceAccount): ServiceAccountMessage {
  return create(ServiceAccountSchema, {
    id: account.id,
    name: account.name,
    kind: kindMessages[account.kind],
    scopes: [...account.scopes],
    createTime: timestampFromDate(account.createTime),
    ...(account.disableTime && { disableTime: timestampFromDate(account.disableTime) }),
  });
}

/** The kind that a message names; undefined if it names none. */
export function kindOf(message: KindMessage): ServiceAccountKind | undefined {
  return (Object.keys(kindMessages) as ServiceAccountKind[]).find((kind) => kindMessages[kind] === message);
}
