import { tokenAudience, tokenIssuer } from "@kinora/service";
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";

/** A person's access token as the user service signs them, and the key that proves it. */
export type Credential = { authorization: string; publicKey: JWK };

/** Made anew for each run: no key is kept anywhere. The token is good for a day. */
export async function createCredential(): Promise<Credential> {
  const { publicKey, privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const token = await new SignJWT({ sid: crypto.randomUUID(), role: "member" })
    .setProtectedHeader({ alg: "EdDSA", kid: "bench" })
    .setSubject(crypto.randomUUID())
    .setIssuer(tokenIssuer)
    .setAudience(tokenAudience)
    .setIssuedAt()
    .setExpirationTime("1 day")
    .sign(privateKey);
  return { authorization: `Bearer ${token}`, publicKey: await exportJWK(publicKey) };
}
