import { randomUUID } from "node:crypto";
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server";
import type { Account } from "../account/account.ts";
import { invalidField } from "../fault.ts";
import type { Store } from "../store/store.ts";
import {
  findPasskey,
  insertChallenge,
  listPasskeys,
  type PasskeyChallenge,
  type StoredPasskey,
  takeChallenge,
  usePasskey,
} from "./passkey.store.ts";

/** For how long a challenge may be answered, in milliseconds. */
export const challengeLifetimeMs = 5 * 60_000;

/** A challenge for a browser. */
export type PasskeyOptions = { challengeId: string; optionsJson: string };

/** Whose passkey was shown. */
export type PasskeyUse = { userId: string; passkeyId: string };

/**
 * WebAuthn's ceremonies (level 3, 7.1 and 7.2). Each challenge has 256 random bits, works once and for five minutes (ASVS 6.7.2). The authenticator must have verified
 * its user, so that a passkey counts as two factors.
 */
export type Passkeys = {
  startRegistration(account: Account, signal: AbortSignal): Promise<PasskeyOptions>;
  /** The new passkey, not stored yet. Throws `invalid` for anything that isn't a right answer to the challenge. */
  finishRegistration(
    answer: { userId: string; challengeId: string; credentialJson: string; name: string },
    signal: AbortSignal,
  ): Promise<StoredPasskey>;
  /** With a user, for a passkey of theirs; without, for any that the authenticator finds. */
  startLogin(userId: string | undefined, signal: AbortSignal): Promise<PasskeyOptions>;
  /** Whose passkey answered the challenge; undefined if the answer isn't right. Its use is noted. */
  finishLogin(
    answer: { userId: string | undefined; challengeId: string; credentialJson: string },
    signal: AbortSignal,
  ): Promise<PasskeyUse | undefined>;
};

/** The address by which browsers know Kinora: passkeys are bound to its host. */
export type RelyingParty = () => { id: string; origin: string };

/** The relying party of a public address. */
export function relyingPartyOf(publicUrl: () => string): RelyingParty {
  return () => {
    const { hostname, origin } = new URL(publicUrl());
    return { id: hostname, origin };
  };
}

export function createPasskeys(deps: { store: Store; relyingParty: RelyingParty; now: () => Date }): Passkeys {
  const { store, relyingParty, now } = deps;
  // Loaded by the first ceremony: it is a tenth of the service's memory, and many installations have no passkeys.
  const library = () => import("@simplewebauthn/server");

  async function issue(
    purpose: PasskeyChallenge["purpose"],
    userId: string | undefined,
    options: { challenge: string },
    signal: AbortSignal,
  ): Promise<PasskeyOptions> {
    const id = randomUUID();
    const expireTime = new Date(now().getTime() + challengeLifetimeMs);
    await insertChallenge(store.on(signal), { id, purpose, userId, challenge: options.challenge, expireTime });
    return { challengeId: id, optionsJson: JSON.stringify(options) };
  }

  return {
    async startRegistration(account, signal) {
      const { generateRegistrationOptions } = await library();
      const existing = await listPasskeys(store.on(signal), account.id);
      const options = await generateRegistrationOptions({
        rpName: "Kinora",
        rpID: relyingParty().id,
        userName: account.email,
        userDisplayName: account.name,
        userID: Uint8Array.from(Buffer.from(account.id.replaceAll("-", ""), "hex")),
        attestationType: "none",
        excludeCredentials: existing.map(({ credentialId, transports }) => ({ id: credentialId, transports })),
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
        timeout: challengeLifetimeMs,
      });
      return await issue("register", account.id, options, signal);
    },

    async finishRegistration({ userId, challengeId, credentialJson, name }, signal) {
      const { verifyRegistrationResponse } = await library();
      const response = readCredential<RegistrationResponseJSON>(credentialJson);
      const challenge = await takeChallenge(store.on(signal), {
        id: challengeId,
        purpose: "register",
        userId,
        now: now(),
      });
      if (challenge === undefined) throw invalidField("challenge_id", "has been used or has expired; start again");
      const { id, origin } = relyingParty();
      const verified = await verifyRegistrationResponse({
        response,
        expectedChallenge: challenge,
        expectedOrigin: origin,
        expectedRPID: id,
        requireUserVerification: true,
      }).catch((error: unknown) => {
        throw invalidField("credential_json", `is not a right answer: ${(error as Error).message}`);
      });
      if (!verified.verified) throw invalidField("credential_json", "is not a right answer to the challenge");
      const { credential, credentialBackedUp } = verified.registrationInfo;
      return {
        id: randomUUID(),
        userId,
        credentialId: credential.id,
        publicKey: Buffer.from(credential.publicKey),
        signatureCount: credential.counter,
        transports: (credential.transports ?? []).map(String).slice(0, 10),
        synced: credentialBackedUp,
        name,
        createTime: now(),
        lastUseTime: null,
      };
    },

    async startLogin(userId, signal) {
      const { generateAuthenticationOptions } = await library();
      const own = userId === undefined ? [] : await listPasskeys(store.on(signal), userId);
      const options = await generateAuthenticationOptions({
        rpID: relyingParty().id,
        userVerification: "required",
        timeout: challengeLifetimeMs,
        allowCredentials: own.map(({ credentialId, transports }) => ({ id: credentialId, transports })),
      });
      return await issue("login", userId, options, signal);
    },

    async finishLogin({ userId, challengeId, credentialJson }, signal) {
      const { verifyAuthenticationResponse } = await library();
      const response = readCredential<AuthenticationResponseJSON>(credentialJson);
      const sql = store.on(signal);
      const challenge = await takeChallenge(sql, { id: challengeId, purpose: "login", userId, now: now() });
      const passkey = await findPasskey(sql, response.id);
      if (challenge === undefined || passkey === undefined) return undefined;
      if (userId !== undefined && passkey.userId !== userId) return undefined;
      const { id, origin } = relyingParty();
      const verified = await verifyAuthenticationResponse({
        response,
        expectedChallenge: challenge,
        expectedOrigin: origin,
        expectedRPID: id,
        credential: {
          id: passkey.credentialId,
          publicKey: Uint8Array.from(passkey.publicKey),
          counter: passkey.signatureCount,
        },
        requireUserVerification: true,
      }).catch(() => undefined); // the library throws for each step of the ceremony that fails
      if (!verified?.verified) return undefined;
      const used = await usePasskey(sql, {
        id: passkey.id,
        countBefore: passkey.signatureCount,
        count: verified.authenticationInfo.newCounter,
        synced: verified.authenticationInfo.credentialBackedUp,
        now: now(),
      });
      return used ? { userId: passkey.userId, passkeyId: passkey.id } : undefined;
    },
  };
}

/** A credential as browsers give it; the library checks all that is in it. */
function readCredential<T extends { id: string }>(json: string): T {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw invalidField("credential_json", "must be JSON");
  }
  const sound =
    typeof value === "object" &&
    value !== null &&
    "id" in value &&
    typeof value.id === "string" &&
    value.id.length <= 2000 &&
    /^[\w-]+$/.test(value.id) &&
    "response" in value &&
    typeof value.response === "object" &&
    value.response !== null;
  if (!sound) throw invalidField("credential_json", "must be the JSON of a WebAuthn credential");
  return value as T;
}
