import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Factor as FactorMessage, type Session as SessionMessage, SessionSchema } from "@kinora/proto-user";
import type { Factor } from "../check/assurance.ts";
import type { Session } from "./session.ts";

const factors: Readonly<Record<Factor, FactorMessage>> = {
  password: FactorMessage.PASSWORD,
  totp: FactorMessage.TOTP,
  recovery_code: FactorMessage.RECOVERY_CODE,
  passkey: FactorMessage.PASSKEY,
};

/** A factor as the contract names it. */
export function toFactorMessage(factor: Factor): FactorMessage {
  return factors[factor];
}

/** The session as the contract shows it. */
export function toSessionMessage(session: Session, currentId: string | undefined): SessionMessage {
  const authTime = Math.max(...session.checks.map(({ time }) => time.getTime()), session.createTime.getTime());
  return create(SessionSchema, {
    id: session.id,
    device: session.device,
    address: session.lastAddress,
    createTime: timestampFromDate(session.createTime),
    lastUseTime: timestampFromDate(session.refreshTime),
    authTime: timestampFromDate(new Date(authTime)),
    factors: [...new Set(session.checks.map(({ factor }) => factors[factor]))],
    idleExpireTime: timestampFromDate(session.idleExpireTime),
    expireTime: timestampFromDate(session.expireTime),
    current: session.id === currentId,
  });
}
