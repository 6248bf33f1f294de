import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

/** How an authenticator, or the browser around it, differs from an honest one. */
export type Deviation = {
  /** The site that the browser shows. */
  origin?: string;
  /** The site that the authenticator signs for. */
  rpId?: string;
  challenge?: string;
  /** Whether the person was verified (by a PIN or a fingerprint). */
  userVerified?: boolean;
  /** The signature count that it tells. */
  count?: number;
  /** Signs with a key other than the registered one. */
  foreignKey?: boolean;
};

/** A passkey authenticator in software: real CBOR, COSE keys and ES256 signatures (WebAuthn level 3, 6). */
export type PasskeyAuthenticator = {
  credentialId: string;
  /** Answers the options of a registration, as `PublicKeyCredential.toJSON()` does. */
  register(optionsJson: string, deviation?: Deviation): string;
  /** Answers the options of a login. */
  login(optionsJson: string, deviation?: Deviation): string;
};

/** Makes an authenticator with one passkey, used in a browser that shows `origin`. */
export function createPasskeyAuthenticator(origin: string): PasskeyAuthenticator {
  const credential = randomBytes(32);
  const key = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const credentialId = credential.toString("base64url");
  const site = new URL(origin).hostname;
  let count = 0;

  const clientData = (type: string, optionsJson: string, deviation: Deviation) =>
    Buffer.from(
      JSON.stringify({
        type,
        challenge: deviation.challenge ?? (JSON.parse(optionsJson) as { challenge: string }).challenge,
        origin: deviation.origin ?? origin,
        crossOrigin: false,
      }),
    );
  const authenticatorData = (
    attested: Buffer | undefined,
    { rpId = site, userVerified = true, ...rest }: Deviation,
  ) => {
    count = rest.count ?? count + 1;
    const flags = 0x01 | (userVerified ? 0x04 : 0) | (attested ? 0x40 : 0);
    const head = Buffer.alloc(5);
    head.writeUInt8(flags, 0);
    head.writeUInt32BE(count, 1);
    return Buffer.concat([sha256(rpId), head, attested ?? Buffer.alloc(0)]);
  };
  const answer = (response: Record<string, string | string[]>) =>
    JSON.stringify({
      id: credentialId,
      rawId: credentialId,
      type: "public-key",
      clientExtensionResults: {},
      authenticatorAttachment: "platform",
      response,
    });

  return {
    credentialId,
    register(optionsJson, deviation = {}) {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(credential.length);
      const attested = Buffer.concat([Buffer.alloc(16), length, credential, cbor(coseKey(key.publicKey))]);
      const object = new Map<string, unknown>([
        ["fmt", "none"],
        ["attStmt", new Map()],
        ["authData", authenticatorData(attested, deviation)],
      ]);
      return answer({
        clientDataJSON: clientData("webauthn.create", optionsJson, deviation).toString("base64url"),
        attestationObject: cbor(object).toString("base64url"),
        transports: ["internal"],
      });
    },
    login(optionsJson, deviation = {}) {
      const data = clientData("webauthn.get", optionsJson, deviation);
      const authData = authenticatorData(undefined, deviation);
      const { privateKey } = deviation.foreignKey ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : key;
      return answer({
        clientDataJSON: data.toString("base64url"),
        authenticatorData: authData.toString("base64url"),
        signature: sign("sha256", Buffer.concat([authData, sha256(data)]), privateKey).toString("base64url"),
      });
    },
  };
}

/** An ES256 key (RFC 9053, 7.1.1). */
function coseKey(publicKey: KeyObject): Map<number, unknown> {
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  return new Map<number, unknown>([
    [1, 2], // EC2
    [3, -7], // ES256
    [-1, 1], // P-256
    [-2, Buffer.from(x, "base64url")],
    [-3, Buffer.from(y, "base64url")],
  ]);
}

/** As much of CBOR (RFC 8949) as WebAuthn needs: integers, byte strings, texts, maps. */
function cbor(value: unknown): Buffer {
  if (typeof value === "number") return value < 0 ? head(1, -1 - value) : head(0, value);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  if (typeof value === "string") return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Map) {
    return Buffer.concat([head(5, value.size), ...[...value].flatMap(([key, item]) => [cbor(key), cbor(item)])]);
  }
  throw new TypeError(`no CBOR for ${String(value)}`);
}

function head(major: number, length: number): Buffer {
  const type = major << 5;
  if (length < 24) return Buffer.from([type | length]);
  if (length < 256) return Buffer.from([type | 24, length]);
  return Buffer.from([type | 25, length >> 8, length & 255]);
}

function sha256(data: string | Buffer): Buffer {
  return createHash("sha256").update(data).digest();
}
