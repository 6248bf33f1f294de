import { generateKeyPairSync, randomUUID, sign, verify } from "node:crypto";
import { createAuthenticator, fixedKeys, tokenType } from "@kinora/service";
import { answerParent } from "../../harness/child.ts";

const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const keys = fixedKeys({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "bench" }] });
const part = (members: object) => Buffer.from(JSON.stringify(members)).toString("base64url");

/** An access token as the user service makes them. */
function makeToken() {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: "kinora",
    sub: randomUUID(),
    sid: randomUUID(),
    aud: ["encoder", "user", "kinora"],
    iat: now,
    exp: now + 600,
    jti: randomUUID(),
    role: "member",
    kind: "user",
    scope: "account:read account:write audit:read keys:read keys:write videos:read videos:write",
  };
  const signed = `${part({ alg: "EdDSA", typ: tokenType, kid: "bench" })}.${part(claims)}`;
  const signature = sign(null, Buffer.from(signed), privateKey);
  return { header: `Bearer ${signed}.${signature.toString("base64url")}`, signed: Buffer.from(signed), signature };
}

answerParent({
  /** Microseconds that each way takes per token. The ways take turns, so that what disturbs the machine disturbs all. */
  async compare({ tokens, repeats }: { tokens: number; repeats: number }) {
    const made = Array.from({ length: tokens }, makeToken);
    const authenticate = createAuthenticator({ keys });
    const micros = (start: number, count: number) => ((performance.now() - start) * 1000) / count;
    let [bare, fresh, seen] = [0, 0, 0];
    const slice = 50;
    for (let from = 0; from < tokens; from += slice) {
      const these = made.slice(from, from + slice);
      let start = performance.now();
      for (const { signed, signature } of these)
        if (!verify(null, signed, publicKey, signature)) throw new Error("bad");
      bare += micros(start, tokens);
      start = performance.now();
      for (const { header } of these) await authenticate(header);
      fresh += micros(start, tokens);
      // As they come off the wire: another string with the same characters.
      const again = these.map(({ header }) => Buffer.from(header).toString("latin1"));
      start = performance.now();
      for (let time = 0; time < repeats; time++)
        for (const header of again) if (authenticate(header) instanceof Promise) throw new Error("not seen");
      seen += micros(start, tokens * repeats);
    }
    return { bare, fresh, seen };
  },
});
